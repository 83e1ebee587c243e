# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan is a question; a move of it takes effect for everybody at once, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.loop.rebalance import make_move, plan_moves
from model.cpuset import CpuSet, NodeSet
from model.workload import Placement

TWO = machine(sockets(2, cores=4))


@pytest.fixture
def fake() -> FakeNode:
    """Two own six of eight CPUs; a third asked for three and shares; then the first ends."""
    made = FakeNode(TWO)
    made.run("G3=a G3=b G3=late E=rest -a")
    return made


def test_a_plan_changes_nothing(fake: FakeNode) -> None:
    before = fake.world
    (move,) = plan_moves(fake.world, {"late": {0: 5, 1: 7}})
    assert (move.name, str(move.after.placement.cpus)) == ("default/late/late", "1-3")
    assert fake.world == before


def test_a_move_is_told_with_what_it_takes_from_others(fake: FakeNode) -> None:
    world, effects = make_move(fake.world, "late", 0.0)
    told = {update.container_id: update.placement for update in effects.reply.updates}
    assert told == {
        "late": Placement(CpuSet.parse("1-3"), NodeSet([0])),
        "rest": Placement(CpuSet.parse("0,7")),
    }
    assert "rebalanced" in [record.kind for record in effects.records]
    assert plan_moves(world, {}) == ()


def test_who_is_gone_is_not_moved(fake: FakeNode) -> None:
    world, effects = make_move(fake.world, "a", 0.0)
    assert (world, effects.reply.updates) == (fake.world, ())


def test_without_a_policy_there_is_no_plan(fake: FakeNode) -> None:
    assert plan_moves(replace(fake.world, policy=None), {}) == ()
