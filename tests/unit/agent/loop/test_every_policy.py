# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds after any sequence of events, whatever the policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from fakes.policies import pinning
from homenode.intent.config import BALLOONS, POLICIES, TOPOLOGY_AWARE
from model.cpuset import CpuSet
from model.workload import NOT_OURS, Resources

MACHINES = (
    machine(sockets(2, cores=4)),
    machine(sockets(2, nodes=2, cores=2, threads=2)),
    machine(replace(sockets(2, cores=4), isolated=CpuSet.parse("2-3"))),
)
KINDS = ("G1", "G2:1", "G0.5", "G1.5", "B0.5:2", "B2", "E")
SUFFIX = ".resource-policy.nri.io"
ANNOTATIONS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"prefer-shared-cpus" + SUFFIX: "true"},
    {"cpu.preserve" + SUFFIX: "true"},
    {"memory.preserve" + SUFFIX: "true"},
    {"prefer-isolated-cpus" + SUFFIX: "true"},
    {"hide-hyperthreads" + SUFFIX: "true"},
    {"balloon.balloons" + SUFFIX: "default"},
)

created = st.tuples(st.just("create"), st.sampled_from(KINDS), st.sampled_from(ANNOTATIONS))
ended = st.tuples(st.sampled_from(("stop", "remove pod", "resize")), st.integers(0, 9), st.none())
again = st.tuples(st.just("restart"), st.just(0), st.none())
Operation = tuple[str, object, object]
OPERATIONS = st.lists(st.one_of(created, created, ended, again), max_size=20)
POLICY = st.sampled_from(POLICIES)
MACHINE = st.sampled_from(MACHINES)


def perform(fake: FakeNode, operation: Operation, number: int) -> None:
    """One operation, on the container that it picks among those there are."""
    what, one, other = operation
    running = sorted(fake.world.containers)
    if what == "create":
        fake.create(str(one), f"c{number}", annotations=other)  # type: ignore[arg-type]
    elif what == "restart":
        fake.restart()
    elif running and isinstance(one, int):
        name = running[one % len(running)]
        if what == "resize":
            fake.update(name, Resources(shares=1536))
        else:
            (fake.stop if what == "stop" else fake.remove_pod)(name)


def check(fake: FakeNode) -> None:
    """What must hold at any moment."""
    world = fake.world
    grants = world.ledger.grants
    assert set(grants) == set(world.containers)
    owned = [grant.exclusive for grant in grants.values()]
    assert sum(map(len, owned)) == len(world.ledger.exclusive()), "two owners of one CPU"
    for key, grant in grants.items():
        cpus, mems = grant.placement.cpus, grant.placement.mems
        assert cpus is None or (cpus and cpus <= world.machine.online), "an empty set"
        if cpus is not None:
            others = world.ledger.exclusive() - grant.exclusive
            assert not cpus & others, "on CPUs that are somebody's own"
        held = fake.book.get(key, NOT_OURS)
        assert cpus in (None, held.cpus), "the runtime was not told what the ledger says"
        assert mems in (None, held.mems), "the runtime was not told what the ledger says"


@settings(max_examples=80, deadline=None)
@given(POLICY, MACHINE, OPERATIONS)
def test_whatever_happens(policy: str, on: object, operations: list[Operation]) -> None:
    fake = FakeNode(on, pinning(policy))  # type: ignore[arg-type]
    empty = fake.world.places()
    for number, operation in enumerate(operations):
        perform(fake, operation, number)
        check(fake)
    for name in list(fake.world.containers):
        fake.stop(name)
        check(fake)
    assert fake.world.ledger.grants == {}
    assert fake.world.places() == empty, "created and ended is as never created"


@settings(max_examples=80, deadline=None)
@given(POLICY, MACHINE, OPERATIONS, st.booleans(), st.booleans())
def test_a_restart_moves_nothing(
    policy: str, on: object, operations: list[Operation], ledger: bool, cgroups: bool
) -> None:
    fake = FakeNode(on, pinning(policy))  # type: ignore[arg-type]
    for number, operation in enumerate(operations):
        perform(fake, operation, number)
    before, places = fake.shown(), fake.world.places()
    effects = fake.restart(ledger=ledger, cgroups=cgroups)
    assert fake.shown() == before
    assert effects.reply.updates == ()
    if ledger:
        assert fake.world.places() == places, "capacity is accounted for as before"


@settings(max_examples=40, deadline=None)
@given(POLICY, MACHINE, OPERATIONS, st.sampled_from(KINDS))
def test_the_next_decision_is_that_of_an_agent_that_never_restarted(
    policy: str, on: object, operations: list[Operation], kind: str
) -> None:
    nodes = [FakeNode(on, pinning(policy)) for _time in range(2)]  # type: ignore[arg-type]
    for fake in nodes:
        for number, operation in enumerate(operations):
            perform(fake, operation, number)
    nodes[0].restart()
    shown = []
    for fake in nodes:
        fake.create(kind, "next")
        shown.append(fake.shown())
    assert shown[0] == shown[1]


@pytest.mark.parametrize("policy", [TOPOLOGY_AWARE, BALLOONS])
def test_created_and_ended_is_as_never_created(policy: str) -> None:
    fake = FakeNode(MACHINES[0], pinning(policy))
    before = fake.run("G2=a B1=b E=e")
    for kind in KINDS:
        fake.create(kind, "x")
        fake.stop("x")
        assert fake.shown() == before
