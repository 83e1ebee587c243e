# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worked derivations of pinning.md §13, step by step."""

from __future__ import annotations

import pytest

from fakes.described import MIB, Node, best_effort, burstable, guaranteed
from homenode.intent.policy_config import CpuAmount
from homenode.intent.tenant import HintIntent, TenantIntent
from homenode.pinning.policy import Ask, Hint
from model.cpuset import CpuSet, NodeSet
from model.problem import HomenodeProblem

FOUR = CpuAmount(cpus=CpuSet([4]))


def test_d1_burstable_ones_with_cpu_limits_spread_over_the_nodes() -> None:
    node = Node("n4c16")
    asks = [
        burstable(name, 2000, 2002, memory=100 * MIB, memory_limit=200 * MIB) for name in "abcd"
    ]
    assert node.create(*asks) == ["4-7", "8-11", "12-15", "1-3"]
    first, second = node.placed["a"].decision, node.placed["b"].decision
    assert first.candidates[1].lost_by == "has the lower number"
    assert first.candidates[-1].lost_by == "has its memory on fewer nodes"
    lost = {each.name: each.lost_by for each in second.candidates}
    assert lost["NUMA node #1"] == "has the shared CPUs of its limit"


def test_d2_the_smallest_pool_that_fits_and_nothing_is_left_over_for_its_own_sake() -> None:
    node = Node("n4c16")
    assert node.create(guaranteed("five", 5000), guaranteed("seven", 7000)) == ["8-12", "1-7"]
    assert (node.mems("five"), node.mems("seven")) == ("2-3", "0-1")
    assert Node("n4c16").create(guaranteed("nine", 9000)) == ["1,8-15"]


def test_d3_strict_hints() -> None:
    def near(name: str, millis: int, numa_node: int) -> Ask:
        return guaranteed(
            name,
            millis,
            hints=(Hint("test", nodes=NodeSet([numa_node])),),
            intent=TenantIntent(hints=HintIntent(strict=True)),
        )

    node = Node("n4c16")
    assert node.create(near("a", 1000, 2), near("b", 1000, 3), near("c", 1000, 2)) == [
        "8", "12", "9",
    ]  # fmt: skip
    with pytest.raises(HomenodeProblem, match=r"granted exclusive CPUs .*13.* fail strict hint"):
        node.create(near("d", 3000, 2))
    assert set(node.placed) == {"a", "b", "c"}


def test_d4_low_priority() -> None:
    low = TenantIntent(cpu_priority="low")
    node = Node("n4c16-efficiency")
    cpus = node.create(
        guaranteed("a", 1000, intent=low), guaranteed("b", 1000), guaranteed("c", 1000, intent=low)
    )
    assert cpus == ["4", "8", "5"]


def test_d5_reserved_namespaces() -> None:
    node = Node(
        "n4c16",
        available=CpuAmount(cpus=CpuSet.parse("8-11")),
        reserved=CpuAmount(cpus=CpuSet.parse("10-11")),
        reserved_namespaces=("foo*",),
    )
    no, yes = TenantIntent(prefer_reserved=False), TenantIntent(prefer_reserved=True)
    cpus = node.create(
        best_effort("system", namespace="kube-system"),
        best_effort("default"),
        best_effort("foobar", namespace="foobar"),
        best_effort("opted-out", namespace="foobar", intent=no),
        best_effort("opted-in", intent=yes),
    )
    assert cpus == ["10-11", "8-9", "10-11", "8-9", "10-11"]


def test_d6_isolated_cpus() -> None:
    isolated = TenantIntent(isolated=True)
    assert Node("n4c16-isolated").create(guaranteed("a", 1000, intent=isolated)) == ["8"]
    mixed = TenantIntent(isolated=True, prefer_shared=False)
    node = Node("n4c16-isolated", reserved=CpuAmount(cpus=CpuSet([0])))
    assert node.create(guaranteed("a", 2500, intent=mixed)) == ["8-11"]
    assert str(node.placed["a"].exclusive) == "8-9"
    too_many = Node("n4c16-isolated", reserved=CpuAmount(cpus=CpuSet([0])))
    assert too_many.create(guaranteed("a", 3000, intent=isolated)) == ["4-6"]


@pytest.mark.parametrize(
    ("first", "fits", "left"),
    [
        ((), 4, ""),
        ((best_effort("any"),), 3, "3"),
        ((burstable("any", 250, 500),), 3, "3"),
    ],
    ids=["nobody", "one that asks for nothing", "one that asks for 250m"],
)
def test_d7_a_pool_is_sliced_to_nothing_only_where_nobody_shares_it(
    first: tuple[Ask, ...], fits: int, left: str
) -> None:
    node = Node("n4c16", available=CpuAmount(cpus=CpuSet.parse("0-4")), reserved=FOUR)
    node.create(*first)
    if fits < 4:
        node.create(guaranteed("too many", 4000))
        assert not node.placed["too many"].exclusive
        assert "4 CPUs of its own are not free" in node.placed["too many"].decision.reason
        node.delete("too many")
    node.create(guaranteed("own", 1000 * fits))
    assert [node.cpus(each.container_id) for each in first] == [left] * len(first)
    assert str(node.books.supplies[0].sharable) == left


def test_memory_is_told_in_a_unit_that_people_read() -> None:
    node = Node("n4c16")
    node.create(burstable("grows", 500, memory=128 * MIB))
    decision = node.placed["grows"].decision
    place = decision.rules.index("has more memory to grow into")
    told = {one.name: one.values[place] for one in decision.candidates}
    assert (told["root"], told["NUMA node #1"]) == ("8192 MiB", "2048 MiB")
