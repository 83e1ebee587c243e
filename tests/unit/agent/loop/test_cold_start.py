# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cold start: slow memory first, DRAM too when it is over."""

from __future__ import annotations

import pytest

from fakes.machines import Memory, Shape, sockets
from fakes.node import FakeNode, machine
from fakes.policies import pinning
from homenode.intent.config import HOME_NODE, TOPOLOGY_AWARE
from homenode.loop.cold_start import cold_seconds, warm
from model.cpuset import NO_CPUS

TWO = sockets(2, cores=4)
SLOW = machine(
    Shape(
        cores=TWO.cores,
        packages=TWO.packages,
        caches=TWO.caches,
        nodes={
            0: Memory(TWO.packages[0], 16, (10, 21, 17, 28)),
            1: Memory(TWO.packages[1], 16, (21, 10, 28, 17)),
            2: Memory(NO_CPUS, 64, (17, 28, 10, 28)),
            3: Memory(NO_CPUS, 64, (28, 17, 28, 10)),
        },
    )
)
COLD = {
    "cold-start.resource-policy.nri.io": "duration: 60s",
    "memory-type.resource-policy.nri.io": "dram,pmem",
}


@pytest.fixture
def fake() -> FakeNode:
    node = FakeNode(SLOW, pinning(TOPOLOGY_AWARE))
    node.create("G1:1", "a", annotations=COLD)
    return node


def test_slow_memory_first_and_dram_too_afterwards(fake: FakeNode) -> None:
    assert str(fake.book["a"].mems) in ("2", "3")
    assert cold_seconds(fake.world, "a") == 60
    fake.world, effects = warm(fake.world, "a", 1.5)
    (update,) = effects.reply.updates
    assert update.container_id == "a"
    assert str(update.placement.mems) in ("0,2", "1,3")
    assert fake.world.ledger.grants["a"].placement == update.placement


def test_once_is_enough(fake: FakeNode) -> None:
    fake.world, _effects = warm(fake.world, "a", 1.5)
    world, effects = warm(fake.world, "a", 2.5)
    assert world == fake.world
    assert effects.reply.updates == ()


def test_who_is_gone_or_never_cold_is_left_alone(fake: FakeNode) -> None:
    fake.create("G1:1", "b")
    assert cold_seconds(fake.world, "b") == cold_seconds(fake.world, "stranger") == 0
    for name in ("b", "stranger"):
        assert warm(fake.world, name, 1.5)[1].reply.updates == ()


def test_policies_without_cold_starts_have_none() -> None:
    node = FakeNode(SLOW, pinning(HOME_NODE))
    node.create("G1:1", "a", annotations=COLD)
    assert cold_seconds(node.world, "a") == 0
    assert warm(node.world, "a", 1.5) == (node.world, type(node.effects)())
