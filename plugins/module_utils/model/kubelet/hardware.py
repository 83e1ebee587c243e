# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The machine as the kubelet's managers see it, read from the facts of ``numa_facts``.

Out of scope: caches and distances: no kubelet refuses to start over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..cpuset import CpuSet
from ..problem import HomenodeProblem
from ..quantity import Quantity
from .split import Room, rooms


@dataclass(frozen=True)
class Hardware:
    """NUMA nodes with their memory, online CPUs, and MemTotal of ``/proc/meminfo`` in bytes.

    *without_cpus* are the ids of nodes that have memory and no CPU. *memory_total* and *online*
    are None where the facts do not say, and so is *hugepages*: bytes by node and kind of page.
    *cores* are sets of siblings, *sockets* and *node_cpus* sets of CPUs by id.
    """

    rooms: tuple[Room, ...]
    online: Optional[CpuSet]
    memory_total: Optional[int]
    without_cpus: tuple[int, ...] = ()
    cores: tuple[CpuSet, ...] = ()
    sockets: Mapping[int, CpuSet] = field(default_factory=dict)
    node_cpus: Mapping[int, CpuSet] = field(default_factory=dict)
    hugepages: Optional[Mapping[int, Mapping[str, int]]] = None


def hardware(facts: object) -> Hardware:
    """Read ``ansible_facts.numa``, or only its list of nodes. Raises HomenodeProblem."""
    if not isinstance(facts, Mapping):
        return Hardware(rooms(facts), None, None)
    nodes = facts.get("nodes")
    found = rooms(nodes)
    return Hardware(
        rooms=found,
        online=_online(facts.get("cpus")),
        memory_total=_memory_total(facts.get("memory_total_bytes")),
        without_cpus=_without_cpus(nodes, found),
        cores=_cores(facts.get("cpus")),
        sockets=_cpus_by_id(facts.get("packages")),
        node_cpus=_cpus_by_id(nodes),
        hugepages=_hugepages(nodes),
    )


def _online(cpus: object) -> Optional[CpuSet]:
    listed = cpus.get("online") if isinstance(cpus, Mapping) else None
    if listed is None:
        return None
    return CpuSet.parse(str(listed), field="numa.cpus.online")


def _memory_total(amount: object) -> Optional[int]:
    if amount is None:
        return None
    if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
        raise HomenodeProblem(
            "numa.memory_total_bytes", amount, "is no amount of memory", "give MemTotal in bytes"
        )
    return amount


def _without_cpus(nodes: object, found: tuple[Room, ...]) -> tuple[int, ...]:
    empty = set()
    for number, item in enumerate(nodes if isinstance(nodes, (list, tuple)) else ()):
        if isinstance(item, Mapping) and item.get("cpus") == "":
            empty.add(item.get("id", number))
    return tuple(room.id for room in found if room.id in empty and room.memory_total > 0)


def _cores(cpus: object) -> tuple[CpuSet, ...]:
    listed = cpus.get("siblings") if isinstance(cpus, Mapping) else None
    items = listed if isinstance(listed, (list, tuple)) else ()
    return tuple(CpuSet.parse(str(item), field="numa.cpus.siblings") for item in items)


def _cpus_by_id(items: object) -> dict[int, CpuSet]:
    """The CPUs of packages or nodes; those without any are left out."""
    found = {}
    for number, item in enumerate(items if isinstance(items, (list, tuple)) else ()):
        if isinstance(item, Mapping) and item.get("cpus"):
            cpus = CpuSet.parse(str(item["cpus"]), field="numa.cpus")
            found[int(item.get("id", number))] = cpus
    return found


def _hugepages(nodes: object) -> Optional[dict[int, dict[str, int]]]:
    found = {}
    for number, item in enumerate(nodes if isinstance(nodes, (list, tuple)) else ()):
        memory = item.get("memory") if isinstance(item, Mapping) else None
        pages = memory.get("hugepages") if isinstance(memory, Mapping) else None
        if not isinstance(item, Mapping) or not isinstance(pages, Mapping):
            return None
        found[int(item.get("id", number))] = {
            f"hugepages-{size}": Quantity.parse(str(size)).whole(field="size") * _count(counts)
            for size, counts in pages.items()
        }
    return found or None


def _count(counts: object) -> int:
    total = counts.get("total") if isinstance(counts, Mapping) else None
    return total if isinstance(total, int) else 0
