# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs is taken over as it is: restarts without memory, drift, other configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

import pytest

from fakes.described import Node, best_effort, burstable, config, guaranteed
from homenode.intent.policy_config import CpuAmount
from homenode.pinning.policy import Adoption, Ask, Held
from homenode.pinning.topology_aware.policy import TopologyAware
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement

OWN, SOME = guaranteed("own", 2000), burstable("some", 100, 200)


def started() -> Node:
    """Two CPUs of every NUMA node are owned, 4-5 by "own"; "some" shares 6-7."""
    node = Node("n4c16")
    node.create(OWN, *(guaranteed(name, 2000) for name in "abc"), SOME)
    assert (node.cpus("own"), node.cpus("some")) == ("4-5", "6-7")
    return node


def held(node: Node, **live: Placement) -> list[Held]:
    """What runs, with its live placement replaced where *live* names one."""
    return [
        Held(node.books.grants[key].ask, live.get(key, placed.placement), placed)
        for key, placed in node.placed.items()
    ]


def adopt(
    node: Node,
    running: list[Held],
    memory: Optional[Mapping[str, Any]] = None,
    **values: Any,
) -> Adoption:
    given = config(**values) if values else node.policy.setting.config
    return TopologyAware(node.policy.setting.machine, given).adopt(running, memory)


def cpus(text: str, mems: str = "1") -> Placement:
    return Placement(CpuSet.parse(text), NodeSet.parse(mems))


@pytest.mark.parametrize(
    ("memory", "field"),
    [
        ({"policy": "topology-aware", "version": 0}, "version"),
        ({"policy": "topology-aware", "version": 1, "grants": []}, "grants"),
        (
            {"policy": "topology-aware", "version": 1, "grants": {"own": {"kind": "x"}}},
            "grants.own.kind",
        ),
        (
            {"policy": "topology-aware", "version": 1, "grants": {"own": {"kind": "normal"}}},
            "grants.own.pool",
        ),
    ],
)
def test_memory_that_makes_no_sense_is_told_and_not_believed(
    memory: dict[str, Any], field: str
) -> None:
    node = started()
    found = adopt(node, held(node), memory)
    assert [problem.field for problem in found.problems] == [field]
    assert found.books.supplies == node.books.supplies


def test_what_another_policy_remembers_is_nothing() -> None:
    node = started()
    found = adopt(node, held(node), {"policy": "balloons", "version": 9})
    assert (found.problems, found.changed, found.newcomers) == ((), {}, ())


def test_without_anything_remembered_the_live_sets_tell() -> None:
    node = started()
    strangers = [replace(one, before=None) for one in held(node)]
    found = adopt(node, strangers)
    assert found.books.supplies == node.books.supplies
    assert {key: placed.exclusive for key, placed in found.placed.items()} == {
        key: placed.exclusive for key, placed in node.placed.items()
    }


def test_two_that_hold_the_same_cpus_own_none_of_them() -> None:
    node = Node("n4c16")
    twins = [Held(guaranteed(name, 2000), cpus("4-5")) for name in ("one", "other")]
    found = adopt(node, twins)
    assert [len(placed.exclusive) for placed in found.placed.values()] == [0, 0]
    assert found.books.allocatable[1] == 0


def test_who_was_never_placed_is_a_newcomer_the_large_owners_first() -> None:
    node = Node("n4c16")
    new = [best_effort("b"), guaranteed("g", 1000), guaranteed("large", 3000), burstable("u", 10)]
    found = adopt(node, [Held(ask, NOT_OURS) for ask in new])
    assert found.newcomers == ("large", "g", "b", "u")
    assert found.placed == {}


def test_who_stopped_meanwhile_leaves_room_and_who_shares_grows_with_the_next_event() -> None:
    node = started()
    memory = node.policy.remember(node.books)
    running = [one for one in held(node) if one.ask.container_id != "own"]
    found = adopt(node, running, memory)
    assert found.changed == {}
    assert found.placed["some"] == node.placed["some"]
    outcome = node.policy.place(found.books, guaranteed("next", 100, namespace="kube-system"))
    assert str(outcome.changed["some"].placement.cpus) == "4-7"


def test_a_set_that_takes_from_an_owner_is_put_right_at_once() -> None:
    node = started()
    found = adopt(node, held(node, some=cpus("4-7")), node.policy.remember(node.books))
    assert found.placed["some"].placement.cpus == CpuSet.parse("4-7")
    assert not (found.changed["some"].placement.cpus or CpuSet()) & CpuSet.parse("4-5")
    assert set(found.changed) == {"some"}


def test_an_owner_whose_set_was_changed_is_what_it_is_now() -> None:
    node = started()
    swapped = held(node, own=cpus("6-7"), some=cpus("4-5"))
    found = adopt(node, swapped, node.policy.remember(node.books))
    assert str(found.placed["own"].exclusive) == "6-7"
    assert (found.placed["own"].placement, found.changed) == (cpus("6-7"), {})


def test_who_lost_its_set_is_placed_again() -> None:
    node = started()
    found = adopt(node, held(node, own=NOT_OURS), node.policy.remember(node.books))
    assert found.newcomers == ("own",)


def test_another_configuration_disturbs_only_those_it_concerns() -> None:
    node = started()
    memory = node.policy.remember(node.books)
    found = adopt(node, held(node), memory, reserved=CpuAmount(cpus=CpuSet.parse("0,4")))
    assert (found.newcomers, set(found.changed)) == (("own",), {"some"})
    wider = adopt(node, held(node), memory, reserved=CpuAmount(cpus=CpuSet.parse("1")))
    assert (wider.newcomers, wider.changed) == ((), {})


def test_under_another_configuration_sets_are_put_right_at_once() -> None:
    node = Node("n4c16", available=CpuAmount(cpus=CpuSet.parse("0,8-11")))
    node.create(best_effort("any"))
    memory = node.policy.remember(node.books)
    found = adopt(node, held(node), memory, available=CpuAmount(cpus=CpuSet.parse("0,8-10")))
    assert str(found.changed["any"].placement.cpus) == "8-10"
    gone = adopt(node, held(node), memory, available=CpuAmount(cpus=CpuSet.parse("0-7")))
    assert gone.newcomers == ("any",)


def test_the_next_decision_is_that_of_an_agent_that_never_stopped() -> None:
    node = started()
    found = adopt(node, held(node), node.policy.remember(node.books))
    ask: Ask = guaranteed("next", 2500)
    assert node.policy.place(found.books, ask) == node.policy.place(node.books, ask)


@pytest.mark.parametrize("remembers", [True, False])
def test_a_pool_that_never_had_cpus_to_share_is_a_place_to_stay(remembers: bool) -> None:
    node = Node("c4pmem4")
    node.create(*(guaranteed(name, 1000) for name in "abc"), best_effort("any"))
    assert node.books.grants["any"].pool_id == 0
    found = adopt(node, held(node), node.policy.remember(node.books) if remembers else None)
    assert (found.changed, found.newcomers, found.placed) == ({}, (), node.placed)
