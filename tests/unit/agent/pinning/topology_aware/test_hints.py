# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How near pools are to devices, and CPUs picked by what the kubelet gave: pinning.md §2.7."""

from __future__ import annotations

import pytest

from fakes.described import Node, best_effort, described, guaranteed
from homenode.intent.tenant import HintIntent, TenantIntent
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.policy import POD_RESOURCES, Hint
from homenode.pinning.topology_aware.hints import hint_scores
from homenode.pinning.topology_aware.pools import pool_tree
from model.cpuset import CpuSet, NodeSet


def scores(name: str, *hints: Hint) -> dict[str, tuple[float, float]]:
    machine = described(name)
    tree = pool_tree(machine, MemoryLayout.of(machine))
    return {
        pool.name: found
        for pool, found in zip(tree.pools, hint_scores(machine, tree, hints))
        if found != (0.0, 0.0)
    }


def nodes(*numbers: int) -> Hint:
    return Hint("test", nodes=NodeSet(numbers))


@pytest.mark.parametrize(
    ("name", "hint", "expected"),
    [
        ("n4c16", nodes(2), {"NUMA node #2": 1, "socket #1": 1, "root": 1}),
        (
            "n4c16",
            nodes(0, 1, 2),
            {
                "NUMA node #0": 1 / 3,
                "NUMA node #1": 1 / 3,
                "socket #0": 2 / 3,
                "NUMA node #2": 1 / 3,
                "socket #1": 1 / 3,
                "root": 1,
            },
        ),
        ("n6-hbm-cxl", nodes(4), {"root": 0.9 * 0.9}),
        (
            "n4c16",
            Hint("test", packages=(0,)),
            {"NUMA node #0": 0.5, "NUMA node #1": 0.5, "socket #0": 1, "root": 0.9},
        ),
        (
            "dies-of-2",
            Hint("test", packages=(0,)),
            {
                "NUMA node #0": 0.25,
                "NUMA node #1": 0.25,
                "die #0/0": 0.5,
                "NUMA node #2": 0.25,
                "NUMA node #3": 0.25,
                "die #0/1": 0.5,
                "socket #0": 1,
            },
        ),
        (
            "dies",
            Hint("test", cpus=CpuSet.parse("4-5")),
            {"die #0/1": 1, "socket #0": 1, "root": 1},
        ),
        ("desktop-l3", Hint("test", packages=(0,)), None),
    ],
)
def test_scores(name: str, hint: Hint, expected: dict[str, float] | None) -> None:
    found = {pool: score for pool, (score, _met) in scores(name, hint).items()}
    caches = {f"socket #0/L3 cache #{number}": 0.9 for number in range(4)}
    assert found == (expected or {**caches, "socket #0": 1})


def test_hints_multiply_and_those_that_are_met_count_on_their_own() -> None:
    found = scores("n4c16", nodes(0), nodes(3))
    assert found["NUMA node #0"] == (0.0, 1.0)
    assert found["root"] == (1.0, 1.0)
    assert "NUMA node #1" not in found


def test_who_has_hints_goes_to_the_smallest_pool_that_meets_them() -> None:
    node = Node("n4c16")
    node.create(guaranteed("a", 100, hints=(nodes(0), nodes(3))))
    node.create(guaranteed("b", 100, hints=(nodes(2),)))
    assert [node.placed[name].place for name in "ab"] == ["root", "NUMA node #2"]
    assert node.placed["b"].decision.candidates[1].lost_by.startswith("is smaller")


def test_no_capacity_counts_more_than_hints() -> None:
    node = Node("n4c16")
    node.create(guaranteed("a", 4000, hints=(nodes(0),)))
    assert node.placed["a"].place == "socket #0"


PICK = TenantIntent(hints=HintIntent(pick=True))


def given(*cpus: str, mems: str = "") -> tuple[Hint, ...]:
    return tuple(
        Hint(f"{POD_RESOURCES}{name}", CpuSet.parse(near), NodeSet.parse(mems))
        for name, near in enumerate(cpus)
    )


@pytest.mark.parametrize(
    ("millis", "near", "own"),
    [
        (2000, ("2-3", "12-15"), "2,12"),
        (4000, ("4-7", "8-11"), "4-5,8-9"),
        (3000, ("4-7", "8-11"), "1,4,8"),
        (1000, ("4-7", "8-11"), "1"),
        (2000, ("5", "5"), "4-5"),
    ],
    ids=["one each", "two each", "one each and a third", "more hints than CPUs", "too few near"],
)
def test_own_cpus_are_picked_near_each_hint(millis: int, near: tuple[str, ...], own: str) -> None:
    node = Node("n4c16")
    assert node.create(guaranteed("a", millis, hints=given(*near), intent=PICK)) == [own]


def test_memory_is_picked_where_the_hints_have_what_is_asked_for() -> None:
    node = Node("n4c16")
    node.create(guaranteed("a", 5000, hints=given("8-15", mems="3"), intent=PICK))
    assert (node.placed["a"].place, node.mems("a")) == ("socket #1", "3")
    node.create(best_effort("b", hints=given("8-15", mems="0"), intent=PICK))
    assert node.mems("b") != "0"
