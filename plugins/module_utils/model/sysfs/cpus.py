# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""CPUs and what they share (core, die, package, cache), from ``/sys/devices/system/cpu``.

Out of scope: frequencies, and CPUs that are possible but not present.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable, Optional

from ..cpuset import CpuSet, NodeSet
from ..files import Files
from ..machine import Cache, Die, NumaNode, Package
from .values import fail, read_ids, read_number, read_size, required

CPUS = "/sys/devices/system/cpu"
CORE_LISTS = ("topology/core_cpus_list", "topology/thread_siblings_list")
PACKAGE_LISTS = ("topology/package_cpus_list", "topology/core_siblings_list")
DIE_LISTS = ("topology/die_cpus_list",)
"""Each with its name before Linux 5.3, where it had one."""

Sharing = Callable[[int], tuple[str, Optional[CpuSet]]]
"""From a CPU to the file that says who shares something with it, and what that file says."""


@dataclass(frozen=True)
class Cpus:
    """The CPUs of a machine, apart from its memory."""

    online: CpuSet
    present: CpuSet
    isolated: CpuSet
    siblings: tuple[CpuSet, ...]
    packages: tuple[tuple[int, CpuSet], ...]
    dies: tuple[Die, ...]

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
    return Cpus(
        online=online,
        present=online if present is None else present,
        isolated=read_ids(files, f"{CPUS}/isolated", CpuSet) or CpuSet(),
        siblings=tuple(core for _lowest, core in _groups(online, _listed(files, CORE_LISTS))),
        packages=packages,
        dies=_dies(files, packages),
    )


def read_caches(files: Files, online: CpuSet) -> tuple[Cache, ...]:
    """The last-level caches; who shares one is what ``shared_cpu_list`` says, never the id.

    QEMU 7.2 and some firmware give one cache's CPUs several ids, and two caches the same one.
    No caches where the kernel tells of none (some virtual and arm64 machines).
    """
    last: dict[int, tuple[int, str]] = {}

    def sharing(cpu: int) -> tuple[str, Optional[CpuSet]]:
        found = _last_level(files, cpu)
        if found is None:
            return "", None
        last[cpu] = found
        path = f"{found[1]}/shared_cpu_list"
        return path, read_ids(files, path, CpuSet)

    shared = [(*last[cpu], cpus) for cpu, cpus in _groups(online, sharing) if cpu in last]
    return tuple(
        Cache(number, cpus, read_size(files, f"{folder}/size") or 0, level)
        for number, (level, folder, cpus) in enumerate(shared)
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
    for cpu, cpus in _groups(online, _listed(files, PACKAGE_LISTS)):
        number = read_number(files, f"{CPUS}/cpu{cpu}/topology/physical_package_id")
        number = max(number or 0, 0)
        packages[number] = packages.get(number, CpuSet()) | cpus
    return tuple(sorted(packages.items()))


def _dies(files: Files, packages: tuple[tuple[int, CpuSet], ...]) -> tuple[Die, ...]:
    """Without a ``die_id``, or with -1, there are no dies (arm64, Linux before 5.2)."""
    dies: dict[tuple[int, int], CpuSet] = {}
    for package, inside in packages:
        for cpu, cpus in _groups(inside, _listed(files, DIE_LISTS)):
            number = read_number(files, f"{CPUS}/cpu{cpu}/topology/die_id")
            if number is None or number < 0:
                return ()
            dies[package, number] = dies.get((package, number), CpuSet()) | cpus
    return tuple(Die(number, package, cpus) for (package, number), cpus in sorted(dies.items()))


def _listed(files: Files, names: tuple[str, ...]) -> Sharing:
    """Reads the first of *names* that there is in a CPU's folder."""

    def read(cpu: int) -> tuple[str, Optional[CpuSet]]:
        for name in names:
            path = f"{CPUS}/cpu{cpu}/{name}"
            found = read_ids(files, path, CpuSet)
            if found is not None:
                return path, found
        return "", None

    return read


def _last_level(files: Files, cpu: int) -> Optional[tuple[int, str]]:
    """Level and folder of the CPU's cache nearest to memory, instruction caches apart."""
    folder = f"{CPUS}/cpu{cpu}/cache"
    found = []
    for name in files.list(folder):
        level = read_number(files, f"{folder}/{name}/level")
        kind = files.read(f"{folder}/{name}/type")
        if level is not None and (kind or "").strip() != "Instruction":
            found.append((level, f"{folder}/{name}"))
    return max(found, default=None)


def _groups(cpus: CpuSet, sharing: Sharing) -> Iterator[tuple[int, CpuSet]]:
    """*cpus* parted into groups, each with its lowest CPU; a CPU that tells nothing is alone.

    Raises HomenodeProblem where a group leaves out the very CPU, or takes one of another group.
    """
    left = cpus
    while left:
        first = next(iter(left), 0)
        path, told = sharing(first)
        group = CpuSet([first]) if told is None else told & cpus
        if first not in group:
            raise fail(path, str(told), f"leaves out CPU {first} itself")
        if group - left:
            raise fail(path, str(told), f"CPU {group - left} is in another such group already")
        yield first, group
        left = left - group
