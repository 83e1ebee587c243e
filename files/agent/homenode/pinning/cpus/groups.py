# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups of CPUs that the allocator takes as a whole: clusters and cache groups.

Sources: nri-plugins' discovery and CPU allocator. Out of scope: cores, packages and NUMA nodes,
which ``model.machine`` has already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.cpuset import CpuSet
from model.machine import Die, Machine


@dataclass(frozen=True)
class CpuGroup:
    """Online CPUs that belong together; *efficient* tells their core kind by the lowest CPU."""

    package: int
    die: int
    cpus: CpuSet
    efficient: bool = False


def dies_of(machine: Machine) -> tuple[Die, ...]:
    """The machine's dies; where the kernel knows none, every package is one."""
    return machine.dies or tuple(Die(0, package.id, package.cpus) for package in machine.packages)


def logical_clusters(machine: Machine) -> tuple[CpuGroup, ...]:
    """Clusters, by package, die and cluster id, of the packages that have more than one.

    Clusters that are no more than one core are no clusters: those of a die are folded into one, in
    the place of the one with the lowest CPU. Where the kernel knows no clusters, a die is one.
    """
    by_package: dict[int, list[CpuGroup]] = {}
    for die in dies_of(machine):
        inside = [cpus for cpus in machine.clusters if cpus <= die.cpus] or [die.cpus]
        for cpus in _folded(inside, frozenset(machine.siblings)):
            efficient = _lowest(cpus) in machine.efficiency_cpus
            group = CpuGroup(die.package, die.id, cpus, efficient)
            by_package.setdefault(die.package, []).append(group)
    return tuple(group for groups in by_package.values() if len(groups) > 1 for group in groups)


def _folded(clusters: list[CpuSet], cores: frozenset[CpuSet]) -> Iterator[CpuSet]:
    single = [cpus for cpus in clusters if cpus in cores]
    together = CpuSet(cpu for cpus in single for cpu in cpus)
    first = min(single, key=_lowest, default=None)
    for cpus in clusters:
        if cpus not in cores:
            yield cpus
        elif cpus == first:
            yield together


def cache_groups(machine: Machine) -> tuple[CpuGroup, ...]:
    """The CPUs under one cache, at the highest level that parts dies; by package, die, node, CPU.

    A cache of one core, of a whole die or of a whole package parts nothing. A package with one
    group alone has none. No groups at all where one crosses packages or NUMA nodes; dies do not
    count in the order where one crosses them.
    """
    useful = _useful_caches(machine)
    if not useful:
        return ()
    level = min((_lowest(cpus), -level) for level, cpus in useful)[1]
    groups = []
    for package in machine.packages:
        inside = [cpus for at, cpus in useful if at == -level and _lowest(cpus) in package.cpus]
        groups += [_cache_group(machine, cpus) for cpus in inside if len(inside) > 1]
    nodes = [numa_node.cpus for numa_node in machine.nodes]
    packages = [package.cpus for package in machine.packages]
    if not all(_within(group.cpus, nodes) and _within(group.cpus, packages) for group in groups):
        return ()
    parted = all(_within(group.cpus, [die.cpus for die in dies_of(machine)]) for group in groups)

    def order(group: CpuGroup) -> tuple[int, int, int, int]:
        lowest = _lowest(group.cpus)
        home = next(place for place, cpus in enumerate(nodes) if lowest in cpus)
        return group.package, group.die if parted else 0, home, lowest

    return tuple(sorted(groups, key=order))


def _useful_caches(machine: Machine) -> list[tuple[int, CpuSet]]:
    """The caches, by level, that are neither one core nor a whole die or package."""
    useless = {*machine.siblings, *(package.cpus for package in machine.packages)}
    useless |= {die.cpus for die in machine.dies}
    found = [(cache.level, cache.cpus & machine.online) for cache in machine.caches]
    return [(level, cpus) for level, cpus in found if len(cpus) > 1 and cpus not in useless]


def _cache_group(machine: Machine, cpus: CpuSet) -> CpuGroup:
    lowest = _lowest(cpus)
    die = next(die for die in dies_of(machine) if lowest in die.cpus)
    return CpuGroup(die.package, die.id, cpus, lowest in machine.efficiency_cpus)


def _within(cpus: CpuSet, places: list[CpuSet]) -> bool:
    return any(cpus <= place for place in places)


def _lowest(cpus: CpuSet) -> int:
    return next(iter(cpus))
