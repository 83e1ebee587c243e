# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""State files that a kubelet with this configuration would refuse, from their content.

``cpu_manager_state`` and ``memory_manager_state`` hold the policy of the last run, and the memory
of each NUMA node to the byte. Never edit them: they carry a checksum. Deleting one under running
pods moves their CPUs away from their memory, so this only names them. Out of scope: CPUs that
are assigned to pods and reserved now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..problem import Problem
from ..quantity import Quantity
from .configuration import records, text
from .effective import Effective
from .hardware import Hardware
from .managers import limit

CPU_STATE, MEMORY_STATE = "cpu_manager_state", "memory_manager_state"
REMEDY = "drain the node, stop the kubelet, and delete this file before the kubelet starts again"


def stale(
    found: Effective, machine: Hardware, checkpoints: Mapping[str, object]
) -> Iterator[Problem]:
    """The state files that have to go first, with the kubelet's words.

    *checkpoints* has their parsed content by file name; a file that is missing never hinders.
    """
    for name, key in ((CPU_STATE, "cpuManagerPolicy"), (MEMORY_STATE, "memoryManagerPolicy")):
        state = checkpoints.get(name)
        if state is None:
            continue
        before = state.get("policyName") if isinstance(state, Mapping) else None
        policy = text(found.config, key)
        if before != policy:
            kind = "[memorymanager] " if name == MEMORY_STATE else ""
            why = f'{kind}configured policy "{policy}" differs from state checkpoint policy'
            yield Problem(name, str(before), f'{why} "{before}"', REMEDY)
        elif policy == "Static" and isinstance(state, Mapping):
            difference = _difference(found, machine, state.get("machineState"))
            if difference:
                why = "[memorymanager] the expected machine state is different from the real one"
                yield Problem(name, difference, why, REMEDY)


def _difference(found: Effective, machine: Hardware, before: object) -> str:
    """The first NUMA node whose memory or reservation is not what the file says; or nothing."""
    nodes = before if isinstance(before, Mapping) else {}
    known = {str(room.id) for room in machine.rooms}
    if set(nodes) != known:
        return f"NUMA nodes {', '.join(sorted(nodes))} before, {', '.join(sorted(known))} now"
    shares = _shares(found)
    for room in machine.rooms:
        memory = _memory(nodes[str(room.id)])
        now = {"total": room.memory_total, "systemReserved": shares.get(room.id, 0)}
        for field, value in now.items():
            if memory.get(field) != value:
                return f"{field} of node {room.id}: {memory.get(field)} before, {value} now"
    return ""


def _memory(numa_node: object) -> Mapping[str, object]:
    kinds = numa_node.get("memoryMap") if isinstance(numa_node, Mapping) else None
    memory = kinds.get("memory") if isinstance(kinds, Mapping) else None
    return memory if isinstance(memory, Mapping) else {}


def _shares(found: Effective) -> dict[object, int]:
    shares: dict[object, int] = {}
    for entry in records(found.config, "reservedMemory"):
        limits = entry.get("limits")
        amount = limits.get("memory") if isinstance(limits, Mapping) else None
        share = limit("memory", amount) if amount is not None else Quantity(0)
        shares[entry.get("numaNode") or 0] = share.ceiling
    return shares
