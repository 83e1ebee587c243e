# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's file: believed when it is whole and ours, else set aside and told."""

from __future__ import annotations

import errno
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.daemon import store
from homenode.daemon.store import NOTHING, Remembered
from homenode.intent.config import PinningConfig
from homenode.world.ledger import Ledger

TWO = machine(sockets(2, cores=4))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.json"


@pytest.fixture
def kept() -> Remembered:
    fake = FakeNode(TWO)
    fake.run("G2:1=a B1=b G5=c")
    fake.create("G2", "k", given="4-5")
    grants = dict(fake.world.ledger.grants)
    grants["b"] = grants["b"]._replace(
        placed=grants["b"].placed._replace(place="pool #0", shares=2, rdt_class="gold")
    )
    return Remembered(Ledger(7, grants), "home-node", {"any": ["thing", 1]})


def test_what_was_saved_is_loaded(path: Path, kept: Remembered) -> None:
    assert store.save(str(path), kept) is None
    assert path.stat().st_mode & 0o777 == 0o600
    loaded, problem = store.load(str(path))
    assert problem is None
    assert loaded.ledger.grants == kept.ledger.grants
    assert (loaded.policy, loaded.memory) == (kept.policy, kept.memory)
    assert sorted(one.name for one in path.parent.iterdir()) == ["ledger.json"]


def test_no_file_is_no_problem(path: Path) -> None:
    assert store.load(str(path)) == (NOTHING, None)


def test_only_the_policy_that_wanted_to_be_told_is_told(kept: Remembered) -> None:
    assert kept.of(PinningConfig()) == {"any": ["thing", 1]}
    assert kept.of(replace(PinningConfig(), policy="another")) is None
    assert kept.of(None) is None


def sealed(body: str, schema: object = store.SCHEMA) -> str:
    return json.dumps({"schema": schema, "crc32": zlib.crc32(body.encode()), "body": body})


def holding(grants: object, memory: object = None) -> str:
    return sealed(json.dumps({"grants": grants, "policy": "home-node", "memory": memory}))


DECISION = {"outcome": "shared", "reason": "r", "asked_cpus": 0, "home": None, "rules": []}
GRANT = {
    "container_id": "a",
    "pod_id": "p",
    "name": "n",
    "asked_shares": None,
    "given": {},
    "placement": {},
    "decision": {**DECISION, "candidates": [], "adopted": False},
    "place": "",
    "exclusive": "1",
    "shares": 2,
    "classes": ["", "", "", ""],
}
UNBELIEVABLE = {
    "empty": ("", "Expecting value"),
    "no JSON": ("hello", "Expecting value"),
    "not ours": ("{}", "schema"),
    "a list": ("[]", "list indices"),
    "an older schema": (sealed("[]", 1), "its schema is 1, this version knows 2"),
    "a newer schema": (sealed("[]", 3), "its schema is 3, this version knows 2"),
    "another checksum": (sealed("[]").replace("[]", "[ ]"), "its checksum is wrong"),
    "a grant without its parts": (holding([{"container_id": "a"}]), "placement"),
    "no grants": (holding(7), "not iterable"),
    "grants of garbage": (holding([7]), "not subscriptable"),
    "memory of garbage": (holding([], [7]), "no mapping"),
    "endless nesting": ("[" * 1_000_000, "recursion"),
    "infinity": (holding([{**GRANT, "shares": float("inf")}]), "infinity"),
    "no text at all": ("\udcff", "codec"),
}


def test_the_grant_of_these_rows_is_a_good_one(path: Path) -> None:
    path.write_text(holding([GRANT]))
    assert list(store.load(str(path))[0].ledger.grants) == ["a"]


@pytest.mark.parametrize("row", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_set_aside_and_told(path: Path, row: tuple[str, str]) -> None:
    text, why = row
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    loaded, problem = store.load(str(path))
    assert loaded == NOTHING
    assert problem is not None
    assert why in problem.why
    assert f"{path}.unreadable" in problem.remedy
    assert [one.name for one in path.parent.iterdir()] == ["ledger.json.unreadable"]
    assert store.load(str(path)) == (NOTHING, None), "said once"


@settings(deadline=None)
@given(st.data())
def test_a_file_that_lost_a_part_is_never_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "ledger.json"
    fake = FakeNode(TWO)
    fake.run("G2=a E=b")
    store.save(str(path), store.remembered(fake.world))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    assert store.load(str(path))[0] == NOTHING


def test_what_cannot_be_read_is_told(path: Path) -> None:
    path.mkdir()
    loaded, problem = store.load(str(path))
    assert loaded == NOTHING
    assert problem is not None
    assert "directory" in problem.why


def test_a_full_disk_leaves_the_old_file(
    path: Path, kept: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(str(path), NOTHING)

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        error = store.save(str(path), kept)
    assert error is not None
    assert error.errno == errno.ENOSPC
    loaded, problem = store.load(str(path))
    assert (loaded.ledger.grants, problem) == ({}, None)
    assert [one.name for one in path.parent.iterdir()] == ["ledger.json"]


def test_a_slow_disk_gets_it_in_pieces(
    path: Path, kept: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: really(handle, data[:7]))
        assert store.save(str(path), kept) is None
    assert store.load(str(path))[0].ledger.grants == kept.ledger.grants
