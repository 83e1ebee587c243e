# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of topology pools: the whole machine, sockets, dies, NUMA nodes, third-level caches.

A level is left out where it would part nothing. Ids count children before parents, so that the
leaves have the lowest ones. Rules: nri-plugins, topology-aware, except that caches are told apart
by their CPUs, for ids of caches are given twice by some firmware; and that dies count as long as
the kernel does not say that each is one cluster. Out of scope: what is granted (``books``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from homenode.intent.tenant import DRAM, HBM, LEVELS, MEMORY_TYPES, PMEM
from homenode.pinning.memory.layout import MemoryLayout
from model.cpuset import NO_NODES, CpuSet, NodeSet
from model.machine import Machine, Package

ROOT, SOCKET, DIE, NUMA_NODE, L3_CACHE = (
    "virtual node", "socket", "die", "numa node", "L3 cache",
)  # fmt: skip
"""Kinds, in the words that exports use."""

_LEVELS = {ROOT: "system", SOCKET: "package", DIE: "die", NUMA_NODE: "numa", L3_CACHE: "l3cache"}


@dataclass(frozen=True)
class TopologyPool:
    """One pool. *cpus* are all of it, also those that no container may use.

    *above* are the ids of all above it, the nearest first, *below* of all below it, ascending.
    *mems* are its memory nodes by type; *package* is -1 for the root.
    """

    id: int
    name: str
    kind: str
    cpus: CpuSet
    mems: Mapping[str, NodeSet]
    package: int
    above: tuple[int, ...]
    below: tuple[int, ...]

    @property
    def depth(self) -> int:
        """Links to the root."""
        return len(self.above)

    @property
    def level(self) -> int:
        """Its place in LEVELS; the finer, the larger."""
        return LEVELS.index(_LEVELS[self.kind])

    @cached_property
    def memory_types(self) -> frozenset[str]:
        """The types of memory that it has."""
        return frozenset(kind for kind, numa_nodes in self.mems.items() if numa_nodes)

    def memory(self, types: Collection[str]) -> NodeSet:
        """Its memory nodes of any of *types*."""
        found = NO_NODES
        for memory_type in types:
            found = found | self.mems[memory_type]
        return found


@dataclass(frozen=True)
class PoolTree:
    """All *pools*, by id; the last one is the root."""

    pools: tuple[TopologyPool, ...]

    @property
    def root(self) -> TopologyPool:
        """The pool of everything."""
        return self.pools[-1]

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """By name."""
        return {each.name: each.id for each in self.pools}

    def existing_level(self, level: str) -> int:
        """The place in LEVELS of *level*, or of the next coarser one that has pools.

        As upstream: the first pool by id that is not finer decides; a machine whose pools all are
        finer counts as a package.
        """
        wanted = LEVELS.index(level)
        found = (each.level for each in self.pools if each.level <= wanted)
        return next(found, LEVELS.index("package"))


@dataclass(frozen=True)
class _Branch:
    """A pool before it has a number, with those below it."""

    name: str
    kind: str
    cpus: CpuSet
    package: int
    branches: tuple[_Branch, ...] = ()


def pool_tree(machine: Machine, layout: MemoryLayout) -> PoolTree:
    """The pools of *machine*."""
    sockets = tuple(_socket(machine, package) for package in machine.packages)
    top = sockets[0] if len(sockets) == 1 else _Branch("root", ROOT, machine.online, -1, sockets)
    return PoolTree(tuple(_grown(layout, top)))


def _grown(layout: MemoryLayout, top: _Branch) -> list[TopologyPool]:
    """The pools of all branches, children before parents."""
    pools: list[TopologyPool] = []

    def grow(branch: _Branch, links: int) -> None:
        first = len(pools)
        for each in branch.branches:
            grow(each, links + 1)
        near = memory_near(layout, branch.cpus) if links else layout.with_memory
        pools.append(
            TopologyPool(
                id=len(pools),
                name=branch.name,
                kind=branch.kind,
                cpus=branch.cpus,
                mems=_mems(layout, near),
                package=branch.package,
                above=(),
                below=tuple(range(first, len(pools))),
            )
        )

    grow(top, 0)
    return [
        replace(pool, above=tuple(one.id for one in pools if pool.id in one.below))
        for pool in pools
    ]


def _socket(machine: Machine, package: Package) -> _Branch:
    name, cpus = f"socket #{package.id}", package.cpus
    dies = [die for die in machine.dies if die.package == package.id]
    if len(dies) < 2 or all(die.cpus in machine.clusters for die in dies):
        return _Branch(name, SOCKET, cpus, package.id, _inside(machine, name, cpus, package.id))
    below = []
    for die in dies:
        own = f"die #{package.id}/{die.id}"
        inside = _inside(machine, own, die.cpus, package.id)
        below.append(_Branch(own, DIE, die.cpus, package.id, inside))
    return _Branch(name, SOCKET, cpus, package.id, tuple(below))


def _inside(machine: Machine, name: str, cpus: CpuSet, package: int) -> tuple[_Branch, ...]:
    """What a socket or die is parted into: NUMA nodes with memory, or caches."""
    numa_nodes = [numa_node for numa_node in machine.nodes if numa_node.cpus & cpus]
    if len(numa_nodes) <= 1:
        return _caches(machine, name, cpus, package)
    found = []
    for numa_node in numa_nodes:
        if numa_node.memory_total_bytes:
            own = f"NUMA node #{numa_node.id}"
            caches = _caches(machine, own, numa_node.cpus, package)
            found.append(_Branch(own, NUMA_NODE, numa_node.cpus, package, caches))
    return tuple(found)


def _caches(machine: Machine, name: str, cpus: CpuSet, package: int) -> tuple[_Branch, ...]:
    """The third-level caches that lie inside, where they are several."""
    inside = [cache for cache in machine.caches if cache.level == 3 and cache.cpus <= cpus]
    if len(inside) < 2:
        return ()
    inside.sort(key=lambda cache: cache.id)
    return tuple(
        _Branch(f"{name}/L3 cache #{cache.id}", L3_CACHE, cache.cpus, package) for cache in inside
    )


def _mems(layout: MemoryLayout, numa_nodes: NodeSet) -> Mapping[str, NodeSet]:
    return {
        memory_type: NodeSet(each for each in numa_nodes if layout.types[each] == memory_type)
        for memory_type in MEMORY_TYPES
    }


def memory_near(layout: MemoryLayout, cpus: CpuSet) -> NodeSet:
    """The NUMA nodes of *cpus*, and those without CPUs whose nearest DRAM with CPUs is there.

    Of the latter only PMEM and HBM count, and one that is equally near to several counts for each.
    """
    local = layout.for_cpus(cpus)
    attached = (
        number
        for number in layout.nodes_of((PMEM, HBM))
        if not layout.cpus[number] and _nearest_dram(layout, number) & local
    )
    return local | NodeSet(attached)


def _nearest_dram(layout: MemoryLayout, number: int) -> NodeSet:
    with_cpus = NodeSet(
        each for each, cpus in layout.cpus.items() if cpus and layout.types[each] == DRAM
    )
    rings = (ring.nodes & with_cpus for ring in layout.rings[number])
    return next((found for found in rings if found), NO_NODES)
