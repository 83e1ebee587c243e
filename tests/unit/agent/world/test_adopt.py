# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restart moves nothing, whatever it remembers and whatever it can see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.intent.config import PinningConfig
from homenode.intent.nri_plugins import PREFER_SHARED, PRESERVE_CPU
from homenode.world.adopt import home_of
from homenode.world.decision import EXCLUSIVE, KUBELET, PRESERVED, SHARED
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.workload import Placement

TWO = machine(sockets(2, cores=4))
SEEN = {
    "with ledger and cgroups": (True, True),
    "with the ledger alone": (True, False),
    "with the cgroups alone": (False, True),
    "with the runtime's word alone": (False, False),
}
NODES = {
    "own and shared": "G2=a G3=b B1=c E=d",
    "a node of its own": "G4=a E=c",
    "one that found no room": "G4=a G3=b G1=late",
    "one that found no room, and looks like an owner": "G4=a G4=late",
    "two that found no room": "G4=a G3=b G1=late G1=later",
    "nobody with own CPUs": "B1=a E=b G0.5=c",
    "nobody at all": "",
    "memory that fits nowhere": "G2:99=a E=b",
}


@pytest.mark.parametrize("script", NODES.values(), ids=NODES)
@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_nothing_moves(script: str, seen: tuple[bool, bool]) -> None:
    fake = FakeNode(TWO)
    before = fake.run(script)
    exclusive, shared = fake.world.ledger.exclusive(), fake.world.shared_cpus()
    effects = fake.restart(ledger=seen[0], cgroups=seen[1])
    assert effects.reply.updates == ()
    assert fake.shown() == before
    assert (fake.world.ledger.exclusive(), fake.world.shared_cpus()) == (exclusive, shared)


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_nothing_moves_where_only_memory_is_pinned(seen: tuple[bool, bool]) -> None:
    fake = FakeNode(TWO, PinningConfig(pin_cpu=False))
    assert fake.run("G2:4=a G2:4=b E=c") == "a=/0 b=/1 c="
    fake.stop("a")
    fake.restart(ledger=seen[0], cgroups=seen[1])
    assert fake.shown() == "b=/1 c="
    assert fake.world.ledger.grants["b"].decision.home == 1


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_who_prefers_to_share_is_no_owner_afterwards(seen: tuple[bool, bool]) -> None:
    fake = FakeNode(TWO)
    fake.run("G4=a G2=b")
    fake.create("G2", "c", annotations={PREFER_SHARED: "true"})
    assert fake.shown() == "a=0-3/0 b=4-5/1 c=6-7"
    fake.restart(ledger=seen[0], cgroups=seen[1])
    assert fake.moved == []
    assert fake.world.ledger.grants["c"].decision.outcome == SHARED


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_who_asked_to_be_left_alone_is_left_alone(seen: tuple[bool, bool]) -> None:
    fake = FakeNode(TWO)
    fake.create("G2", "p", annotations={PRESERVE_CPU: "true"})
    fake.restart(ledger=seen[0], cgroups=seen[1])
    assert fake.world.ledger.grants["p"].decision.outcome == PRESERVED
    assert fake.shown() == "p="


def test_the_kubelets_container_stays_the_kubelets() -> None:
    fake = FakeNode(TWO)
    fake.create("G2", "k", given="4-5")
    fake.restart()
    assert fake.world.ledger.grants["k"].decision.outcome == KUBELET
    assert fake.shown() == "k=4-5/1"


def test_the_kubelet_chose_anew_while_the_agent_was_away() -> None:
    fake = FakeNode(TWO)
    fake.create("E", "e")
    fake.create("G2", "k", given="4-5")
    fake.book["k"] = Placement(CpuSet.parse("6-7"), fake.book["k"].mems)
    fake.restart()
    assert fake.shown() == "e=0-5 k=6-7/1"


def while_away(fake: FakeNode, *created: tuple[str, str]) -> None:
    """Containers that were created without the agent: nobody gave them a cpuset."""
    other = FakeNode(TWO, None)
    for kind, name in created:
        other.create(kind, name)
    fake.world = replace(
        fake.world,
        pods={**fake.world.pods, **other.world.pods},
        containers={**fake.world.containers, **other.world.containers},
    )
    fake.book.update(other.book)


def test_what_was_created_while_the_agent_was_away_is_placed_owners_first() -> None:
    """peers.md §2 b: such pods stay unpinned only until the agent is back."""
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    while_away(fake, ("E", "new"), ("G3", "late"))
    effects = fake.restart()
    assert fake.shown() == "a=1-2/0 e=0,3,7 late=4-6/1 new=0,3,7"
    assert sorted(fake.moved) == ["e", "late", "new"], "the owner of before did not move"
    kinds = {(record.kind, record.name) for record in effects.records}
    assert ("adopted", "default/late/late") in kinds


def test_what_ended_while_the_agent_was_away_is_given_back() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a G2=b E=e")
    containers = {key: one for key, one in fake.world.containers.items() if key != "a"}
    fake.world = replace(fake.world, containers=containers)
    del fake.book["a"]
    fake.restart()
    assert fake.shown() == "b=4-5/1 e=0-3,6-7"
    assert "a" not in fake.world.ledger.grants


def test_a_stopped_container_holds_nothing() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    stopped = replace(fake.world.containers["a"], state="stopped")
    fake.world = replace(fake.world, containers={**fake.world.containers, "a": stopped})
    fake.restart()
    assert fake.shown() == "a=1-2/0 e=0-7"
    assert fake.world.ledger.exclusive() == NO_CPUS


@pytest.mark.parametrize("ledger", [True, False], ids=["remembered", "forgotten"])
def test_two_claims_on_one_cpu_leave_one_owner(ledger: bool) -> None:
    """Somebody wrote b's cgroup by hand onto a's CPUs: one keeps them, the other shares."""
    fake = FakeNode(TWO)
    fake.run("G2=a G2=b E=e")
    fake.book["b"] = Placement(CpuSet.parse("2-3"), fake.book["b"].mems)
    fake.restart(ledger=ledger)
    assert fake.shown() == "a=1-2/0 b=0,3-7/1 e=0,3-7"
    assert sorted(fake.moved) == ["b", "e"]
    assert str(fake.world.ledger.exclusive()) == "1-2"


def test_the_remembered_owner_wins_whoever_is_told_first() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a")
    while_away(fake, ("G2", "0-thief"))
    fake.book["0-thief"] = fake.book["a"]
    containers = dict(sorted(fake.world.containers.items()))
    fake.world = replace(fake.world, containers=containers)
    fake.restart()
    assert fake.world.ledger.grants["a"].decision.outcome == EXCLUSIVE
    assert fake.world.ledger.grants["0-thief"].decision.outcome == SHARED


def test_a_cgroup_that_differs_from_the_ledger_is_believed() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    fake.book["a"] = Placement(CpuSet.parse("6-7"), fake.book["a"].mems)
    fake.restart()
    assert fake.shown() == "a=6-7/0 e=0-5"


def test_a_runtime_that_differs_from_the_ledger_is_believed() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    fake.book["a"] = Placement(CpuSet.parse("6-7"), fake.book["a"].mems)
    fake.restart(cgroups=False)
    assert fake.shown() == "a=6-7/0 e=0-5"


def test_the_kubelet_chose_owned_cpus_while_the_agent_was_away() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    fake.create("G2", "k", given="4-5")
    fake.book["k"] = Placement(CpuSet.parse("2-3"), fake.book["k"].mems)
    fake.restart()
    assert fake.shown() == "a=1-2/0 e=0,4-7 k=2-3/1"
    assert fake.world.ledger.grants["k"].decision.outcome == KUBELET
    assert str(fake.world.ledger.grants["k"].exclusive) == "3"


def test_where_nothing_can_be_read_silence_is_no_contradiction() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    ledger = fake.world.ledger
    fake.book = {name: Placement() for name in fake.book}
    fake.restart(cgroups=False)
    assert fake.world.ledger.grants == ledger.grants


def test_what_an_undo_has_widened_is_placed_again() -> None:
    """The kernel takes no empty cpuset of what runs, so an undo gives it the whole machine."""
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    wide = Placement(TWO.online, NodeSet.parse("0-1"))
    fake.book = dict.fromkeys(fake.book, wide)
    fake.restart(ledger=False)
    assert fake.shown() == "a=1-2/0 e=0,3-7/0-1"


def test_an_empty_cgroup_contradicts_the_ledger() -> None:
    """A runtime that lost an answer: what was never applied is applied now."""
    fake = FakeNode(TWO)
    fake.run("G2=a")
    fake.book["a"] = Placement()
    fake.restart()
    assert fake.moved == ["a"]
    assert fake.shown() == "a=1-2/0"


HOMES = {"": None, "1": 0, "4-5": 1, "0-1,4": 0, "3-4": 0, "3-5": 1, "99": None}


@pytest.mark.parametrize("cpus", HOMES)
def test_the_home_has_most_of_the_cpus(cpus: str) -> None:
    assert home_of(TWO, CpuSet.parse(cpus)) == HOMES[cpus]
