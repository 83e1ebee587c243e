# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's CPUs as the allocator sees them, with everything that never changes worked out.

Out of scope: which CPUs are free, and memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from model.cpuset import NO_CPUS, CpuSet
from model.machine import Cache, Die, Machine, Package

from .groups import CpuGroup, cache_groups, dies_of, logical_clusters
from .priority import NONE, PRIORITIES, Classes, Rank, priority_classes, rank

SYSTEM, PACKAGE, DIE, NUMA, L2_CACHE, CORE, THREAD = (
    "system", "package", "die", "numa", "l2cache", "core", "thread",
)  # fmt: skip
LEVELS = (SYSTEM, PACKAGE, DIE, NUMA, L2_CACHE, CORE, THREAD)
"""Topology levels of CPUs, coarse to fine."""


@dataclass(frozen=True)
class CpuTopology:
    """*machine* with its logical *clusters*, *cache_groups* and *priorities*; make it with ``of``.

    A group's place in its tuple is its rank: lower is preferred among equals.
    """

    machine: Machine
    clusters: tuple[CpuGroup, ...]
    cache_groups: tuple[CpuGroup, ...]
    priorities: Classes

    @classmethod
    def of(cls, machine: Machine) -> CpuTopology:
        """The topology of *machine*; keep it, for it is worked out once."""
        return cls(
            machine, logical_clusters(machine), cache_groups(machine), priority_classes(machine)
        )

    @property
    def online(self) -> CpuSet:
        """The CPUs that can run anything."""
        return self.machine.online

    @property
    def packages(self) -> tuple[Package, ...]:
        """By id."""
        return self.machine.packages

    @cached_property
    def dies(self) -> tuple[Die, ...]:
        """By package and id; a package whose dies the kernel does not know is one."""
        return dies_of(self.machine)

    @property
    def cores(self) -> tuple[CpuSet, ...]:
        """Each core's online threads, by lowest CPU."""
        return self.machine.siblings

    @cached_property
    def has_core_kinds(self) -> bool:
        """Whether there are both performance and efficiency cores."""
        return bool(self.machine.performance_cpus) and bool(self.machine.efficiency_cpus)

    def core_of(self, cpu: int) -> CpuSet:
        """The online threads of a CPU's core. Raises KeyError for a CPU that is not online."""
        return self._cores[cpu]

    def package_of(self, cpu: int) -> int:
        """The id of a CPU's package. Raises KeyError for a CPU that is not online."""
        return self._packages[cpu]

    def caches_at(self, level: int) -> tuple[Cache, ...]:
        """The caches of one level, from 2 up, by lowest CPU."""
        return tuple(cache for cache in self.machine.caches if cache.level == level)

    def single_threads(self, cpus: CpuSet) -> CpuSet:
        """The lowest of *cpus* in every core."""
        lowest = []
        left = cpus
        while left:
            cpu = next(iter(left))
            lowest.append(cpu)
            left = left - self._cores.get(cpu, CpuSet([cpu]))
        return CpuSet(lowest)

    def elements(self, level: str, cpus: CpuSet) -> CpuSet:
        """All CPUs of those elements of *level*, one of LEVELS, that have at least one of *cpus*.

        Where the kernel tells no second-level caches, each core is taken to have its own. Raises
        KeyError for another level.
        """
        found = NO_CPUS
        for element in self._levels[level]:
            if element & cpus:
                found = found | element
        return found

    def packages_of_class(self, priority: str) -> tuple[CpuSet, ...]:
        """The CPUs of the *priority* in each package, the best package first."""
        return self._packages_by[priority]

    def cores_by(self, priority: str) -> tuple[CpuSet, ...]:
        """All cores, the best for *priority* first."""
        return self._cores_by[priority]

    def rank_of(self, cpu: int, priority: str) -> Rank:
        """How good the class of a CPU is for *priority*."""
        return self._ranks[priority][cpu]

    @cached_property
    def _cores(self) -> Mapping[int, CpuSet]:
        return {cpu: core for core in self.cores for cpu in core}

    @cached_property
    def _packages(self) -> Mapping[int, int]:
        return {cpu: package.id for package in self.packages for cpu in package.cpus}

    @cached_property
    def _levels(self) -> Mapping[str, tuple[CpuSet, ...]]:
        caches = tuple(cache.cpus for cache in self.caches_at(2))
        return {
            SYSTEM: (self.online,),
            PACKAGE: tuple(package.cpus for package in self.packages),
            DIE: tuple(die.cpus for die in self.dies),
            NUMA: tuple(numa_node.cpus for numa_node in self.machine.nodes),
            L2_CACHE: caches or self.cores,
            CORE: self.cores,
            THREAD: tuple(CpuSet([cpu]) for cpu in self.online),
        }

    @cached_property
    def _packages_by(self) -> Mapping[str, tuple[CpuSet, ...]]:
        every = [package.cpus for package in self.packages]
        ordered = {wanted: self._ordered(every, wanted) for wanted in PRIORITIES}
        return {
            NONE: tuple(every),
            **{
                wanted: tuple(cpus & self.priorities[wanted] for cpus in packages)
                for wanted, packages in ordered.items()
            },
        }

    @cached_property
    def _cores_by(self) -> Mapping[str, tuple[CpuSet, ...]]:
        return {wanted: self._ordered(list(self.cores), wanted) for wanted in (*PRIORITIES, NONE)}

    def _ordered(self, sets: list[CpuSet], wanted: str) -> tuple[CpuSet, ...]:
        """*sets*, the best first; equals stay as they are."""
        return tuple(sorted(sets, key=lambda cpus: rank(cpus, self.priorities, wanted)))

    @cached_property
    def _ranks(self) -> Mapping[str, Mapping[int, Rank]]:
        return {
            wanted: {cpu: rank(CpuSet([cpu]), self.priorities, wanted) for cpu in self.online}
            for wanted in (*PRIORITIES, NONE)
        }
