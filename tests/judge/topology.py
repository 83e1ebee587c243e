# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that is not there: the files that a kubelet, and our facts, read of one.

One description gives both: cadvisor in the kubelet reads them below the places of a real machine,
where a namespace shows them; ``numa_facts`` reads the same folder as another root.
Out of scope: what a kernel does with such a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_files import HostFiles
from model.cpuset import CpuSet
from model.facts import machine_facts
from model.quantity import Quantity
from model.sysfs import read_machine

HUGEPAGE_SIZES_KIB = (2048, 1048576)


@dataclass(frozen=True)
class NumaNode:
    """One node: *cpus* in ascending order, *memory_kib* may be 0, *hugepages* by size in KiB."""

    id: int
    memory_kib: int
    cpus: tuple[int, ...]
    hugepages: Mapping[int, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Topology:
    """Nodes, hardware threads of a core, and MemTotal, which need not be the sum of the nodes.

    The cores of a node have *caches* caches of level 3, which divide them evenly.
    """

    nodes: tuple[NumaNode, ...]
    threads: int = 1
    memory_total_kib: int = 0
    caches: int = 1

    @property
    def memory_total(self) -> int:
        """MemTotal in bytes."""
        return 1024 * (self.memory_total_kib or sum(node.memory_kib for node in self.nodes))

    @property
    def cpus(self) -> tuple[int, ...]:
        """All CPUs, ascending."""
        return tuple(sorted(cpu for node in self.nodes for cpu in node.cpus))


def topology(data: Mapping[str, Any]) -> Topology:
    """A topology from data.

    ``nodes`` is a list of ``{memory: 2Gi, cpus: 0-3}`` with, optionally, ``id`` and ``hugepages``
    (``{2Mi: 10}``); ``threads``, ``caches`` and ``memory_total`` are optional too.
    """
    nodes = []
    for number, item in enumerate(data["nodes"]):
        pages = item.get("hugepages", {})
        nodes.append(
            NumaNode(
                id=item.get("id", number),
                memory_kib=_kib(item["memory"]),
                cpus=tuple(CpuSet.parse(str(item.get("cpus", "")), field="cpus")),
                hugepages={_kib(size): count for size, count in pages.items()},
            )
        )
    total = data.get("memory_total")
    total_kib = 0 if total is None else _kib(total)
    return Topology(tuple(nodes), data.get("threads", 1), total_kib, data.get("caches", 1))


def write(shape: Topology, root: Path) -> None:
    """Write the files of *shape* below *root*, which has none yet."""
    files = _Files(root)
    _write_cpus(shape, files)
    for numa_node in shape.nodes:
        _write_node(shape, numa_node, files)
    folder = "sys/devices/system/node"
    everyone = [numa_node.id for numa_node in shape.nodes]
    with_memory = [numa_node.id for numa_node in shape.nodes if numa_node.memory_kib]
    with_cpus = [numa_node.id for numa_node in shape.nodes if numa_node.cpus]
    for name, ids in (
        ("online", everyone),
        ("possible", everyone),
        ("has_memory", with_memory),
        ("has_normal_memory", with_memory),
        ("has_cpu", with_cpus),
    ):
        files.put(f"{folder}/{name}", str(CpuSet(ids)))
    for size in HUGEPAGE_SIZES_KIB:
        pages = sum(numa_node.hugepages.get(size, 0) for numa_node in shape.nodes)
        files.put(f"sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages", str(pages))
    total = shape.memory_total // 1024
    lines = [("MemTotal", total), ("MemFree", total * 9 // 10), ("MemAvailable", total * 9 // 10)]
    lines += [("Buffers", 0), ("Cached", 0), ("SwapTotal", 0), ("SwapFree", 0)]
    files.put("proc/meminfo", "\n".join(f"{name}: {amount:>14} kB" for name, amount in lines))


def facts(root: Path) -> dict[str, Any]:
    """``ansible_facts.numa`` of the machine whose files are below *root*."""
    return machine_facts(read_machine(HostFiles(str(root))))


@dataclass(frozen=True)
class _Files:
    root: Path

    def put(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n")


def _write_cpus(shape: Topology, files: _Files) -> None:
    folder = "sys/devices/system/cpu"
    for name in ("online", "present", "possible"):
        files.put(f"{folder}/{name}", str(CpuSet(shape.cpus)))
    files.put(f"{folder}/offline", "")
    files.put(f"{folder}/isolated", "")
    core_id = 0
    for numa_node in shape.nodes:
        cores = max(len(numa_node.cpus) // shape.threads, 1)
        cached = max(cores // shape.caches, 1)
        for number, cpu in enumerate(numa_node.cpus):
            siblings = CpuSet(numa_node.cpus[number % cores :: cores])
            cache = number % cores // cached
            users = CpuSet(
                other
                for place, other in enumerate(numa_node.cpus)
                if place % cores // cached == cache
            )
            shared = (numa_node.id * shape.caches + cache, users)
            _write_cpu(files, cpu, core_id + number % cores, numa_node, siblings, shared)
        core_id += cores


def _write_cpu(
    files: _Files,
    cpu: int,
    core: int,
    numa_node: NumaNode,
    siblings: CpuSet,
    shared: tuple[int, CpuSet],
) -> None:
    all_of_node = CpuSet(numa_node.cpus)
    folder = f"sys/devices/system/cpu/cpu{cpu}"
    for name, text in (
        ("core_id", str(core)),
        ("physical_package_id", str(numa_node.id)),
        ("die_id", "0"),
        ("thread_siblings_list", str(siblings)),
        ("core_cpus_list", str(siblings)),
        ("package_cpus_list", str(all_of_node)),
        ("die_cpus_list", str(all_of_node)),
    ):
        files.put(f"{folder}/topology/{name}", text)
    for index, (level, kind, size, users, number) in enumerate(
        (
            (1, "Data", "32K", siblings, core),
            (2, "Unified", "1024K", siblings, core),
            (3, "Unified", "32768K", shared[1], shared[0]),
        )
    ):
        cache = f"{folder}/cache/index{index}"
        for name, text in (
            ("level", str(level)),
            ("type", kind),
            ("size", size),
            ("id", str(number)),
            ("shared_cpu_list", str(users)),
            ("shared_cpu_map", _mask(users)),
        ):
            files.put(f"{cache}/{name}", text)


def _write_node(shape: Topology, numa_node: NumaNode, files: _Files) -> None:
    folder = f"sys/devices/system/node/node{numa_node.id}"
    files.put(f"{folder}/cpulist", str(CpuSet(numa_node.cpus)))
    free = numa_node.memory_kib * 9 // 10
    lines = (("MemTotal", numa_node.memory_kib), ("MemFree", free))
    files.put(
        f"{folder}/meminfo",
        "\n".join(f"Node {numa_node.id} {name}: {amount:>14} kB" for name, amount in lines),
    )
    distances = (10 if other.id == numa_node.id else 21 for other in shape.nodes)
    files.put(f"{folder}/distance", " ".join(map(str, distances)))
    for size in HUGEPAGE_SIZES_KIB:
        pages = f"{folder}/hugepages/hugepages-{size}kB"
        count = str(numa_node.hugepages.get(size, 0))
        files.put(f"{pages}/nr_hugepages", count)
        files.put(f"{pages}/free_hugepages", count)
        files.put(f"{pages}/surplus_hugepages", "0")
    for cpu in numa_node.cpus:
        (files.root / folder / f"cpu{cpu}").symlink_to(f"../../cpu/cpu{cpu}")


def _mask(cpus: CpuSet) -> str:
    number = sum(1 << cpu for cpu in cpus)
    words = [f"{number >> shift & 0xFFFFFFFF:08x}" for shift in range(0, number.bit_length(), 32)]
    return ",".join(reversed(words)) or "00000000"


def _kib(amount: object) -> int:
    return Quantity.parse(str(amount)).whole(field="memory") // 1024
