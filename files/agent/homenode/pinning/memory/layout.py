# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's memory as the allocator sees it: types, capacities, and who is near whom.

Out of scope: what is booked (``books``), and what a kernel tells of memory (``model.sysfs``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from homenode.intent.tenant import DRAM, HBM, MEMORY_TYPES, PMEM
from model import machine as kinds
from model.cpuset import NO_NODES, CpuSet, NodeSet
from model.machine import Machine, NumaNode
from model.problem import HomenodeProblem

__all__ = ["MemoryLayout", "Ring"]

_TYPE_OF_KIND = {kinds.DRAM: DRAM, kinds.HBM: HBM, kinds.PMEM: PMEM, kinds.CXL: PMEM}
_REMEDY = "give the NUMA node's memory type in the configuration"


@dataclass(frozen=True)
class Ring:
    """All NUMA nodes at one SLIT *distance* from another."""

    distance: int
    nodes: NodeSet


@dataclass(frozen=True)
class MemoryLayout:
    """Everything by NUMA node id; make it with ``of``. Capacities are in bytes.

    *normal* memory is not movable-only: the kernel needs some of it in every cpuset.
    """

    types: Mapping[int, str]
    capacities: Mapping[int, int]
    normal: NodeSet
    cpus: Mapping[int, CpuSet]
    rings: Mapping[int, tuple[Ring, ...]]

    @classmethod
    def of(cls, machine: Machine, types: Optional[Mapping[int, str]] = None) -> MemoryLayout:
        """The layout of *machine*; *types* (of MEMORY_TYPES) are the operator's word and win.

        Raises HomenodeProblem where a type is not to be told, or distances are incomplete.
        """
        numa_nodes = machine.nodes
        return cls(
            types=_types(numa_nodes, types or {}),
            capacities={each.id: each.memory_total_bytes for each in numa_nodes},
            normal=NodeSet(
                each.id for each in numa_nodes if each.memory_total_bytes and not each.movable_only
            ),
            cpus={each.id: each.cpus for each in numa_nodes},
            rings={each.id: _rings(each, numa_nodes) for each in numa_nodes},
        )

    @cached_property
    def numa_nodes(self) -> NodeSet:
        """All of them, also those without memory."""
        return NodeSet(self.types)

    @cached_property
    def with_memory(self) -> NodeSet:
        """Those that have memory."""
        return NodeSet(number for number, size in self.capacities.items() if size)

    @cached_property
    def available_types(self) -> frozenset[str]:
        """The types that the machine has memory of."""
        return self.types_of(self.with_memory)

    def nodes_of(self, types: Collection[str]) -> NodeSet:
        """The NUMA nodes with memory of any of *types*."""
        found = NO_NODES
        for memory_type in types:
            found = found | self._by_type[memory_type]
        return found

    def types_of(self, memory_zone: NodeSet) -> frozenset[str]:
        """The types of its NUMA nodes; one that has no memory has a type too."""
        return frozenset(self.types[number] for number in memory_zone)

    def capacity(self, memory_zone: NodeSet) -> int:
        """Bytes."""
        return sum(self.capacities[number] for number in memory_zone)

    def for_cpus(self, cpus: CpuSet) -> NodeSet:
        """The NUMA nodes that *cpus* are on."""
        return NodeSet(number for number, local in self.cpus.items() if local & cpus)

    def expand(self, memory_zone: NodeSet, types: Collection[str]) -> NodeSet:
        """The NUMA nodes to widen a zone by: of each of *types* the closest that it has not yet."""
        added = NO_NODES
        for memory_type in types:
            added = added | self._closest(memory_zone, self._by_type[memory_type] - memory_zone)
        return added

    def _closest(self, memory_zone: NodeSet, candidates: NodeSet) -> NodeSet:
        """As upstream: a farther ring that an earlier member of the zone found stays in."""
        best, found = None, NO_NODES
        for number in memory_zone if candidates else ():
            ring = next((ring for ring in self.rings[number] if ring.nodes & candidates), None)
            if ring is not None and (best is None or ring.distance <= best):
                best, found = ring.distance, found | (ring.nodes & candidates)
        return found

    @cached_property
    def _by_type(self) -> Mapping[str, NodeSet]:
        return {
            memory_type: NodeSet(n for n in self.with_memory if self.types[n] == memory_type)
            for memory_type in MEMORY_TYPES
        }


def _types(numa_nodes: tuple[NumaNode, ...], given: Mapping[int, str]) -> dict[int, str]:
    """The operator's word, else the kernel's evidence, else upstream's rule.

    That rule: a NUMA node with CPUs is DRAM; one without is HBM if it has less memory than those
    with CPUs on average, and PMEM otherwise.
    """
    types = {}
    for numa_node in numa_nodes:
        known = given.get(numa_node.id) or _TYPE_OF_KIND.get(numa_node.kind)
        if known or numa_node.cpus:
            types[numa_node.id] = known or DRAM
    unknown = [numa_node for numa_node in numa_nodes if numa_node.id not in types]
    if not unknown:
        return types
    sizes = [
        numa_node.memory_total_bytes
        for numa_node in numa_nodes
        if numa_node.cpus and types[numa_node.id] == DRAM and numa_node.memory_total_bytes
    ]
    for numa_node in unknown:
        size = numa_node.memory_total_bytes
        if not size or not sizes:
            why = "no DRAM to compare with" if size else "it has neither CPUs nor memory"
            raise HomenodeProblem(
                f"NUMA node {numa_node.id}", size, f"unknown memory type: {why}", _REMEDY
            )
        types[numa_node.id] = HBM if size < sum(sizes) // len(sizes) else PMEM
    return types


def _rings(numa_node: NumaNode, numa_nodes: tuple[NumaNode, ...]) -> tuple[Ring, ...]:
    """The other NUMA nodes by ascending distance; what is asymmetric is averaged."""
    by_distance: dict[int, NodeSet] = {}
    try:
        for other in numa_nodes:
            distance = (numa_node.distances[other.id] + other.distances[numa_node.id]) // 2
            by_distance[distance] = by_distance.get(distance, NO_NODES) | NodeSet([other.id])
    except KeyError as missing:
        raise _wrong_distances(numa_node, f"has none for NUMA node {missing}") from None
    (nearest, members), *rest = sorted(by_distance.items())
    if members != NodeSet([numa_node.id]):
        raise _wrong_distances(numa_node, f"shortest distance {nearest} not to self alone")
    return tuple(Ring(distance, nodes) for distance, nodes in rest)


def _wrong_distances(numa_node: NumaNode, why: str) -> HomenodeProblem:
    return HomenodeProblem(
        f"distances of NUMA node {numa_node.id}",
        dict(numa_node.distances),
        why,
        "give one distance for each NUMA node, the one to itself the shortest",
    )
