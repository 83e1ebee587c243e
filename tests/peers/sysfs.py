# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A described machine (the form of ``homenode simulate``) as the files that its kernel would show.

Each CPU has its own files, with ids, as the peers read them. Memory types follow from sizes, as
there (pinning.md §1.2), so a ``type`` that says otherwise cannot be shown. Out of scope: recorded
machines, frequencies, devices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fakes.machines import CPUS, NODES
from model.cpuset import CpuSet
from model.quantity import amount

KIB = 1024


@dataclass(frozen=True)
class Group:
    """CPUs that share something, and the id that the kernel gives it."""

    id: int
    cpus: CpuSet


@dataclass(frozen=True)
class NumaNode:
    """One node of the description, memory in KiB."""

    id: int
    cpus: CpuSet
    memory_kib: int


@dataclass(frozen=True)
class Described:
    """What the description says, in full."""

    nodes: tuple[NumaNode, ...]
    packages: tuple[Group, ...]
    dies: tuple[Group, ...]
    cores: tuple[CpuSet, ...]
    caches: Mapping[int, tuple[Group, ...]]
    distances: tuple[tuple[int, ...], ...]
    isolated: CpuSet
    efficiency: CpuSet

    @property
    def cpus(self) -> CpuSet:
        """All CPUs."""
        return joined(numa_node.cpus for numa_node in self.nodes)

    @property
    def memory_bytes(self) -> int:
        """Of all nodes."""
        return KIB * sum(numa_node.memory_kib for numa_node in self.nodes)


def joined(sets: Iterable[CpuSet]) -> CpuSet:
    """The union of *sets*."""
    return CpuSet(cpu for one in sets for cpu in one)


def described(machine: Mapping[str, Any]) -> Described:
    """Read a description; KeyError and ValueError where it is none."""
    nodes: list[NumaNode] = []
    packages, dies = [], []
    for number, package in enumerate(machine["packages"]):
        first = len(nodes)
        for die, holder in enumerate(package.get("dies") or [package]):
            here = [_node(item) for item in holder["nodes"]]
            nodes += here
            dies.append(Group(die, joined(one.cpus for one in here)))
        packages.append(Group(number, joined(one.cpus for one in nodes[first:])))
    nodes += [_node(item) for item in machine.get("nodes_without_cpus", ())]
    nodes.sort(key=lambda one: one.id)
    cores = _cores(machine, nodes)
    caches = {2: _groups(machine.get("l2")) or _numbered(cores)}
    caches[3] = _groups(machine.get("l3")) or tuple(
        Group(number, die.cpus) for number, die in enumerate(dies)
    )
    if len(nodes) > 1 and "distances" not in machine:
        raise ValueError("a machine of several nodes needs distances here")
    return Described(
        nodes=tuple(nodes),
        packages=tuple(packages),
        dies=tuple(dies),
        cores=cores,
        caches=caches,
        distances=tuple(map(tuple, machine.get("distances", [[10]]))),
        isolated=CpuSet.parse(str(machine.get("isolated", ""))),
        efficiency=CpuSet.parse(str(machine.get("core_kinds", {}).get("efficiency", ""))),
    )


def machine_files(machine: Described) -> dict[str, str]:
    """The files of *machine*, by path."""
    texts = {f"{CPUS}/{name}": str(machine.cpus) for name in ("online", "present", "possible")}
    texts[f"{CPUS}/isolated"] = str(machine.isolated)
    texts["/proc/meminfo"] = _meminfo("", machine.memory_bytes // KIB)
    texts["/proc/interrupts"] = " ".join(f"CPU{cpu}" for cpu in machine.cpus)
    if machine.efficiency:
        texts["/sys/devices/cpu_atom/cpus"] = str(machine.efficiency)
        texts["/sys/devices/cpu_core/cpus"] = str(machine.cpus - machine.efficiency)
    with_memory = CpuSet(one.id for one in machine.nodes if one.memory_kib)
    texts[f"{NODES}/online"] = texts[f"{NODES}/possible"] = str(
        CpuSet(one.id for one in machine.nodes)
    )
    texts[f"{NODES}/has_memory"] = texts[f"{NODES}/has_normal_memory"] = str(with_memory)
    texts[f"{NODES}/has_cpu"] = str(CpuSet(one.id for one in machine.nodes if one.cpus))
    for numa_node, row in zip(machine.nodes, machine.distances):
        folder = f"{NODES}/node{numa_node.id}"
        texts[f"{folder}/cpulist"] = str(numa_node.cpus)
        texts[f"{folder}/distance"] = " ".join(map(str, row))
        texts[f"{folder}/meminfo"] = _meminfo(f"Node {numa_node.id} ", numa_node.memory_kib)
        for cpu in numa_node.cpus:
            texts[f"{CPUS}/cpu{cpu}/node{numa_node.id}/cpulist"] = str(numa_node.cpus)
    for cpu in machine.cpus:
        texts.update(_cpu_files(machine, cpu))
    return {path: f"{text}\n" for path, text in texts.items()}


def _node(item: Mapping[str, Any]) -> NumaNode:
    memory = amount(item.get("memory", 0), field="memory")
    return NumaNode(item["id"], CpuSet.parse(str(item.get("cpus", ""))), memory // KIB)


def _cores(machine: Mapping[str, Any], nodes: list[NumaNode]) -> tuple[CpuSet, ...]:
    if "siblings" in machine:
        named = [CpuSet.parse(str(text)) for text in machine["siblings"]]
        alone = joined(one.cpus for one in nodes) - joined(named)
        return tuple(sorted([*named, *(CpuSet([cpu]) for cpu in alone)], key=min))
    threads = machine.get("threads_per_core", 1)
    found = []
    for numa_node in nodes:
        cpus = list(numa_node.cpus)
        found += [CpuSet(cpus[at : at + threads]) for at in range(0, len(cpus), threads)]
    return tuple(sorted(found, key=min))


def _numbered(sets: Iterable[CpuSet]) -> tuple[Group, ...]:
    return tuple(Group(number, cpus) for number, cpus in enumerate(sets))


def _groups(items: Any) -> tuple[Group, ...]:
    return tuple(
        Group(item["id"], CpuSet.parse(str(item["cpus"])))
        if isinstance(item, Mapping)
        else Group(number, CpuSet.parse(str(item)))
        for number, item in enumerate(items or ())
    )


def _cpu_files(machine: Described, cpu: int) -> dict[str, str]:
    topology, cache = f"{CPUS}/cpu{cpu}/topology", f"{CPUS}/cpu{cpu}/cache"
    package, die = _of(machine.packages, cpu), _of(machine.dies, cpu)
    core = next(core for core in machine.cores if cpu in core)
    texts = {
        f"{topology}/physical_package_id": str(package.id),
        f"{topology}/package_cpus_list": str(package.cpus),
        f"{topology}/die_id": str(die.id),
        f"{topology}/die_cpus_list": str(die.cpus),
        f"{topology}/cluster_id": str(min(core)),
        f"{topology}/cluster_cpus_list": str(core),
        f"{topology}/core_id": str(min(core)),
        f"{topology}/core_cpus_list": str(core),
        f"{topology}/thread_siblings_list": str(core),
    }
    own = Group(min(core), core)
    rows = [(1, "Data", own), (1, "Instruction", own)]
    for level in (2, 3):
        rows += [(level, "Unified", one) for one in machine.caches[level] if cpu in one.cpus]
    for index, (level, kind, group) in enumerate(rows):
        folder = f"{cache}/index{index}"
        texts[f"{folder}/id"] = str(group.id)
        texts[f"{folder}/level"] = str(level)
        texts[f"{folder}/type"] = kind
        texts[f"{folder}/size"] = f"{32 << 5 * (level - 1)}K"
        texts[f"{folder}/shared_cpu_list"] = str(group.cpus)
    return texts


def _of(groups: tuple[Group, ...], cpu: int) -> Group:
    return next(group for group in groups if cpu in group.cpus)


def _meminfo(prefix: str, kib: int) -> str:
    rows = {"MemTotal": kib, "MemFree": kib * 3 // 4}
    return "\n".join(f"{prefix}{name}: {value:>14} kB" for name, value in rows.items())
