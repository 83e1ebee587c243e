# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs to reserve: whole cores, in the kubelet's order, never where they would disturb."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.hand_made import MACHINES
from host_files import open_host
from model.cpuset import CpuSet
from model.facts import machine_facts
from model.kubelet.reserved_cpus import PACKED, SPREAD, cores, reserve
from model.problem import HomenodeProblem
from model.sysfs import read_machine


def topology(*nodes: str, siblings: list[str] | None = None, **cpus: str) -> dict[str, Any]:
    told = {**cpus, **({} if siblings is None else {"siblings": siblings})}
    return {"nodes": [{"id": n, "cpus": c} for n, c in enumerate(nodes)], "cpus": told}


HT = [f"{cpu},{cpu + 4}" for cpu in range(4)]
ONE = topology("0-7", siblings=HT)
TWO = topology("0-1,4-5", "2-3,6-7", siblings=HT)

CHOSEN: dict[str, tuple[object, int, str, str]] = {
    "as the kubelet: 8 CPUs, 2 threads": (ONE, 2, PACKED, "0,4"),
    "packed": (TWO, 4, PACKED, "0-1,4-5"),
    "packed, over the edge of a node": (TWO, 6, PACKED, "0-2,4-6"),
    "spread": (TWO, 4, SPREAD, "0,2,4,6"),
    "spread, a core is still whole": (TWO, 2, SPREAD, "0,4"),
    "spread, nodes of unequal size": (["0", "1-4"], 4, SPREAD, "0-3"),
    "not isolated ones": (topology("0-3", "4-7", isolated="0-1,4"), 3, SPREAD, "2-3,5"),
    "no core beside an isolated one": (
        topology("0-7", siblings=HT, isolated="0,5"),
        2,
        PACKED,
        "2,6",
    ),
    "not offline ones": (topology("0-7", online="1-7"), 1, PACKED, "1"),
    "a node without CPUs": (["", "0-3"], 1, PACKED, "0"),
    "all there are": (ONE, 8, PACKED, "0-7"),
    "a list of maps": ([{"id": 1, "cpus": "0-3"}, {"id": 0, "cpus": "4-7"}], 1, PACKED, "4"),
    "numbers": ([[0, 1], [2, 3]], 2, SPREAD, "0,2"),
}


@pytest.mark.parametrize(
    ("machine", "count", "placement", "wanted"), CHOSEN.values(), ids=CHOSEN.keys()
)
def test_whole_cores_are_chosen(machine: object, count: int, placement: str, wanted: str) -> None:
    assert str(reserve(machine, count, placement)) == wanted


@pytest.mark.parametrize(
    ("machine", "count", "wanted"),
    [(TWO, 3, "0-1,4"), (topology("0-7", siblings=HT, isolated="0,5"), 6, "1-4,6-7")],
    ids=["the last core is divided", "cores beside isolated CPUs come last"],
)
def test_cores_may_be_divided(machine: object, count: int, wanted: str) -> None:
    assert str(reserve(machine, count, PACKED, whole_cores=False)) == wanted


RECORDED = {
    "lab-2n": (2, "0-1", "0,2"),
    "lab-ht": (4, "0-3", "0-1,4-5"),
    "8n": (4, "0-1,32-33", "0,4,32,36"),
    "cxl-pmem": (2, "0,8", "0,8"),
    "offline": (2, "0,4", "0,4"),
    "numa-off": (2, "0-1", "0-1"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_machines(name: str) -> None:
    facts = machine_facts(read_machine(open_host(str(MACHINES / f"{name}.machine"))))
    count, packed, spread = RECORDED[name]
    for placement, wanted in ((PACKED, packed), (SPREAD, spread)):
        assert str(reserve(facts, count, placement)) == wanted


REFUSED: dict[str, tuple[object, int, str, str]] = {
    "a part of a core": (ONE, 3, PACKED, 'count "3": divides a core; the next number that does'),
    "the number that fits": (ONE, 3, PACKED, "reserve 4"),
    "more than there is": (ONE, 9, PACKED, "more than the 8 CPUs in whole cores"),
    "more than is not isolated": (topology("0-3", isolated="1-3"), 2, SPREAD, "at most 1"),
    "another placement": (ONE, 2, "even", 'placement "even"'),
    "no topology": (None, 2, PACKED, "has no list of NUMA nodes"),
    "no nodes": ({"nodes": []}, 2, PACKED, "has no list of NUMA nodes"),
    "no CPUs": ([{"id": 0}], 2, PACKED, "nodes[0].cpus"),
    "no list": ([{"id": 0, "cpus": "0-x"}], 2, PACKED, "nodes[0].cpus"),
    "an id twice": ([{"id": 0, "cpus": "0"}] * 2, 2, PACKED, "nodes[1].id"),
    "threads that are not told": (
        {"nodes": ["0-7"], "threads_per_core": 2},
        2,
        PACKED,
        "cpus.siblings",
    ),
    "siblings as one text": (
        {"nodes": ["0-7"], "cpus": {"siblings": "0,4"}},
        2,
        PACKED,
        "cpus.siblings",
    ),
}


@pytest.mark.parametrize(
    ("machine", "count", "placement", "why"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_does_not_fit_is_named(machine: object, count: int, placement: str, why: str) -> None:
    with pytest.raises(HomenodeProblem) as error:
        reserve(machine, count, placement)
    assert why in str(error.value)


def test_without_whole_cores_there_is_an_end_too() -> None:
    with pytest.raises(HomenodeProblem, match="at most 7"):
        reserve(topology("0-7", siblings=HT, isolated="7"), 8, whole_cores=False)


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    """Nodes of different size, threads far apart as the kernel counts them, some isolated."""
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any))
    threads, total = draw(st.sampled_from([1, 2])), sum(sizes)
    siblings = [CpuSet(core + total * t for t in range(threads)) for core in range(total)]
    nodes, first = [], 0
    for size in sizes:
        nodes.append(CpuSet(cpu for core in siblings[first : first + size] for cpu in core))
        first += size
    isolated = CpuSet(draw(st.sets(st.integers(0, total * threads - 1), max_size=4)))
    online = CpuSet(range(total * threads)) - CpuSet(draw(st.sets(st.integers(0, 3), max_size=2)))
    return topology(
        *map(str, nodes),
        siblings=[str(core) for core in siblings],
        isolated=str(isolated),
        online=str(online),
    )


@given(machines(), st.integers(1, 12), st.sampled_from([PACKED, SPREAD]), st.booleans())
def test_a_choice_is_exact_and_disturbs_nobody(
    machine: dict[str, Any], count: int, placement: str, whole: bool
) -> None:
    try:
        found = reserve(machine, count, placement, whole_cores=whole)
    except HomenodeProblem:
        return
    assert len(found) == count
    assert found <= CpuSet.parse(machine["cpus"]["online"])
    assert not found & CpuSet.parse(machine["cpus"]["isolated"])
    if whole:
        touched = [core for core in map(CpuSet.parse, machine["cpus"]["siblings"]) if core & found]
        assert all(core <= found for core in touched)


@given(machines(), st.integers(1, 12))
def test_spread_takes_from_nodes_in_turn(machine: dict[str, Any], count: int) -> None:
    try:
        found = reserve(machine, count, SPREAD)
    except HomenodeProblem:
        return
    rooms = [
        CpuSet(cpu for core in numa_node for cpu in core) for numa_node in cores(machine).by_node
    ]
    taken = [len(numa_node & found) for numa_node in rooms]
    open_rooms = [t for t, numa_node in zip(taken, rooms) if t < len(numa_node)]
    threads = max(len(CpuSet.parse(core)) for core in machine["cpus"]["siblings"])
    assert not open_rooms or max(taken) - min(open_rooms) <= threads
    assert open_rooms == sorted(open_rooms, reverse=True)
