# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operator wants anew, and CPUs that come and go: tried, applied, or told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fake_runtime.node import lay_out
from fakes.cgroups import make_hierarchy
from fakes.machines import machine_files, sockets
from fakes.node import container, machine, pod
from homenode.daemon.nearness import Nearness
from homenode.daemon.owner import Owner
from homenode.daemon.reload import Reload
from homenode.enforce.undo import UndoLog
from homenode.intent.config import Config, JournalConfig, NriConfig, PinningConfig
from homenode.linux.cgroup import CgroupTree
from homenode.loop import begin
from homenode.loop.reconfiguration import Reconfigured
from host_files import open_host
from model.cpuset import CpuSet
from model.events import ContainerCreating, ContainerUpdate
from model.problem import HomenodeProblem, Problem

SHAPE = sockets(2, cores=4)
TWO = machine(SHAPE)
ON = Config(pinning=PinningConfig())


def fewer(cpus: str) -> Config:
    return Config(pinning=PinningConfig(available_cpus=CpuSet.parse(cpus)))


class Reloaded:
    """A reload whose configuration the test sets; one container that shares is running."""

    def __init__(self, root: Path) -> None:
        make_hierarchy(root)
        lay_out(machine_files(SHAPE), root)
        self.root = root
        self.config: Config = ON
        self.told: list[ContainerUpdate] = []
        self.notes: list[dict[str, Any]] = []
        undo = UndoLog(str(root / "undo"))
        self.owner = Owner(begin(TWO, ON.pinning), CgroupTree(str(root)), undo, lambda _all: None)
        self.reload = Reload(
            ON,
            TWO,
            open_host(str(root)),
            Nearness(str(root), tuple),
            owner=self.owner,
            read=self._read,
            apply=self._apply,
            note=self._note,
        )
        made = pod("e", "E")
        creating = ContainerCreating(made, container("e", "E", made))
        self.owner.handle(creating, time.monotonic() + 5)

    def _read(self) -> Config:
        return self.config

    def _apply(self, updates: Sequence[ContainerUpdate]) -> None:
        self.told += updates

    def _note(self, kind: str, **fields: object) -> None:
        self.notes.append({"kind": kind, **fields})

    def fields(self) -> list[str]:
        return [problem.field for problem in self.reload.problems()]


@pytest.fixture
def reloaded(tmp_path: Path) -> Reloaded:
    return Reloaded(tmp_path)


def test_a_good_one_is_applied_and_noted(reloaded: Reloaded) -> None:
    reloaded.config = fewer("0-5")
    reloaded.reload.configuration()
    assert [str(update.placement.cpus) for update in reloaded.told] == ["0-5"]
    assert reloaded.notes == [{"kind": "configured", "what": "configuration", "moved": 1}]
    assert reloaded.fields() == []


def test_one_that_cannot_be_read_is_told_until_a_good_one_comes(
    reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> Config:
        raise HomenodeProblem("pinning.policy", "x", "is not a known choice", "use another")

    monkeypatch.setattr(reloaded.reload, "_read", wrong)
    reloaded.reload.configuration()
    assert reloaded.fields() == ["pinning.policy"]
    assert [note["kind"] for note in reloaded.notes] == ["problem"]
    monkeypatch.undo()
    reloaded.reload.configuration()
    assert reloaded.fields() == []


def test_one_with_somebody_in_the_way_is_told_and_not_applied(
    reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    obstacle = Problem("cpus", "a", "has no place", "end it")
    tried = Reconfigured(reloaded.owner.world, None, obstacles=(obstacle,))  # type: ignore[arg-type]
    monkeypatch.setattr(reloaded.owner, "reconfigure", lambda *_all, **_named: tried)
    reloaded.reload.configuration()
    assert reloaded.told == []
    assert reloaded.reload.problems() == [obstacle]


def test_sets_that_do_not_fit_the_machine_are_told(reloaded: Reloaded) -> None:
    reloaded.config = fewer("64")
    reloaded.reload.configuration()
    assert set(reloaded.fields()) == {"pinning.available_cpus"}
    assert {note["kind"] for note in reloaded.notes[1:]} == {"problem"}


def test_other_sections_hold_from_the_next_start_on(reloaded: Reloaded) -> None:
    reloaded.config = replace(ON, nri=NriConfig(plugin_index="77"), journal=JournalConfig(4096))
    reloaded.reload.configuration()
    assert reloaded.fields() == ["nri", "journal"]
    reloaded.config = ON
    reloaded.reload.configuration()
    assert reloaded.fields() == []


def test_cpus_that_went_are_seen_and_what_is_shared_shrinks(reloaded: Reloaded) -> None:
    reloaded.reload.machine()
    assert reloaded.told == []
    lay_out(machine_files(replace(SHAPE, offline=CpuSet.parse("6-7"))), reloaded.root)
    reloaded.reload.machine()
    assert [str(update.placement.cpus) for update in reloaded.told] == ["0-5"]
    reloaded.reload.machine()
    assert len(reloaded.told) == 1


def test_a_machine_that_cannot_be_read_is_told(reloaded: Reloaded) -> None:
    (reloaded.root / "sys/devices/system/cpu/online").write_text("hello")
    reloaded.reload.machine()
    assert reloaded.told == []
    assert len(reloaded.fields()) == 1


def test_check_changes_nothing(reloaded: Reloaded) -> None:
    world = reloaded.owner.world
    found = reloaded.reload.check({"pinning": {"available_cpus": "0-5"}})
    assert [move["container"] for move in found["moves"]] == ["default/e/e"]
    assert found["obstacles"] == []
    assert reloaded.owner.world is world
    assert reloaded.reload.check({"pinning": None})["moves"] == []


def test_check_of_nonsense_is_a_problem(reloaded: Reloaded) -> None:
    with pytest.raises(HomenodeProblem, match=r"pinning\.policy"):
        reloaded.reload.check({"pinning": {"policy": "none"}})
