# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds after any sequence of events on any of these machines."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.intent.config import PinningConfig
from homenode.intent.nri_plugins import PREFER_SHARED, PRESERVE_CPU, PRESERVE_MEMORY
from homenode.world.decision import SHARED
from model.cpuset import CpuSet
from model.workload import NOT_OURS, Resources

SHAPES = (
    sockets(2, cores=4),
    sockets(2, cores=2, threads=2),
    sockets(1, cores=3),
    sockets(2, nodes=2, cores=2),
    replace(sockets(2, cores=3), isolated=CpuSet.parse("2"), offline=CpuSet.parse("4")),
)
MACHINES = tuple(machine(shape) for shape in SHAPES)
CONFIGS = (
    PinningConfig(),
    PinningConfig(reserved_cpus=CpuSet.parse("0")),
    PinningConfig(reserved_cpus=CpuSet.parse("0-1"), available_cpus=CpuSet.parse("0-4")),
    PinningConfig(pin_memory=False),
    PinningConfig(pin_cpu=False),
)
KINDS = ("G1", "G2", "G3:1", "G4:12", "G0.5", "G1:99", "B1", "B4", "E")
ANNOTATIONS: tuple[dict[str, str], ...] = (
    {},
    {},
    {},
    {PREFER_SHARED: "true"},
    {PRESERVE_CPU: "true"},
    {PRESERVE_MEMORY: "1"},
)

created = st.tuples(st.just("create"), st.sampled_from(KINDS), st.sampled_from(ANNOTATIONS))
chosen = st.tuples(st.just("kubelet"), st.sampled_from(KINDS), st.sets(st.integers(0, 5)))
ended = st.tuples(
    st.sampled_from(("stop", "remove", "remove pod", "resize")), st.integers(0, 9), st.none()
)
restarted = st.tuples(st.just("restart"), st.booleans(), st.booleans())
Operation = tuple[str, object, object]
nodes = st.builds(FakeNode, st.sampled_from(MACHINES), st.sampled_from(CONFIGS))
with_kubelet = st.lists(st.one_of(created, created, chosen, ended, restarted), max_size=24)
without_kubelet = st.lists(st.one_of(created, created, ended), max_size=16)


def perform(fake: FakeNode, operation: Operation, number: int) -> None:
    """One operation of a sequence, on the container that it picks among those there are."""
    what, one, other = operation
    running = sorted(fake.world.containers)
    if what == "create":
        fake.create(str(one), f"c{number}", annotations=other, start=number % 3 > 0)  # type: ignore[arg-type]
    elif what == "kubelet":
        cpus = str(CpuSet(other) & fake.world.machine.online)  # type: ignore[arg-type]
        fake.create(str(one), f"c{number}", given=cpus)
    elif what == "restart":
        fake.restart(cgroups=bool(other))
    elif running and isinstance(one, int):
        name = running[one % len(running)]
        if what == "resize":
            fake.update(name, Resources(shares=2048))
        elif what == "remove pod":
            fake.remove_pod(name)
        else:
            (fake.stop if what == "stop" else fake.remove)(name)


def check(fake: FakeNode) -> None:
    """What must hold at any moment."""
    world = fake.world
    grants = world.ledger.grants.values()
    owned = [grant.exclusive for grant in grants]
    assert sum(map(len, owned)) == len(world.ledger.exclusive()), "two owners of one CPU"
    shared = world.shared_cpus()
    assert shared, "nobody could run"
    assert shared <= world.machine.online
    with_memory = {one.id for one in world.machine.nodes if one.memory_total_bytes}
    for grant in grants:
        cpus, mems = grant.placement.cpus, grant.placement.mems
        if grant.decision.outcome == SHARED and cpus is not None:
            assert cpus == shared, "a sharing container has another set than the others"
            assert not cpus & world.ledger.exclusive(), "a sharing container on owned CPUs"
        assert cpus is None or (cpus and cpus <= world.machine.online)
        assert mems is None or (mems and set(mems) <= with_memory)
        held = fake.book.get(grant.container_id, NOT_OURS)
        assert cpus in (None, held.cpus), "the runtime was not told what the ledger says"
        assert mems in (None, held.mems)
    assert set(world.ledger.grants) <= set(world.containers)


@settings(max_examples=300, deadline=None)
@given(nodes, with_kubelet)
def test_whatever_happens(fake: FakeNode, operations: list[Operation]) -> None:
    for number, operation in enumerate(operations):
        perform(fake, operation, number)
        check(fake)
    for name in list(fake.world.containers):
        fake.stop(name)
        check(fake)
    assert fake.world.ledger.grants == {}
    assert fake.world.shared_cpus() == fake.world.policy.allowed_cpus


@settings(max_examples=300, deadline=None)
@given(nodes, without_kubelet, st.booleans(), st.booleans())
def test_a_restart_moves_nothing(
    fake: FakeNode, operations: list[Operation], ledger: bool, cgroups: bool
) -> None:
    # Without a ledger, whose memory fitted nowhere looks like who was never placed, where only
    # memory is pinned.
    assume(ledger or fake.world.pinning != PinningConfig(pin_cpu=False))
    for number, operation in enumerate(operations):
        perform(fake, operation, number)
    before = fake.shown()
    effects = fake.restart(ledger=ledger, cgroups=cgroups)
    assert effects.reply.updates == ()
    assert fake.shown() == before
    check(fake)


@settings(max_examples=100, deadline=None)
@given(nodes, with_kubelet)
def test_the_same_events_give_the_same_world(fake: FakeNode, operations: list[Operation]) -> None:
    """A replayed bug report must end where the node ended."""
    again = FakeNode(fake.world.machine, fake.world.pinning)
    for number, operation in enumerate(operations):
        perform(fake, operation, number)
        perform(again, operation, number)
    assert fake.world == again.world
