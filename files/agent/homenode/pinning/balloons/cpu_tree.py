# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pieces of a machine as a tree, and the one that suits best for taking or giving CPUs.

System, packages, dies, NUMA nodes, L2 caches, cores, threads. The names (``p0d1n2cpu8t9``) and
their order as texts decide between equals, as in nri-plugins' balloons policy. Out of scope:
devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from homenode.pinning.cpus.topology import CpuTopology
from model.cpuset import NO_CPUS, CpuSet
from model.machine import Cache, NumaNode


@dataclass(frozen=True)
class Piece:
    """A piece of the machine, and those that it consists of."""

    name: str
    cpus: CpuSet
    pieces: tuple[Piece, ...] = ()


Path = tuple[Piece, ...]
"""A piece and all that it is part of, the whole machine first."""

Prefer = Callable[[Iterable[int]], int]


@dataclass(frozen=True)
class CpuTree:
    """All pieces below *system*. Compared by identity: there is one of a kind."""

    system: Piece

    def best_to_take(self, current: CpuSet, idle: CpuSet, count: int, *, balancing: bool) -> CpuSet:
        """Idle CPUs of the smallest piece that has at least *count*; none where there is no such.

        Among equally small ones, the one with more of the *current* CPUs around; then with less
        idle ones around (more of them with *balancing*).
        """
        paths = self._smallest(idle, count)
        if current:
            paths = _preferred(paths, current, max)
        paths = _preferred(paths, idle, max if balancing else min)
        return min(paths, key=_name)[-1].cpus & idle if paths else NO_CPUS

    def best_to_give(self, current: CpuSet, idle: CpuSet) -> CpuSet:
        """The one of the *current* CPUs to let go: with fewest of them around, then fewest idle."""
        paths = self._smallest(current, 1)
        paths = _preferred(paths, current, min)
        paths = _preferred(paths, idle, min)
        return max(paths, key=_name)[-1].cpus & current if paths else NO_CPUS

    def _smallest(self, cpus: CpuSet, count: int) -> list[Path]:
        """The deepest pieces with at least *count* of *cpus*."""
        for paths, widest in reversed(self._levels):
            if widest >= count:
                found = [path for path in paths if len(path[-1].cpus & cpus) >= count]
                if found:
                    return found
        return []

    @cached_property
    def _levels(self) -> tuple[tuple[tuple[Path, ...], int], ...]:
        """From top to bottom, the paths that end there, and how many CPUs the widest piece has."""
        levels = []
        paths: tuple[Path, ...] = ((self.system,),)
        while paths:
            levels.append((paths, max(len(path[-1].cpus) for path in paths)))
            paths = tuple((*path, piece) for path in paths for piece in path[-1].pieces)
        return tuple(levels)


def _preferred(paths: list[Path], counted: CpuSet, prefer: Prefer) -> list[Path]:
    """Those whose pieces, compared from the top down, have the preferred count of CPUs."""
    for depth in range(len(paths[0]) if paths else 0):
        if len(paths) == 1:
            break
        counts: dict[str, int] = {}
        for path in paths:
            piece = path[depth]
            if piece.name not in counts:
                counts[piece.name] = len(piece.cpus & counted)
        best = prefer(counts.values())
        paths = [path for path in paths if counts[path[depth].name] == best]
    return paths


def _name(path: Path) -> str:
    return path[-1].name


def cpu_tree(topology: CpuTopology) -> CpuTree:
    """The tree of a machine. A NUMA node is a whole part of each die that has a CPU of it."""
    packages = []
    for package in topology.packages:
        name = f"p{package.id}"
        dies = [die for die in topology.dies if die.package == package.id]
        packages.append(
            _joined(
                name,
                (
                    _joined(
                        f"{name}d{die.id}",
                        (
                            _numa_piece(topology, f"{name}d{die.id}n{numa_node.id}", numa_node)
                            for numa_node in topology.machine.nodes
                            if numa_node.cpus & die.cpus
                        ),
                    )
                    for die in dies
                ),
            )
        )
    return CpuTree(_joined("system", packages))


def spread_tree(topology: CpuTopology) -> CpuTree:
    """The tree with each NUMA node split by the place of a CPU in its core.

    The first threads of all cores are one piece, the second ones another: so CPUs that are
    together are of different cores.
    """
    places: dict[int, CpuSet] = {}
    for core in topology.cores:
        for place, cpu in enumerate(core):
            places[place] = places.get(place, NO_CPUS) | CpuSet([cpu])
    system = cpu_tree(topology).system
    return CpuTree(_at_depth(system, 3, lambda numa: _split(numa, places)))


def _at_depth(piece: Piece, depth: int, change: Callable[[Piece], Piece]) -> Piece:
    if depth == 0:
        return change(piece)
    pieces = tuple(_at_depth(below, depth - 1, change) for below in piece.pieces)
    return Piece(piece.name, piece.cpus, pieces)


def _split(numa: Piece, places: dict[int, CpuSet]) -> Piece:
    classes = (
        Piece(f"{numa.name}class{place}", numa.cpus & cpus, tuple(_masked(numa.pieces, cpus)))
        for place, cpus in places.items()
        if numa.cpus & cpus
    )
    return Piece(numa.name, numa.cpus, tuple(classes))


def _masked(pieces: Iterable[Piece], cpus: CpuSet) -> Iterator[Piece]:
    for piece in pieces:
        if piece.cpus & cpus:
            yield Piece(piece.name, piece.cpus & cpus, tuple(_masked(piece.pieces, cpus)))


def _joined(name: str, pieces: Iterable[Piece]) -> Piece:
    below = tuple(pieces)
    cpus = NO_CPUS
    for piece in below:
        cpus = cpus | piece.cpus
    return Piece(name, cpus, below)


def _numa_piece(topology: CpuTopology, name: str, numa_node: NumaNode) -> Piece:
    caches = [cache for cache in _l2_caches(topology) if cache.cpus & numa_node.cpus]
    return _joined(
        name, (_joined(f"{name}${cache.id}", _cores(topology, name, cache)) for cache in caches)
    )


def _l2_caches(topology: CpuTopology) -> tuple[Cache, ...]:
    """Those that the kernel tells; where it tells none, each core is taken to have its own."""
    return topology.caches_at(2) or tuple(
        Cache(number, core, 0, 2) for number, core in enumerate(topology.cores)
    )


def _cores(topology: CpuTopology, name: str, cache: Cache) -> Iterator[Piece]:
    for core in topology.cores:
        if core & cache.cpus:
            core_name = f"{name}cpu{min(core)}"
            yield _joined(core_name, (Piece(f"{core_name}t{cpu}", CpuSet([cpu])) for cpu in core))
