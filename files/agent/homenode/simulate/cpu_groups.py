# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cores, caches, clusters and core kinds of a description: groups of CPUs that share something.

Out of scope: which of them a policy looks at.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.cpuset import NO_CPUS, CpuSet
from model.fields import Fields
from model.machine import Cache, Die

from .part import NodePart

MAX_GROUPS = 8192
MAX_THREADS = 8


def read_cores(fields: Fields, parts: Sequence[NodePart]) -> tuple[CpuSet, ...]:
    """One set of CPUs per core, by lowest CPU: ``siblings``, or ``threads_per_core`` neighbours.

    Whoever ``siblings`` leaves out is alone. Raises HomenodeProblem for siblings on two nodes.
    """
    threads = fields.integer("threads_per_core", 1, minimum=1, maximum=MAX_THREADS)
    online = CpuSet(cpu for part in parts for cpu in part.cpus)
    named = [group.cpus for group in read_groups(fields, "siblings", online)]
    for core in named:
        if not any(core <= part.cpus for part in parts):
            why = f"the threads {core} of one core are on several nodes"
            raise fields.wrong("siblings", why, "a core is on one node")
    if named:
        threads = 1
    taken = CpuSet(cpu for core in named for cpu in core)
    for part in parts:
        left = list(part.cpus - taken)
        named += [CpuSet(left[at : at + threads]) for at in range(0, len(left), threads)]
    return tuple(sorted(named, key=_lowest))


def read_caches(fields: Fields, cores: Sequence[CpuSet], dies: Sequence[Die]) -> tuple[Cache, ...]:
    """Second and third level, by level and lowest CPU, sizes unknown.

    By default each core has its own second-level cache, and each die one of the third level: as
    on most machines, and no policy makes a difference between that and none.
    """
    online = CpuSet(cpu for core in cores for cpu in core)
    found = []
    for level, default in ((2, cores), (3, [die.cpus for die in dies])):
        groups = read_groups(fields, f"l{level}", online, level) or tuple(
            Cache(number, cpus, 0, level) for number, cpus in enumerate(default) if cpus
        )
        found += sorted(groups, key=lambda group: _lowest(group.cpus))
    return tuple(found)


def read_efficiency_cpus(fields: Fields, online: CpuSet, cores: Sequence[CpuSet]) -> CpuSet:
    """``core_kinds.efficiency``. Raises HomenodeProblem where a core would be of both kinds."""
    kinds = fields.section("core_kinds")
    if kinds is None:
        return NO_CPUS
    cpus = CpuSet.parse(kinds.scalar("efficiency", ""), field=kinds.name("efficiency"))
    kinds.refuse_unknown()
    if not cpus <= online:
        raise kinds.wrong("efficiency", f"there is no CPU {cpus - online}", "name CPUs of nodes")
    for core in cores:
        if core & cpus and not core <= cpus:
            why = f"the threads {core} are one core"
            raise kinds.wrong("efficiency", why, "name all threads of a core or none")
    return cpus


def read_groups(fields: Fields, key: str, online: CpuSet, level: int = 0) -> tuple[Cache, ...]:
    """The groups listed under *key*, as written: a CPU list, or ``{id, cpus}`` for a cache.

    Ids default to the place in the list. Raises HomenodeProblem for a group without CPUs, a CPU
    that is not there, and a CPU or an id that is there twice.
    """
    found: list[Cache] = []
    left = online
    for place, item in enumerate(fields.sections(key, most=MAX_GROUPS, short="cpus")):
        number = item.integer("id", place, minimum=0, maximum=MAX_GROUPS) if level else place
        cpus = CpuSet.parse(item.scalar("cpus", ""), field=item.name("cpus"))
        item.refuse_unknown()
        if not cpus or not cpus <= online:
            why = f"there is no CPU {cpus - online}" if cpus else "has no CPUs"
            raise item.wrong("cpus", why, "name CPUs of nodes")
        if not cpus <= left:
            why = f"CPU {cpus - left} is in another group already"
            raise item.wrong("cpus", why, "give each CPU to one group")
        if number in {other.id for other in found}:
            raise item.wrong("id", "is the id of another group too", "give each its own")
        left = left - cpus
        found.append(Cache(number, cpus, 0, level))
    return tuple(found)


def _lowest(cpus: CpuSet) -> int:
    return next(iter(cpus))
