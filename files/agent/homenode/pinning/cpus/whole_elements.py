# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passes that take what every machine has: whole packages, whole cores, then single threads.

Source: nri-plugins' CPU allocator. Out of scope: clusters and caches, which come between.
"""

from __future__ import annotations

from model.cpuset import CpuSet
from model.machine import Package

from .draft import Draft
from .priority import fit


def idle_packages(draft: Draft) -> Draft:
    """Packages whose CPUs of the wanted priority are all free, while they fit.

    Only those CPUs are taken: where a package has none, as on a machine without high-priority
    CPUs, it is never taken as a whole.
    """
    for cpus in draft.topology.packages_of_class(draft.priority):
        if cpus and len(cpus) <= draft.missing and cpus <= draft.free:
            draft = draft.take(cpus)
    return draft


def idle_cores(draft: Draft) -> Draft:
    """Cores that are free with all their threads, the best for the priority first, while they fit.

    An odd number leaves one CPU for the last pass.
    """
    for core in draft.topology.cores_by(draft.priority):
        if not draft.missing:
            break
        if len(core) <= draft.missing and core <= draft.free:
            draft = draft.take(core)
    return draft


def idle_threads(draft: Draft) -> Draft:
    """Single CPUs: in packages that have given most already, in cores that have least left."""
    packages = [package for package in draft.topology.packages if package.cpus & draft.free]

    def order(package: Package) -> tuple[int, tuple[int, ...], int]:
        suits = fit(
            package.cpus & draft.free, draft.topology.priorities, draft.priority, draft.missing
        )
        return -len(package.cpus & draft.taken), suits, package.id

    missing = draft.missing
    chosen: list[int] = []
    for package in sorted(packages, key=order) if missing else ():
        chosen += _threads(draft, package.cpus & draft.free)
        if len(chosen) >= missing:
            break
    return draft.take(CpuSet(chosen[:missing]))


def _threads(draft: Draft, cpus: CpuSet) -> list[int]:
    """*cpus*, all of one package, the best first."""
    topology = draft.topology

    def order(cpu: int) -> tuple[tuple[int, ...], int, int]:
        return (
            topology.rank_of(cpu, draft.priority),
            len(topology.core_of(cpu) & draft.free),
            cpu,
        )

    return sorted(cpus, key=order)
