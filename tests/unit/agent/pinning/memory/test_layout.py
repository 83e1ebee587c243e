# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the memory allocator knows of a machine: the vectors of the spec, and what it refuses."""

from __future__ import annotations

import pytest

from fakes.memory import PAIRED, THREE_TIERS, memory_machine
from homenode.pinning.memory.layout import MemoryLayout
from model.cpuset import CpuSet, NodeSet
from model.problem import HomenodeProblem

TIERS = MemoryLayout.of(
    memory_machine(["dram"] * 4 + ["pmem"] * 4 + ["hbm"] * 4, [4] * 12, THREE_TIERS)
)
PAIRS = MemoryLayout.of(memory_machine(["dram"] * 4 + ["pmem"] * 4, [4] * 8, PAIRED))

EXPANSIONS = {
    "DRAM from 0": ("DRAM", 0, ["1", "2-3", ""]),
    "PMEM from 0": ("PMEM", 0, ["4", "5", "6-7", ""]),
    "HBM from 0": ("HBM", 0, ["8", "9-11", ""]),
    "DRAM and PMEM from 0": ("DRAM PMEM", 0, ["1,4", "2-3,5", "6-7"]),
    "DRAM and HBM from 2": ("DRAM HBM", 2, ["3,10", "0-1,8-9,11"]),
    "all from 1": ("DRAM PMEM HBM", 1, ["0,5,9", "2-4,8,10-11", "6-7"]),
}


@pytest.mark.parametrize(("types", "start", "steps"), EXPANSIONS.values(), ids=EXPANSIONS)
def test_expansion(types: str, start: int, steps: list[str]) -> None:
    memory_zone, added = NodeSet([start]), []
    for _step in steps:
        new = TIERS.expand(memory_zone, types.split())
        memory_zone = memory_zone | new
        added.append(str(new))
    assert added == steps


@pytest.mark.parametrize(
    ("cpus", "nodes"), [("0", "0"), ("0,2,5", "0-2"), ("8,12,15", "4,6-7"), ("", "")]
)
def test_nodes_of_cpus(cpus: str, nodes: str) -> None:
    assert str(PAIRS.for_cpus(CpuSet.parse(cpus))) == nodes


ROWS = ((10, 20, 30), (20, 10, 30), (30, 30, 10))
KINDS = {
    "smaller than DRAM": (("dram", "dram", "memory-only"), (6, 8, 6), {}, "HBM"),
    "as large as DRAM": (("dram", "dram", "memory-only"), (6, 8, 7), {}, "PMEM"),
    "DRAM nodes without memory do not count": (
        ("dram", "dram", "memory-only"), (6, 0, 6), {}, "PMEM",
    ),
    "the kernel knows HBM": (("dram", "dram", "hbm"), (6, 8, 70), {}, "HBM"),
    "the kernel knows CXL": (("dram", "dram", "cxl"), (6, 8, 1), {}, "PMEM"),
    "the operator knows better": (("dram", "dram", "cxl"), (6, 8, 1), {2: "HBM"}, "HBM"),
    "nothing there yet": (("dram", "dram", "memory-only"), (6, 8, 0), {2: "HBM"}, "HBM"),
}  # fmt: skip


@pytest.mark.parametrize(("kinds", "sizes", "given", "expected"), KINDS.values(), ids=KINDS)
def test_type_without_cpus(
    kinds: tuple[str, ...], sizes: tuple[int, ...], given: dict[int, str], expected: str
) -> None:
    machine = memory_machine(kinds, sizes, ROWS, cpuless=NodeSet([2]))
    assert MemoryLayout.of(machine, given).types == {0: "DRAM", 1: "DRAM", 2: expected}


REFUSED = {
    "neither CPUs nor memory": ((6, 8, 0), ROWS, "unknown memory type: it has neither"),
    "no DRAM": ((0, 0, 6), ROWS, "unknown memory type: no DRAM"),
    "too few distances": ((6, 8, 6), ((10, 20), *ROWS[1:]), "has none for NUMA node 2"),
    "near as itself": ((6, 8, 6), ((10, 10, 30), (10, 10, 30), ROWS[2]), "not to self"),
}


@pytest.mark.parametrize(("sizes", "rows", "why"), REFUSED.values(), ids=REFUSED)
def test_refused(sizes: tuple[int, ...], rows: tuple[tuple[int, ...], ...], why: str) -> None:
    machine = memory_machine(("dram", "dram", "memory-only"), sizes, rows, cpuless=NodeSet([2]))
    with pytest.raises(HomenodeProblem, match=why):
        MemoryLayout.of(machine)


def test_asymmetric_distances_are_averaged() -> None:
    rows = ((10, 20, 31), (22, 10, 30), (30, 30, 10))
    layout = MemoryLayout.of(memory_machine(["dram"] * 3, [4] * 3, rows))
    assert [(ring.distance, str(ring.nodes)) for ring in layout.rings[0]] == [(21, "1"), (30, "2")]


def test_node_without_memory_has_a_type_and_is_of_none() -> None:
    layout = MemoryLayout.of(memory_machine(["dram"] * 2, [4, 0], ((10, 20), (20, 10))))
    assert layout.types_of(NodeSet([1])) == {"DRAM"}
    assert layout.nodes_of({"DRAM"}) == NodeSet([0]) == layout.normal
