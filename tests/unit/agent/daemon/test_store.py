# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's file: believed when it is whole and ours, else set aside and told."""

from __future__ import annotations

import errno
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.daemon import store
from homenode.world.ledger import EMPTY_LEDGER, Ledger

TWO = machine(sockets(2, cores=4))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.json"


@pytest.fixture
def ledger() -> Ledger:
    fake = FakeNode(TWO)
    fake.run("G2:1=a B1=b G5=c")
    fake.create("G2", "k", given="4-5")
    return fake.world.ledger


def test_what_was_saved_is_loaded(path: Path, ledger: Ledger) -> None:
    assert store.save(str(path), ledger) is None
    assert path.stat().st_mode & 0o777 == 0o600
    loaded, problem = store.load(str(path))
    assert problem is None
    assert loaded.grants == ledger.grants
    assert sorted(one.name for one in path.parent.iterdir()) == ["ledger.json"]


def test_no_file_is_no_problem(path: Path) -> None:
    assert store.load(str(path)) == (EMPTY_LEDGER, None)


def sealed(grants: str, schema: object = store.SCHEMA) -> str:
    return json.dumps({"schema": schema, "crc32": zlib.crc32(grants.encode()), "grants": grants})


GRANT = {"container_id": "a", "pod_id": "p", "name": "n", "exclusive": "1", "memory_bytes": 1}
UNBELIEVABLE = {
    "empty": ("", "Expecting value"),
    "no JSON": ("hello", "Expecting value"),
    "not ours": ("{}", "schema"),
    "a list": ("[]", "list indices"),
    "another schema": (sealed("[]", 2), "its schema is 2, this version knows 1"),
    "another checksum": (sealed("[]").replace("[]", "[ ]"), "its checksum is wrong"),
    "a grant without its parts": (sealed('[{"container_id": "a"}]'), "placement"),
    "no grants": (sealed("7"), "not iterable"),
    "grants of garbage": (sealed("[7]"), "not subscriptable"),
    "endless nesting": ("[" * 1_000_000, "recursion"),
    "infinity": (sealed(json.dumps([{**GRANT, "memory_bytes": float("inf")}])), "placement"),
    "no text at all": ("\udcff", "codec"),
}


@pytest.mark.parametrize("row", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_set_aside_and_told(path: Path, row: tuple[str, str]) -> None:
    text, why = row
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    loaded, problem = store.load(str(path))
    assert loaded == EMPTY_LEDGER
    assert problem is not None
    assert why in problem.why
    assert f"{path}.unreadable" in problem.remedy
    assert [one.name for one in path.parent.iterdir()] == ["ledger.json.unreadable"]
    assert store.load(str(path)) == (EMPTY_LEDGER, None), "said once"


@settings(deadline=None)
@given(st.data())
def test_a_file_that_lost_a_part_is_never_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "ledger.json"
    fake = FakeNode(TWO)
    fake.run("G2=a E=b")
    store.save(str(path), fake.world.ledger)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    assert store.load(str(path))[0] == EMPTY_LEDGER


def test_what_cannot_be_read_is_told(path: Path) -> None:
    path.mkdir()
    loaded, problem = store.load(str(path))
    assert loaded == EMPTY_LEDGER
    assert problem is not None
    assert "directory" in problem.why


def test_a_full_disk_leaves_the_old_file(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(str(path), EMPTY_LEDGER)

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        error = store.save(str(path), ledger)
    assert error is not None
    assert error.errno == errno.ENOSPC
    loaded, problem = store.load(str(path))
    assert (loaded.grants, problem) == ({}, None)
    assert [one.name for one in path.parent.iterdir()] == ["ledger.json"]


def test_a_slow_disk_gets_it_in_pieces(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: really(handle, data[:7]))
        assert store.save(str(path), ledger) is None
    assert store.load(str(path))[0].grants == ledger.grants
