# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The read-back: what cgroups say comes to the loop once, and lost answers are given again."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes.cgroups import MOUNT, CountingTree, cgroup_of, make_cgroup, make_hierarchy
from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.enforce.readback import ReadBack, not_applied, read_cgroups
from homenode.intent.config import REPAIR, RESPECT, PinningConfig
from model.cpuset import CpuSet
from model.events import NO_CHANGE, CgroupRead, ContainerUpdate, Reply
from model.problem import Problem
from model.workload import NOT_OURS, Placement

TWO = machine(sockets(2, cores=4))


class Watched:
    """A fake node whose cgroups are files, and a read-back whose rounds the test makes."""

    def __init__(self, root: Path, drift: str) -> None:
        make_hierarchy(root)
        self.root = root
        self.node = FakeNode(TWO, PinningConfig(drift=drift))
        self.tree = CountingTree(root)
        self.told: list[CgroupRead] = []
        self.updates: list[ContainerUpdate] = []
        self.now = 0.0

        def tell(fact: CgroupRead) -> Reply:
            return self._tell(fact)  # a test may put another in its place

        self.readback = ReadBack(
            self.tree,
            lambda: self.node.world,
            tell,
            self._update,
            clock=lambda: self.now,
        )

    def _tell(self, fact: CgroupRead) -> Reply:
        self.told.append(fact)
        return self.node.send(fact).reply

    def _update(self, updates: Sequence[ContainerUpdate]) -> dict[str, Problem]:
        self.updates += updates
        return {}

    def run(self, script: str) -> None:
        """Let things happen, and the runtime write the files."""
        self.node.run(script)
        self.write()

    def write(self, **instead: Placement) -> None:
        """The book into the files; *instead* for some containers."""
        for name, container in self.node.world.containers.items():
            held = instead.get(name, self.node.book[name])
            make_cgroup(self.root, cgroup_of(container), held)

    def rounds(self, count: int = 1) -> list[str]:
        """Who was told of in so many rounds."""
        self.told = []
        for _time in range(count):
            self.now += 10
            self.readback._round()
        return [fact.container_id for fact in self.told]

    def problems(self) -> dict[str, list[str]]:
        """Fields that differ, by container."""
        return {
            key: [problem.field for problem in found]
            for key, found in self.node.world.problems.items()
            if found
        }


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path, RESPECT)


@pytest.fixture
def repairing(tmp_path: Path) -> Watched:
    return Watched(tmp_path, REPAIR)


def test_what_was_granted_is_confirmed_once(watched: Watched) -> None:
    watched.run("G2=a E=e")
    assert watched.rounds() == ["a", "e"]
    assert watched.rounds(5) == []
    assert watched.problems() == {}
    assert watched.node.world.observed["a"] == watched.node.book["a"]


def test_two_reads_for_each_container_and_never_a_write(watched: Watched) -> None:
    watched.run(" ".join(f"E=e{n}" for n in range(200)))
    watched.rounds()
    watched.tree.reads = 0
    watched.rounds(3)
    assert watched.tree.reads == 3 * 2 * 200
    assert watched.tree.writes == 0


def test_a_difference_is_told_once_and_taken_back_once(watched: Watched) -> None:
    watched.run("G2=a E=e")
    watched.rounds()
    watched.write(a=Placement(CpuSet.parse("0-7"), watched.node.book["a"].mems))
    assert watched.rounds(5) == ["a"]
    assert watched.problems() == {"a": ["cpuset.cpus"]}
    watched.write()
    assert watched.rounds(5) == ["a"]
    assert watched.problems() == {}


def test_an_answer_that_was_never_applied_is_noticed(watched: Watched) -> None:
    """The cgroup says what it always said; only the grant is another one now."""
    watched.run("E=e")
    watched.rounds()
    watched.node.run("G2=a")
    make_cgroup(watched.root, cgroup_of(watched.node.world.containers["a"]), NOT_OURS)
    assert watched.rounds(1) == [], "the runtime may be about to apply it"
    assert sorted(watched.rounds(3)) == ["a", "e"]
    assert watched.problems() == {"a": ["cpuset.cpus", "cpuset.mems"], "e": ["cpuset.cpus"]}
    watched.node.stop("a")
    assert watched.rounds(3) == ["e"], "e has again what it never lost"
    assert watched.problems() == {}


def test_a_vanished_cgroup_is_no_difference(watched: Watched) -> None:
    watched.run("G2=a E=e")
    watched.rounds()
    shutil.rmtree(watched.root / MOUNT / cgroup_of(watched.node.world.containers["a"]))
    assert watched.rounds(2) == []
    assert watched.problems() == {}


def test_a_container_without_a_usable_path_is_not_read(watched: Watched) -> None:
    watched.node.run("E=e")
    hostile = {"e": watched.node.world.containers["e"].__class__("e", "pod-e", "e")}
    object.__setattr__(watched.node.world, "containers", hostile)
    assert read_cgroups(watched.tree, watched.node.world.containers.values()) == []
    assert watched.tree.reads == 0


def test_repair_applies_what_no_cgroup_confirms_and_nothing_else(watched: Watched) -> None:
    watched.run("G2=a G1=b E=e")
    watched.write(b=NOT_OURS)
    watched.readback.repair()
    assert watched.rounds() == []
    assert watched.updates == [ContainerUpdate("b", watched.node.book["b"])]
    watched.rounds(2)
    assert len(watched.updates) == 1


def test_repair_includes_what_cannot_be_read(watched: Watched) -> None:
    watched.node.run("G2=a E=e")
    assert [one.container_id for one in not_applied(watched.node.world, [])] == ["a", "e"]


def test_repair_leaves_alone_what_is_not_ours(watched: Watched) -> None:
    watched.node.create("B1", "k", given="0-3")
    assert not_applied(watched.node.world, []) == []


def test_the_thread_reads_soon_after_a_wake_and_ends_soon_after_a_stop(watched: Watched) -> None:
    watched.run("E=e")
    read, stop = threading.Event(), threading.Event()

    def tell(fact: CgroupRead) -> Reply:
        read.set()
        return NO_CHANGE

    readback = ReadBack(
        watched.tree, lambda: watched.node.world, tell, lambda updates: {}, period=60, settle=0.01
    )
    thread = threading.Thread(target=readback.run, args=(stop,))
    thread.start()
    readback.wake()
    assert read.wait(5)
    stop.set()
    readback.wake()
    thread.join(5)
    assert not thread.is_alive()


# -- drift is repaired ---------------------------------------------------------------------


def test_what_somebody_else_wrote_is_written_again(repairing: Watched) -> None:
    repairing.run("G2=a E=e")
    repairing.rounds()
    repairing.write(a=Placement(CpuSet.parse("0-7"), repairing.node.book["a"].mems))
    assert repairing.rounds() == ["a"]
    assert repairing.updates == [ContainerUpdate("a", repairing.node.book["a"])]
    repairing.write()
    assert repairing.rounds(3) == ["a"]
    assert len(repairing.updates) == 1
    assert repairing.problems() == {}


def test_a_grant_that_changed_while_it_was_read_is_no_drift(repairing: Watched) -> None:
    """Pods come and go faster than cgroups are read: the shared set changes and changes back."""
    repairing.run("E=e")
    repairing.rounds()
    told = repairing._tell

    def late(fact: CgroupRead) -> Reply:
        repairing.node.run("G2=a")
        repairing.node.stop("a")
        return told(fact)

    repairing.write(e=Placement(CpuSet.parse("0,3-7")))
    repairing._tell = late  # type: ignore[method-assign]
    assert repairing.rounds() == ["e"]
    assert repairing.updates == []
    assert repairing.problems() == {}


def test_what_the_runtime_may_be_about_to_apply_is_no_drift(repairing: Watched) -> None:
    repairing.run("E=e")
    repairing.rounds()
    for _time in range(5):
        repairing.node.run("G2=a")
        repairing.node.stop("a")
        repairing.write(e=Placement(CpuSet.parse("0,3-7")))
        assert repairing.rounds() == []
    assert repairing.updates == []


def test_a_runtime_takes_its_time_for_each_of_many_updates(repairing: Watched) -> None:
    """18 ms each: with 200 who share, the last one is applied seconds after the answer."""
    repairing.run(" ".join(f"E=e{number}" for number in range(200)))
    repairing.rounds()
    repairing.node.run("G2=a")
    repairing.told = []
    for _second in range(6):
        repairing.readback._round()
        repairing.now += 1
    assert repairing.told == []
    assert repairing.updates == []
    repairing.write()
    assert set(repairing.rounds()) == {"a", *(f"e{number}" for number in range(200))}
    assert repairing.updates == []


def test_what_is_granted_otherwise_meanwhile_is_not_repaired(repairing: Watched) -> None:
    repairing.run("E=e")
    repairing.rounds()
    before = repairing.node.world.ledger.grants["e"].placement
    repairing.node.run("G2=a")
    repairing.readback._apply([ContainerUpdate("e", before)])
    assert repairing.updates == []


def test_whoever_goes_on_writing_wins(repairing: Watched) -> None:
    repairing.run("G2=a")
    repairing.rounds()
    repairing.write(a=Placement(CpuSet.parse("0-7"), repairing.node.book["a"].mems))
    repairing.rounds(20)
    assert len(repairing.updates) == 3
    assert repairing.problems() == {"a": ["cpuset.cpus"]}
