# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""CPUs and what they share (core, cluster, die, package), from ``/sys/devices/system/cpu``.

Out of scope: caches, frequencies, and CPUs that are possible but not present.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..cpuset import CpuSet, NodeSet
from ..files import Files
from ..machine import Die, NumaNode, Package
from .sharing import CPUS, groups, listed
from .values import fail, read_ids, read_number, required

CORE_LISTS = ("topology/core_cpus_list", "topology/thread_siblings_list")
PACKAGE_LISTS = ("topology/package_cpus_list", "topology/core_siblings_list")
DIE_LISTS = ("topology/die_cpus_list",)
CLUSTER_LISTS = ("topology/cluster_cpus_list",)
"""Each with its name before Linux 5.3, where it had one."""


@dataclass(frozen=True)
class Cpus:
    """The CPUs of a machine, apart from its memory."""

    online: CpuSet
    present: CpuSet
    isolated: CpuSet
    siblings: tuple[CpuSet, ...]
    packages: tuple[tuple[int, CpuSet], ...]
    dies: tuple[Die, ...]
    clusters: tuple[CpuSet, ...]

    def package_of(self, cpus: CpuSet) -> Optional[int]:
        """The package that holds all of *cpus*; None for no CPUs, or CPUs of several packages."""
        holders = [number for number, inside in self.packages if cpus and cpus <= inside]
        return holders[0] if holders else None

    def packages_with(self, nodes: tuple[NumaNode, ...]) -> tuple[Package, ...]:
        """The packages, each with those of *nodes* that share CPUs with it (node 0 if no NUMA)."""
        return tuple(
            Package(number, NodeSet(n.id for n in nodes if n.cpus & cpus) or NodeSet([0]), cpus)
            for number, cpus in self.packages
        )


def read_cpus(files: Files) -> Cpus:
    """Raises HomenodeProblem where the lists are no lists, contradictory, or ``online`` is missing.

    Without ``present`` (old kernels) it is ``online``; without ``isolated`` nothing is.
    """
    online_path = f"{CPUS}/online"
    online = required(online_path, read_ids(files, online_path, CpuSet))
    present = read_ids(files, f"{CPUS}/present", CpuSet)
    if not online:
        raise fail(online_path, "", "no CPU is online")
    if present is not None and online - present:
        raise fail(online_path, str(online), f"has CPUs that are not present ({present})")
    packages = _packages(files, online)
    isolated = read_ids(files, f"{CPUS}/isolated", CpuSet) or CpuSet()
    siblings = tuple(core for _lowest, core in groups(online, listed(files, CORE_LISTS)))
    dies = _dies(files, packages)
    return Cpus(
        online=online,
        present=online if present is None else present,
        isolated=isolated,
        siblings=siblings,
        packages=packages,
        dies=dies,
        clusters=_clusters(files, dies, packages),
    )


def read_core_kinds(files: Files, online: CpuSet) -> tuple[CpuSet, CpuSet]:
    """Performance and efficiency CPUs of a hybrid machine (the ``cpu_core`` and ``cpu_atom`` PMUs,
    Documentation/admin-guide/perf/intel-hybrid.rst); two empty sets on any other.
    """
    performance = read_ids(files, "/sys/devices/cpu_core/cpus", CpuSet)
    efficiency = read_ids(files, "/sys/devices/cpu_atom/cpus", CpuSet)
    if performance is None or efficiency is None:
        return CpuSet(), CpuSet()
    return performance & online, efficiency & online


def _packages(files: Files, online: CpuSet) -> tuple[tuple[int, CpuSet], ...]:
    """Without an id, or with the -1 of firmware that knows none, everything is package 0."""
    packages: dict[int, CpuSet] = {}
    for cpu, cpus in groups(online, listed(files, PACKAGE_LISTS)):
        number = read_number(files, f"{CPUS}/cpu{cpu}/topology/physical_package_id")
        number = max(number or 0, 0)
        packages[number] = packages.get(number, CpuSet()) | cpus
    return tuple(sorted(packages.items()))


def _dies(files: Files, packages: tuple[tuple[int, CpuSet], ...]) -> tuple[Die, ...]:
    """Without a ``die_id``, or with -1, there are no dies (arm64, Linux before 5.2)."""
    dies: dict[tuple[int, int], CpuSet] = {}
    for package, inside in packages:
        for cpu, cpus in groups(inside, listed(files, DIE_LISTS)):
            number = read_number(files, f"{CPUS}/cpu{cpu}/topology/die_id")
            if number is None or number < 0:
                return ()
            dies[package, number] = dies.get((package, number), CpuSet()) | cpus
    return tuple(Die(number, package, cpus) for (package, number), cpus in sorted(dies.items()))


def _clusters(
    files: Files, dies: tuple[Die, ...], packages: tuple[tuple[int, CpuSet], ...]
) -> tuple[CpuSet, ...]:
    """By package, die and id; none without a ``cluster_id`` (Linux before 5.16), or with -1."""
    found = []
    for inside in [die.cpus for die in dies] or [cpus for _number, cpus in packages]:
        clusters: dict[int, CpuSet] = {}
        for cpu, cpus in groups(inside, listed(files, CLUSTER_LISTS)):
            number = read_number(files, f"{CPUS}/cpu{cpu}/topology/cluster_id")
            if number is None or number < 0:
                return ()
            clusters[number] = clusters.get(number, CpuSet()) | cpus
        found += [cpus for _number, cpus in sorted(clusters.items())]
    return tuple(found)
