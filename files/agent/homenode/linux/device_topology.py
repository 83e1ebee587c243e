# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs or NUMA nodes a device is near, by walking up its folder in sysfs.

A device node is found through ``/sys/dev``, a path in sysfs is taken as it is; both only below
``/sys/devices`` of the machine's root, whatever links say. Sources: Documentation/ABI/testing
(sysfs-bus-pci ``local_cpulist`` and ``numa_node``, sysfs-devices-node ``cpulist``, cacheinfo).
Out of scope: which devices a container has, what a policy makes of it; stacked block devices.
"""

from __future__ import annotations

import os
import stat
from typing import Optional

from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet
from model.problem import HomenodeProblem

CPU_FILES = ("cpulist", "cpulistaffinity", "local_cpulist", "shared_cpu_list")
NODE_FILE = "numa_node"
MAX_DEPTH = 32
MAX_BYTES = 4096


def device_node_folder(host_root: str, path: str) -> Optional[str]:
    """The sysfs folder of a device node such as ``/dev/nvme0n1``; None for what is no device."""
    try:
        found = os.stat(_below(host_root, path))
    except OSError:
        return None
    if stat.S_ISCHR(found.st_mode):
        kind = "char"
    elif stat.S_ISBLK(found.st_mode):
        kind = "block"
    else:
        return None
    return f"/sys/dev/{kind}/{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"


def near(host_root: str, folder: str) -> tuple[CpuSet, NodeSet]:
    """CPUs, or else NUMA nodes, that the first folder from here upwards tells; empty sets if none.

    Memory behind ``numa_node`` -1 belongs to no node, so the walk goes on.
    """
    top = os.path.realpath(_below(host_root, "/sys/devices"))
    place = os.path.realpath(_below(host_root, folder))
    for _level in range(MAX_DEPTH):
        if place == top or not place.startswith(top + "/"):
            break
        for name in CPU_FILES:
            cpus = _cpus(os.path.join(place, name))
            if cpus:
                return cpus, NO_NODES
        text = _text(os.path.join(place, NODE_FILE))
        if text is not None and text.isdigit() and len(text) < 5:
            return NO_CPUS, NodeSet([int(text)])
        place = os.path.dirname(place)
    return NO_CPUS, NO_NODES


def _below(host_root: str, path: str) -> str:
    return os.path.join(host_root, path.lstrip("/"))


def _cpus(path: str) -> CpuSet:
    try:
        return CpuSet.parse(_text(path) or "")
    except HomenodeProblem:
        return NO_CPUS


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(MAX_BYTES).strip()
    except OSError:
        return None
