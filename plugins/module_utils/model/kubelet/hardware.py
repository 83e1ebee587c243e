# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The machine as the kubelet's managers see it, read from the facts of ``numa_facts``.

Out of scope: which CPUs are siblings, caches, distances: no kubelet refuses to start over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from ..cpuset import CpuSet
from ..problem import HomenodeProblem
from .split import Room, rooms


@dataclass(frozen=True)
class Hardware:
    """NUMA nodes with their memory, online CPUs, and MemTotal of ``/proc/meminfo`` in bytes.

    *without_cpus* are the ids of nodes that have memory and no CPU. *memory_total* and *online*
    are None where the facts do not say.
    """

    rooms: tuple[Room, ...]
    online: Optional[CpuSet]
    memory_total: Optional[int]
    without_cpus: tuple[int, ...] = ()


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
