# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world, the ledger, and the merging of facts."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, container, machine, pod
from homenode.world.decision import EXCLUSIVE, Decision
from homenode.world.ledger import EMPTY_LEDGER, Grant
from homenode.world.merge import merge
from homenode.world.placed import Placed
from homenode.world.world import World
from model.cpuset import CpuSet
from model.events import (
    CgroupRead,
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdating,
    PodRemoved,
    PodStarted,
    Synchronized,
)
from model.problem import Problem
from model.workload import NOTHING_GIVEN, Near, Placement, Resources

SHAPE = sockets(2, cores=4)
TWO = machine(SHAPE)
OTHERS = Placement(CpuSet.parse("0-3"))


def grant(name: str, cpus: str) -> Grant:
    owned = CpuSet.parse(cpus)
    decision = Decision(EXCLUSIVE, "for the test")
    return Grant(name, "pod", name, Placed(Placement(owned), decision, exclusive=owned))


def test_a_ledger_is_a_value() -> None:
    one = EMPTY_LEDGER.with_grants([grant("a", "1"), grant("b", "2-3")])
    other = one.without(["a", "stranger"])
    assert (EMPTY_LEDGER.version, one.version, other.version) == (0, 1, 2)
    assert str(one.exclusive()) == "1-3"
    assert str(other.exclusive()) == "2-3"
    assert other.get("a") is None
    with pytest.raises(FrozenInstanceError):
        one.version = 7  # type: ignore[misc]


def test_a_strangers_pod_has_a_name_too() -> None:
    assert World(TWO).full_name(container("c", "E", pod("p", "E"))) == "?/?/c"


def known() -> World:
    """A world with one pod "p" and its container "c", created."""
    made = pod("p", "B")
    return merge(World(TWO), ContainerCreating(made, container("c", "B1", made)))


def test_a_container_that_starts_runs() -> None:
    assert merge(known(), ContainerStarted("c")).containers["c"].state == "running"


@pytest.mark.parametrize(
    "event", [ContainerStopped("c"), ContainerRemoved("c"), PodRemoved("pod-p")]
)
def test_a_container_that_ends_takes_its_facts_along(event: ContainerStopped) -> None:
    world = replace(known(), problems={"c": (Problem("f", "v", "w", "r"),)})
    world = merge(merge(world, CgroupRead("c", OTHERS)), event)
    assert (world.containers, world.observed, world.problems) == ({}, {}, {})


@pytest.mark.parametrize(
    "event",
    [
        ContainerStarted("x"),
        ContainerStopped("x"),
        ContainerRemoved("x"),
        PodRemoved("x"),
        CgroupRead("x", OTHERS),
    ],
)
def test_a_fact_about_a_stranger_changes_nothing(event: ContainerStarted) -> None:
    assert merge(known(), event) == known()


def test_an_update_tells_of_a_container_that_was_missed() -> None:
    made = pod("q", "E")
    world = merge(known(), ContainerUpdating(made, container("d", "E", made), NOTHING_GIVEN))
    assert set(world.containers) == {"c", "d"}
    assert set(world.pods) == {"pod-p", "pod-q"}


def test_an_update_keeps_what_it_does_not_tell() -> None:
    world = known()
    near = (Near("devices", ("/sys/x",), CpuSet([1])),)
    told = replace(world.containers["c"], near=near)
    world = replace(world, containers={"c": told})
    event = ContainerUpdating(
        world.pods["pod-p"], container("c", "B1", world.pods["pod-p"]), Resources(shares=7)
    )
    after = merge(world, event).containers["c"]
    assert (after.near, after.created_at) == (near, told.created_at)
    assert after.resources == replace(told.resources, shares=7)


def test_synchronizing_forgets_what_the_runtime_does_not_tell() -> None:
    made = pod("q", "E")
    world = replace(known(), problems={"c": (Problem("f", "v", "w", "r"),)})
    facts = Synchronized((made,), (container("d", "E", made),), {"d": OTHERS})
    world = merge(world, facts)
    assert (set(world.pods), set(world.containers)) == ({"pod-q"}, {"d"})
    assert (world.observed, world.problems) == ({"d": OTHERS}, {})


def test_merging_leaves_the_ledger_alone() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a")
    after = merge(fake.world, ContainerStopped("a"))
    assert after.ledger is fake.world.ledger
    assert merge(after, PodStarted(pod("z", "E"))).ledger is fake.world.ledger
