# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A described machine: packages, their NUMA nodes, and what else the description tells.

``cpu_groups`` reads cores and caches, ``distances`` the matrix, ``memory_types`` guesses types.
Out of scope: frequencies, huge pages, offline CPUs; a recorded machine has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

from model.cpuset import CpuSet, NodeSet
from model.fields import Fields
from model.machine import DRAM, HBM, PMEM, Die, Machine, NumaNode, Package
from model.quantity import Quantity

from .cpu_groups import read_caches, read_cores, read_efficiency_cpus, read_groups
from .distances import read_distances
from .memory_types import with_types
from .part import NodePart

MAX_NODES = 64
"""As many as nri-plugins' memory allocator can tell apart (pinning.md §1.1)."""
TYPES = {"DRAM": DRAM, "PMEM": PMEM, "HBM": HBM}


def read_machine(fields: Fields) -> Machine:
    """The machine that the mapping *fields* describes.

    Raises HomenodeProblem where it contradicts itself, says something twice, or has no CPU.
    """
    parts: list[NodePart] = []
    packages = []
    dies = []
    for number, package in enumerate(fields.sections("packages", most=MAX_NODES)):
        first = len(parts)
        for die, inside in enumerate(_read_package(package, number)):
            parts += inside
            dies.append(Die(die, number, _cpus(inside)))
        cpus = _cpus(parts[first:])
        if not cpus:
            raise fields.wrong("packages", f"package {number} has no CPU", "give a node cpus")
        nodes = NodeSet(part.id for part in parts[first:] if part.cpus)
        packages.append(Package(number, nodes, cpus))
    if not packages:
        raise fields.wrong("packages", "there is none", "give one package at least")
    for memory in fields.sections("nodes_without_cpus", most=MAX_NODES):
        parts.append(_read_node(memory, package=None, die=0, with_cpus=False))
    _check_once(parts)
    parts = with_types(sorted(parts, key=lambda part: part.id))
    machine = _assembled(fields, parts, tuple(packages), tuple(dies))
    fields.refuse_unknown()
    return machine


def _assembled(
    fields: Fields,
    parts: Sequence[NodePart],
    packages: tuple[Package, ...],
    dies: tuple[Die, ...],
) -> Machine:
    online = _cpus(parts)
    cores = read_cores(fields, parts)
    caches = read_caches(fields, cores, dies)
    last = max(cache.level for cache in caches)
    efficiency = read_efficiency_cpus(fields, online, cores)
    isolated = CpuSet.parse(fields.scalar("isolated", ""), field=fields.name("isolated"))
    if not isolated <= online:
        raise fields.wrong("isolated", f"there is no CPU {isolated - online}", "name CPUs of nodes")
    return Machine(
        nodes=_numa_nodes(parts, read_distances(fields, parts)),
        packages=packages,
        online=online,
        present=online,
        isolated=isolated,
        siblings=cores,
        last_level_caches=tuple(cache for cache in caches if cache.level == last),
        memory_total_bytes=sum(part.memory_bytes for part in parts),
        numa=True,
        dies=dies,
        performance_cpus=online - efficiency if efficiency else efficiency,
        efficiency_cpus=efficiency,
        clusters=tuple(one.cpus for one in read_groups(fields, "clusters", online)) or cores,
        caches=caches,
    )


def _numa_nodes(
    parts: Sequence[NodePart], distances: Sequence[Sequence[int]]
) -> tuple[NumaNode, ...]:
    ids = [part.id for part in parts]
    return tuple(
        NumaNode(
            part.id,
            part.cpus,
            part.kind,
            part.package if part.cpus else None,
            part.memory_bytes,
            part.memory_bytes,
            {},
            dict(zip(ids, row)),
        )
        for part, row in zip(parts, distances)
    )


def _read_package(fields: Fields, number: int) -> list[list[NodePart]]:
    """The NUMA nodes of each die; a package without dies is one."""
    dies = fields.sections("dies", most=MAX_NODES)
    nodes = fields.sections("nodes", most=MAX_NODES)
    if bool(dies) == bool(nodes):
        raise fields.wrong(
            "nodes", "a package holds either nodes, or dies that hold nodes", "give one of them"
        )
    fields.refuse_unknown()
    found = [
        [_read_node(one, package=number, die=at) for one in die.sections("nodes", most=MAX_NODES)]
        for at, die in enumerate(dies)
    ]
    for die in dies:
        die.refuse_unknown()
    return found or [[_read_node(one, package=number, die=0) for one in nodes]]


def _read_node(
    fields: Fields, *, package: Optional[int], die: int, with_cpus: bool = True
) -> NodePart:
    name = fields.text("type", "").upper()
    if name and name not in TYPES:
        raise fields.wrong("type", "is no memory type", "use one of: " + ", ".join(TYPES))
    cpus = fields.scalar("cpus", "") if with_cpus else ""
    memory = fields.name("memory")
    part = NodePart(
        fields=fields,
        id=fields.integer("id", -1, minimum=0, maximum=MAX_NODES - 1),
        cpus=CpuSet.parse(cpus, field=fields.name("cpus")),
        memory_bytes=Quantity.parse(fields.scalar("memory", "0"), field=memory).whole(field=memory),
        kind=TYPES.get(name, ""),
        package=package,
        die=die,
    )
    if part.memory_bytes < 0:
        raise fields.wrong("memory", "is negative", "give 0 or more")
    fields.refuse_unknown()
    return part


def _cpus(parts: Iterable[NodePart]) -> CpuSet:
    return CpuSet(cpu for part in parts for cpu in part.cpus)


def _check_once(parts: Iterable[NodePart]) -> None:
    """Raise HomenodeProblem for a node id or a CPU that is there twice."""
    seen: dict[int, NodePart] = {}
    for part in parts:
        if part.id in seen:
            raise part.fields.wrong("id", "is the id of another node too", "give each its own")
        for other in seen.values():
            both = part.cpus & other.cpus
            if both:
                why = f"CPU {both} is on node {other.id} already"
                raise part.fields.wrong("cpus", why, "give each CPU to one node")
        seen[part.id] = part
