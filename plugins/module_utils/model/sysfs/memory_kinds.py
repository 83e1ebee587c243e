# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What kind of memory a CPU-less NUMA node has, by evidence only.

A node with CPUs is DRAM. For a node without, in this order:

``pmem``  an NVDIMM region has it as target node: ``/sys/bus/nd/devices/region*/target_node``
          (drivers/nvdimm/bus.c). Persistent memory on CXL has such a region too.
``cxl``   a DAX device of a CXL region has it as target node:
          ``/sys/bus/cxl/devices/dax_region*/dax*/target_node`` (Documentation/ABI/testing/
          sysfs-bus-dax, drivers/cxl/core/region.c). CXL memory that firmware already handed out as
          plain memory has no DAX device and stays ``memory-only``.
``hbm``   it is faster than DRAM: its memory tier is above the one of the nodes with CPUs (a
          smaller number: Documentation/ABI/testing/sysfs-kernel-mm-memory-tiers), or its read
          bandwidth is over twice theirs (``access0/initiators/read_bandwidth``, MB/s, from the
          ACPI HMAT: Documentation/admin-guide/mm/numaperf.rst; twice is hwloc's threshold).
``memory-only``  anything else: a slower tier alone does not tell PMEM from CXL, and sizes tell
          nothing at all (guessing HBM by size takes small CXL expanders for HBM).

Out of scope: HBM that is the only memory of nodes with CPUs, and the memory of GPUs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cpuset import NodeSet
from ..files import Files
from ..machine import CXL, HBM, MEMORY_ONLY, PMEM
from .values import read_ids, read_number

TIERS = "/sys/devices/virtual/memory_tiering"
NVDIMM_DEVICES = "/sys/bus/nd/devices"
CXL_DEVICES = "/sys/bus/cxl/devices"
HBM_BANDWIDTH_RATIO = 2

_TIER_FOLDER = re.compile(r"memory_tier(\d{1,9})\Z", re.ASCII)
_REGION = re.compile(r"region\d+\Z", re.ASCII)
_DAX_REGION = re.compile(r"dax_region\d+\Z", re.ASCII)
_DAX = re.compile(r"dax[\d.]+\Z", re.ASCII)


def cpuless_kinds(files: Files, with_cpus: NodeSet, cpuless: NodeSet) -> dict[int, str]:
    """The kind of each node of *cpuless*; without any, no file is read.

    Raises HomenodeProblem where a file that is there holds no number or list.
    """
    if not cpuless:
        return {}
    pmem = NodeSet(_target_nodes(files, NVDIMM_DEVICES, _REGION))
    cxl = NodeSet(
        number
        for name in files.list(CXL_DEVICES)
        if _DAX_REGION.match(name)
        for number in _target_nodes(files, f"{CXL_DEVICES}/{name}", _DAX)
    )
    faster = _higher_tier(files, with_cpus) | _higher_bandwidth(files, with_cpus, cpuless)
    evidence = ((PMEM, pmem), (CXL, cxl), (HBM, faster))
    return {
        number: next((kind for kind, nodes in evidence if number in nodes), MEMORY_ONLY)
        for number in cpuless
    }


def _target_nodes(files: Files, folder: str, names: re.Pattern[str]) -> Iterator[int]:
    """A device of no node says -1, or has no such file."""
    for name in files.list(folder):
        if names.match(name):
            number = read_number(files, f"{folder}/{name}/target_node")
            if number is not None and number >= 0:
                yield number


def _higher_tier(files: Files, with_cpus: NodeSet) -> NodeSet:
    """The nodes of every tier above the highest one with CPUs."""
    tiers = {}
    for name in files.list(TIERS):
        match = _TIER_FOLDER.match(name)
        nodes = read_ids(files, f"{TIERS}/{name}/nodelist", NodeSet) if match else None
        if match and nodes is not None:
            tiers[int(match[1])] = nodes
    higher = NodeSet()
    for number in sorted(tiers):
        if tiers[number] & with_cpus:
            return higher
        higher = higher | tiers[number]
    return NodeSet()


def _higher_bandwidth(files: Files, with_cpus: NodeSet, cpuless: NodeSet) -> NodeSet:
    dram = max((_bandwidth(files, number) for number in with_cpus), default=0)
    if not dram:
        return NodeSet()
    return NodeSet(n for n in cpuless if _bandwidth(files, n) > HBM_BANDWIDTH_RATIO * dram)


def _bandwidth(files: Files, number: int) -> int:
    """MB/s for the initiators nearest to the node; 0 where the firmware tells none."""
    path = f"/sys/devices/system/node/node{number}/access0/initiators/read_bandwidth"
    return read_number(files, path) or 0
