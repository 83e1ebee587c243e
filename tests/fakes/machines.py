# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines made up from a few numbers, as the files that their kernel would show.

Out of scope: anything that the reader does not look at. Every CPU has its own files, as on a real
machine, also those that the reader skips because another CPU has told the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from model.cpuset import NO_CPUS, CpuSet

CPUS = "/sys/devices/system/cpu"
NODES = "/sys/devices/system/node"
KIB_PER_GIB = 1 << 20


@dataclass(frozen=True)
class Memory:
    """What a NUMA node has: CPUs (none for a memory-only node) and memory, three quarters free."""

    cpus: CpuSet
    gib: int
    distances: tuple[int, ...]
    hugepages: Mapping[int, int] = field(default_factory=lambda: {2048: 0})


@dataclass(frozen=True)
class Shape:
    """A machine: who shares what, and which memory is where; *packages* and *nodes* by id.

    A *cache_kib* of 0 means a kernel that tells of no caches. *extra* is added to the files as it
    is, and what it maps to None is taken out.
    """

    cores: tuple[CpuSet, ...]
    packages: Mapping[int, CpuSet]
    caches: tuple[CpuSet, ...]
    nodes: Mapping[int, Memory]
    dies: tuple[CpuSet, ...] = ()
    cache_kib: int = 32768
    offline: CpuSet = NO_CPUS
    isolated: CpuSet = NO_CPUS
    extra: Mapping[str, Optional[str]] = field(default_factory=dict)


def sockets(
    count: int, *, nodes: int = 1, cores: int, threads: int = 1, gib: int = 16, far: int = 21
) -> Shape:
    """A regular x86 server: *count* sockets of *nodes* NUMA nodes of *cores* cores.

    First threads are numbered first, as Linux finds them; each node has one last-level cache.
    """
    total = count * nodes * cores
    core_list = tuple(
        CpuSet(core + total * thread for thread in range(threads)) for core in range(total)
    )
    local = [joined(core_list[n * cores : (n + 1) * cores]) for n in range(count * nodes)]
    near = [[10 if a == b else 12 if a // nodes == b // nodes else far for b in range(len(local))]
            for a in range(len(local))]  # fmt: skip
    packages = {p: joined(local[p * nodes : (p + 1) * nodes]) for p in range(count)}
    return Shape(
        cores=core_list,
        packages=packages,
        dies=tuple(packages.values()),
        caches=tuple(local),
        nodes={n: Memory(cpus, gib, tuple(near[n])) for n, cpus in enumerate(local)},
    )


def joined(sets: tuple[CpuSet, ...] | list[CpuSet]) -> CpuSet:
    """The union of *sets*."""
    return CpuSet(cpu for one in sets for cpu in one)


def machine_files(shape: Shape) -> dict[str, str]:
    """The files of *shape*, by path."""
    present = joined(list(shape.packages.values()))
    online = present - shape.offline
    texts = {
        f"{CPUS}/online": f"{online}\n",
        f"{CPUS}/present": f"{present}\n",
        f"{CPUS}/isolated": f"{shape.isolated}\n",
        "/proc/meminfo": _meminfo("", sum(node.gib for node in shape.nodes.values())),
        f"{NODES}/online": f"{CpuSet(shape.nodes)}\n",
    }
    for cpu in online:
        texts.update(_cpu_files(shape, cpu, online))
    for number, node in shape.nodes.items():
        texts.update(_node_files(number, node, online))
    for path, text in shape.extra.items():
        texts.pop(path, None)
        if text is not None:
            texts[path] = text
    return texts


def _cpu_files(shape: Shape, cpu: int, online: CpuSet) -> dict[str, str]:
    topology, cache = f"{CPUS}/cpu{cpu}/topology", f"{CPUS}/cpu{cpu}/cache"
    package = next(number for number, cpus in shape.packages.items() if cpu in cpus)
    texts = {
        f"{topology}/core_cpus_list": _sharing(shape.cores, cpu, online),
        f"{topology}/physical_package_id": f"{package}\n",
        f"{topology}/package_cpus_list": f"{shape.packages[package] & online}\n",
    }
    if shape.dies:
        number = next(number for number, cpus in enumerate(shape.dies) if cpu in cpus)
        texts[f"{topology}/die_id"] = f"{number}\n"
        texts[f"{topology}/die_cpus_list"] = f"{shape.dies[number] & online}\n"
    levels = [("1", "Data", 48), ("1", "Instruction", 32), ("2", "Unified", 1280)]
    for index, (level, kind, kib) in enumerate(levels if shape.cache_kib else ()):
        texts[f"{cache}/index{index}/level"] = f"{level}\n"
        texts[f"{cache}/index{index}/type"] = f"{kind}\n"
        texts[f"{cache}/index{index}/size"] = f"{kib}K\n"
        texts[f"{cache}/index{index}/shared_cpu_list"] = _sharing(shape.cores, cpu, online)
    if shape.cache_kib and any(cpu in cpus for cpus in shape.caches):
        texts[f"{cache}/index3/level"] = "3\n"
        texts[f"{cache}/index3/type"] = "Unified\n"
        texts[f"{cache}/index3/size"] = f"{shape.cache_kib}K\n"
        texts[f"{cache}/index3/shared_cpu_list"] = _sharing(shape.caches, cpu, online)
    return texts


def _sharing(groups: tuple[CpuSet, ...], cpu: int, online: CpuSet) -> str:
    return f"{next(cpus for cpus in groups if cpu in cpus) & online}\n"


def _node_files(number: int, node: Memory, online: CpuSet) -> dict[str, str]:
    folder = f"{NODES}/node{number}"
    texts = {
        f"{folder}/cpulist": f"{node.cpus & online}\n",
        f"{folder}/distance": " ".join(map(str, node.distances)) + "\n",
        f"{folder}/meminfo": _meminfo(f"Node {number} ", node.gib),
    }
    for kib, pages in node.hugepages.items():
        texts[f"{folder}/hugepages/hugepages-{kib}kB/nr_hugepages"] = f"{pages}\n"
        texts[f"{folder}/hugepages/hugepages-{kib}kB/free_hugepages"] = f"{pages}\n"
    for cpu in node.cpus - online:
        texts[f"{folder}/cpu{cpu}/online"] = "0\n"
    return texts


def _meminfo(prefix: str, gib: int) -> str:
    total = gib * KIB_PER_GIB
    used = total // 4
    rows = {"MemTotal": total, "MemFree": total - used, "MemUsed": used}
    return "".join(f"{prefix}{name}: {kib:>14} kB\n" for name, kib in rows.items())
