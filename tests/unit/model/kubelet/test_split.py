# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The split: the shares add up, fit, and come out the same on every run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.kubelet.rendering import reserved_memory as rendered
from model.kubelet.rendering import reserved_memory_flags
from model.kubelet.split import EVEN, FIRST, MIB, PROPORTIONAL, Room, kept, rooms, split
from model.problem import HomenodeProblem

EKS = ["131821728Ki", "132118248Ki"]
TOTAL = 8462 * MIB

SPLITS: dict[str, tuple[int, object, object, dict[int, str]]] = {
    "proportional": (TOTAL, EKS, PROPORTIONAL, {0: "4226Mi", 1: "4236Mi"}),
    "even": (TOTAL, EKS, EVEN, {0: "4231Mi", 1: "4231Mi"}),
    "even over four": (
        TOTAL,
        ["64Gi"] * 4,
        EVEN,
        {0: "2116Mi", 1: "2116Mi", 2: "2115Mi", 3: "2115Mi"},
    ),
    "first": (TOTAL, EKS, FIRST, {0: "8462Mi"}),
    "first overflows": (TOTAL, ["4Gi", "2Gi", "8Gi"], FIRST, {0: "4Gi", 1: "2Gi", 2: "2318Mi"}),
    "first leaves part of a MiB": (3 * MIB, ["2500Ki", "4Mi"], FIRST, {0: "2Mi", 1: "1Mi"}),
    "by node": (2 << 30, EKS, {0: "1Gi", 1: "1Gi"}, {0: "1Gi", 1: "1Gi"}),
    "by node, as JSON has it": (1 << 30, EKS, {"1": 1 << 30, "0": 0}, {1: "1Gi"}),
    "ties go to the lowest": (MIB, ["1Gi", "1Gi"], PROPORTIONAL, {0: "1Mi"}),
    "below a MiB to the lowest": (3435973888, EKS, EVEN, {0: "1718406400", 1: "1638Mi"}),
    "a node without memory": (4 * MIB, [0, "1Gi", "1Gi"], EVEN, {1: "2Mi", 2: "2Mi"}),
    "gaps in the ids": (
        4 * MIB,
        [{"id": 8, "memory_total": "1Gi"}, {"id": 3, "memory_total": "3Gi"}],
        PROPORTIONAL,
        {3: "3Mi", 8: "1Mi"},
    ),
    "nothing": (0, EKS, PROPORTIONAL, {}),
}


@pytest.mark.parametrize(
    ("total", "numa_nodes", "strategy", "wanted"), SPLITS.values(), ids=SPLITS.keys()
)
def test_a_total_is_divided(
    total: int, numa_nodes: object, strategy: object, wanted: dict[int, str]
) -> None:
    shares = split(total, rooms(numa_nodes), strategy)
    assert rendered(shares) == [
        {"numaNode": numa_node, "limits": {"memory": share}} for numa_node, share in wanted.items()
    ]
    flags = [f"reserved-memory={node}:memory={share}" for node, share in wanted.items()]
    assert reserved_memory_flags(rendered(shares)) == flags


HUGE = {
    "id": 0,
    "memory": {"total_bytes": 4 << 30, "hugepages": {"1Gi": {"total": 3, "free": 3}}},
}
REFUSED: dict[str, tuple[int, object, object, str]] = {
    "more than a node has": (3 << 30, ["2Gi", "2Gi"], {0: "3Gi"}, "NUMA node 0"),
    "more than all have": (5 << 30, ["2Gi", "2Gi"], PROPORTIONAL, "NUMA node 0"),
    "more than all have, first": (5 << 30, ["2Gi", "2Gi"], FIRST, "NUMA node 1"),
    "huge pages are not there": (2 << 30, [HUGE], EVEN, r"without its huge pages \(1Gi\)"),
    "a node that is not there": (1 << 30, EKS, {2: "1Gi"}, r"strategy\[2\].*nodes are 0, 1"),
    "a negative share": (0, EKS, {0: "1Gi", 1: "-1Gi"}, r"strategy\[1\]"),
    "a share that is none": (1, EKS, {0: "lots"}, r'strategy\[0\] "lots"'),
    "not the total": (2 << 30, EKS, {0: "1Gi"}, "adds up to 1Gi, not to 2Gi"),
    "an unknown strategy": (1, EKS, "fair", 'strategy "fair"'),
    "a negative total": (-1, EKS, EVEN, "total"),
    "no nodes": (1, [], EVEN, "numa_nodes"),
    "text for nodes": (1, "2", EVEN, "numa_nodes"),
    "no memory": (1, [0, 0], EVEN, "no node has memory"),
    "a node twice": (1, [{"id": 1, "memory_total": 1}] * 2, EVEN, "listed twice"),
    "a node without memory_total": (1, [{"id": 1}], EVEN, r"numa_nodes\[0\].memory_total"),
    "a node without id": (1, [{"id": "a", "memory_total": 1}], EVEN, r"numa_nodes\[0\].id"),
}


@pytest.mark.parametrize(
    ("total", "numa_nodes", "strategy", "words"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_cannot_be_divided_is_refused_by_name(
    total: int, numa_nodes: object, strategy: object, words: str
) -> None:
    with pytest.raises(HomenodeProblem, match=words):
        split(total, rooms(numa_nodes), strategy)


machines = st.lists(st.integers(0, 1 << 40), min_size=1, max_size=16).filter(any)


@given(machines, st.integers(0, 1 << 40), st.sampled_from([PROPORTIONAL, EVEN, FIRST]))
def test_shares_add_up_and_fit_or_the_node_is_named(
    sizes: list[int], total: int, strategy: str
) -> None:
    numa_nodes = rooms(sizes)
    try:
        shares = split(total, numa_nodes, strategy)
    except HomenodeProblem as error:
        assert error.problem.field.startswith("reservedMemory of NUMA node")
        return
    assert sum(shares.values()) == total
    assert all(0 < share <= sizes[numa_node] for numa_node, share in shares.items())
    whole = [share for share in list(shares.values())[1:] if strategy != FIRST]
    assert all(share % MIB == 0 for share in whole)


@given(machines, st.integers(0, 1 << 30))
def test_proportional_is_within_a_mib_of_proportion(sizes: list[int], units: int) -> None:
    numa_nodes = tuple(Room(number, size) for number, size in enumerate(sizes))
    total = units % (sum(sizes) // MIB + 1) * MIB
    try:
        shares = split(total, numa_nodes)
    except HomenodeProblem:
        return
    for room in numa_nodes:
        fair = total * room.memory_total / sum(sizes)
        assert abs(shares.get(room.id, 0) - fair) <= MIB * 1.001


@pytest.mark.parametrize(
    ("earlier", "stays"),
    [
        pytest.param({0: 126, 1: 102}, True, id="near"),
        pytest.param({0: 127, 1: 101}, False, id="too-far"),
        pytest.param({0: 115, 1: 112}, False, id="another-sum"),
        pytest.param({0: 115, 2: 113}, False, id="another-node"),
        pytest.param({0: 228}, False, id="a-node-less"),
        pytest.param({}, False, id="first-time"),
    ],
)
def test_an_earlier_split_stays_while_it_is_near(earlier: dict[int, int], stays: bool) -> None:
    before = {number: size * MIB for number, size in earlier.items()}
    wanted = {0: 115 * MIB, 1: 113 * MIB}
    expected = before if stays else wanted
    assert kept(before, wanted, rooms([1010 * MIB, 990 * MIB])) == expected


def test_an_earlier_split_goes_where_it_does_not_fit() -> None:
    before, wanted = {0: 117 * MIB, 1: 111 * MIB}, {0: 116 * MIB, 1: 112 * MIB}
    assert kept(before, wanted, rooms([116 * MIB, 990 * MIB])) == wanted
