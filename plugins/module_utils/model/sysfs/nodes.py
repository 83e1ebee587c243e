# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""NUMA nodes and their memory, from ``/sys/devices/system/node``.

Out of scope: what kind of memory a CPU-less node has (``memory_kinds``), and free memory over time.
"""

from __future__ import annotations

import re

from ..cpuset import CpuSet, NodeSet
from ..files import Files
from ..machine import DRAM, Hugepages, NumaNode
from .cpus import Cpus
from .memory_kinds import cpuless_kinds
from .values import KIB, fail, meminfo_bytes, read_ids, read_number, required

NODES = "/sys/devices/system/node"
MEMINFO = "/proc/meminfo"

LOCAL_DISTANCE, REMOTE_DISTANCE = 10, 20
"""What Linux assumes without a SLIT: include/linux/topology.h."""

_NODE_FOLDER = re.compile(r"node(\d{1,4})\Z", re.ASCII)
_CPU_LINK = re.compile(r"cpu\d{1,4}\Z", re.ASCII)
_HUGEPAGES_FOLDER = re.compile(r"hugepages-(\d{1,9})kB\Z", re.ASCII)


def memory_total_bytes(files: Files) -> int:
    """``MemTotal`` of /proc/meminfo, in bytes. Raises HomenodeProblem where it is not to be had."""
    return meminfo_bytes(MEMINFO, required(MEMINFO, files.read(MEMINFO)), "MemTotal")


def read_nodes(files: Files, cpus: Cpus) -> tuple[NumaNode, ...]:
    """The online nodes, ascending; none where the kernel has no ``node/`` folder.

    Raises HomenodeProblem where a node lacks its ``cpulist`` or ``meminfo``, and where an online
    CPU is on two nodes, or on none.
    """
    online = read_ids(files, f"{NODES}/online", NodeSet)
    if online is None:
        folders = (_NODE_FOLDER.match(name) for name in files.list(NODES))
        online = NodeSet(int(match[1]) for match in folders if match)
    local = {number: _node_cpus(files, number) & cpus.online for number in online}
    _check_one_home_each(local, cpus.online)
    movable = _movable_only(files, online)
    kinds = cpuless_kinds(
        files, NodeSet(n for n in local if local[n]), NodeSet(_truly_cpuless(files, local))
    )
    return tuple(
        NumaNode(
            number,
            local[number],
            kinds.get(number, DRAM),
            cpus.package_of(local[number]),
            *_memory(files, f"{NODES}/node{number}/meminfo"),
            _hugepages(files, f"{NODES}/node{number}/hugepages"),
            _distances(files, number, online),
            movable_only=number in movable,
        )
        for number in online
    )


def sole_node(files: Files, cpus: Cpus) -> NumaNode:
    """Node 0 of a machine without NUMA: every CPU, and all memory as /proc/meminfo counts it."""
    return NumaNode(
        0,
        cpus.online,
        DRAM,
        cpus.package_of(cpus.online),
        *_memory(files, MEMINFO),
        _hugepages(files, "/sys/kernel/mm/hugepages"),
        {0: LOCAL_DISTANCE},
    )


def _node_cpus(files: Files, number: int) -> CpuSet:
    path = f"{NODES}/node{number}/cpulist"
    return required(path, read_ids(files, path, CpuSet))


def _check_one_home_each(local: dict[int, CpuSet], online: CpuSet) -> None:
    homeless = online
    for number, cpus in local.items():
        if cpus - homeless:
            path = f"{NODES}/node{number}/cpulist"
            raise fail(path, str(cpus), f"CPU {cpus - homeless} is on another node already")
        homeless = homeless - cpus
    if local and homeless:
        remedy = "read again: a CPU may have been plugged meanwhile"
        raise fail(f"{NODES}/node*/cpulist", str(homeless), "online CPUs are on no node", remedy)


def _truly_cpuless(files: Files, local: dict[int, CpuSet]) -> list[int]:
    """The nodes without any CPU; one whose CPUs are merely offline keeps links to them."""
    found = []
    for number, cpus in local.items():
        folder = f"{NODES}/node{number}"
        links = () if cpus else (name for name in files.list(folder) if _CPU_LINK.match(name))
        if not cpus and not any(files.read(f"{folder}/{name}/online") for name in links):
            found.append(number)
    return found


def _movable_only(files: Files, online: NodeSet) -> NodeSet:
    """The nodes whose memory is all in ZONE_MOVABLE; none where the kernel does not tell."""
    any_memory = read_ids(files, f"{NODES}/has_memory", NodeSet)
    normal = read_ids(files, f"{NODES}/has_normal_memory", NodeSet)
    return NodeSet() if any_memory is None or normal is None else (any_memory & online) - normal


def _memory(files: Files, path: str) -> tuple[int, int]:
    """Total and free bytes. Raises HomenodeProblem where more is free than there is."""
    text = required(path, files.read(path))
    total, free = (meminfo_bytes(path, text, field) for field in ("MemTotal", "MemFree"))
    if free > total:
        raise fail(path, f"MemFree {free // KIB} kB", f"is above MemTotal {total // KIB} kB")
    return total, free


def _hugepages(files: Files, folder: str) -> dict[str, Hugepages]:
    """By size, smallest first; a count that is missing is 0."""
    pages = {}
    for name in files.list(folder):
        match = _HUGEPAGES_FOLDER.match(name)
        if match:
            total = read_number(files, f"{folder}/{name}/nr_hugepages") or 0
            free = read_number(files, f"{folder}/{name}/free_hugepages") or 0
            pages[int(match[1])] = Hugepages(total, free)
    return {_size_name(kib): pages[kib] for kib in sorted(pages)}


def _size_name(kib: int) -> str:
    """2048 is "2Mi", as Kubernetes names huge pages; 64 is "64Ki"."""
    for suffix in ("Ki", "Mi"):
        if kib % 1024:
            return f"{kib}{suffix}"
        kib //= 1024
    return f"{kib}Gi"


def _distances(files: Files, number: int, online: NodeSet) -> dict[int, int]:
    """One SLIT distance for each *online* node: the kernel prints them in ascending order."""
    path = f"{NODES}/node{number}/distance"
    text = files.read(path)
    if text is None:
        return {other: LOCAL_DISTANCE if other == number else REMOTE_DISTANCE for other in online}
    row = text.split()
    if len(row) != len(online) or not all(entry.isascii() and entry.isdigit() for entry in row):
        raise fail(path, text, f"is not one number for each of the nodes {online}")
    return dict(zip(online, map(int, row)))
