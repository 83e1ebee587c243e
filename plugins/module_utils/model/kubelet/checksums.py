# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The checksum in a kubelet's state files: FNV-1a over the dump that go-spew makes of the content.

Sources: ``pkg/kubelet/checkpointmanager/checksum``, ``pkg/kubelet/cm/{cpumanager,memorymanager}/
state``, github.com/davecgh/go-spew. Every state file that the kubelets 1.31.0 and 1.35.4 of
tests/judge write is compared. Out of scope: formats that need a feature gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

CPU_STATE, MEMORY_STATE = "cpu_manager_state", "memory_manager_state"

_TABLE = ("total", "systemReserved", "allocatable", "reserved", "free")
_TABLE_FIELDS = ("TotalMemSize", "SystemReserved", "Allocatable", "Reserved", "Free")


def checksum(name: str, content: Mapping[str, object]) -> int:
    """The checksum that belongs into the state file *name* with this *content*.

    Raises KeyError, TypeError or ValueError where the content has another shape.
    """
    dump = _cpu_dump(content) if name == CPU_STATE else _memory_dump(content)
    number = 0x811C9DC5
    for byte in dump.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number


def _cpu_dump(content: Mapping[str, object]) -> str:
    entries = _map(
        _mapping(content.get("entries")), str, lambda of_pod: _map(_mapping(of_pod), str, str)
    )
    return (
        f"(*state.CPUManagerCheckpoint){{PolicyName:(string){content['policyName']}"
        f" DefaultCPUSet:(string){content['defaultCpuSet']}"
        f" Entries:(map[string]map[string]string){entries} Checksum:(checksum.Checksum)0}}"
    )


def _memory_dump(content: Mapping[str, object]) -> str:
    machine = _map(_mapping(content["machineState"]), int, _node_dump)
    entries = _map(
        _mapping(content.get("entries")),
        str,
        lambda of_pod: _map(_mapping(of_pod), str, lambda blocks: _list(blocks, _block_dump)),
    )
    return (
        f"(*state.MemoryManagerCheckpoint){{PolicyName:(string){content['policyName']}"
        f" MachineState:(state.NUMANodeMap){machine}"
        f" Entries:(state.ContainerMemoryAssignments){entries} Checksum:(checksum.Checksum)0}}"
    )


def _node_dump(content: object) -> str:
    numa_node = _mapping(content)
    memory = _map(_mapping(numa_node["memoryMap"]), str, _table_dump)
    return (
        f"<*>{{NumberOfAssignments:(int){numa_node['numberOfAssignments']}"
        f" MemoryMap:(map[v1.ResourceName]*state.MemoryTable){memory}"
        f" Cells:([]int){_list(numa_node['cells'], str)}}}"
    )


def _table_dump(content: object) -> str:
    table = _mapping(content)
    fields = zip(_TABLE_FIELDS, _TABLE)
    return "<*>{" + " ".join(f"{field}:(uint64){table[key]}" for field, key in fields) + "}"


def _block_dump(content: object) -> str:
    block = _mapping(content)
    return (
        f"{{NUMAAffinity:([]int){_list(block['numaAffinity'], str)}"
        f" Type:(v1.ResourceName){block['type']} Size:(uint64){block['size']}}}"
    )


def _map(
    content: Mapping[str, object], key: Callable[[str], object], value: Callable[[object], str]
) -> str:
    """A Go map; *key* gives the type by which its keys are sorted."""
    keys = sorted(content, key=key)  # type: ignore[arg-type]
    return "map[" + " ".join(f"{name}:{value(content[name])}" for name in keys) + "]"


def _list(content: object, value: Callable[[object], str]) -> str:
    if content is None:
        return "<nil>"
    if not isinstance(content, list):
        raise TypeError("is no list")
    return "[" + " ".join(map(value, content)) + "]"


def _mapping(content: object) -> Mapping[str, object]:
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise TypeError("is no map")
    return content
