# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs or NUMA nodes a device is near, by walking up its folder in sysfs.

A device node, or the disk under a file, is found through ``/sys/dev``; a path in sysfs is taken as
it is; all only below ``/sys/devices`` of the machine's root, whatever links say. Sources:
Documentation/ABI/testing (sysfs-bus-pci ``local_cpulist`` and ``numa_node``, sysfs-devices-node
``cpulist``, sysfs-block ``slaves``, sysfs-kernel-iommu_groups), cacheinfo.
Out of scope: which devices a container has, what a policy makes of it.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple, Optional

from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet
from model.problem import HomenodeProblem

CPU_FILES = ("cpulist", "cpulistaffinity", "local_cpulist", "shared_cpu_list")
NODE_FILE = "numa_node"
VFIO, IOMMU_GROUPS = "/sys/devices/virtual/vfio/", "/sys/kernel/iommu_groups/"
MAX_DEPTH = 32
MAX_BYTES = 4096
MAX_PARTS = 64


class Nearby(NamedTuple):
    """CPUs, or else NUMA nodes, and the *folder* of sysfs that tells first; empty if none does."""

    folder: str = ""
    cpus: CpuSet = NO_CPUS
    numa_nodes: NodeSet = NO_NODES


def folder_of(host_root: str, path: str) -> str:
    """The folder of a device node such as ``/dev/nvme0n1``, or of the disk that a file is on.

    "" for what is on no disk.
    """
    try:
        found = os.stat(_below(host_root, path))
    except (OSError, ValueError):
        return ""
    if stat.S_ISCHR(found.st_mode):
        return f"/sys/dev/char/{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    number = found.st_rdev if stat.S_ISBLK(found.st_mode) else found.st_dev
    major, minor = os.major(number), os.minor(number)
    return f"/sys/dev/block/{major}:{minor}" if major else ""


def parts(host_root: str, folder: str) -> tuple[str, ...]:
    """*folder*, and the folders of what it is made of: disks under LVM or RAID, a VFIO group."""
    found: dict[str, None] = {folder: None}
    waiting = [folder]
    while waiting and len(found) < MAX_PARTS:
        place = os.path.realpath(_below(host_root, waiting.pop()))
        shown = _shown(host_root, place)
        below = f"{shown}/slaves"
        if shown.startswith(VFIO):
            below = f"{IOMMU_GROUPS}{os.path.basename(shown)}/devices"
        more = [f"{below}/{name}" for name in _names(_below(host_root, below))]
        waiting += [each for each in more if each not in found]
        found.update(dict.fromkeys(more[:MAX_PARTS]))
    return tuple(found)


def near(host_root: str, folder: str) -> Nearby:
    """What the folders from here upwards tell.

    CPUs that a folder above tells count before a NUMA node told here: a disk knows its node only,
    its bus the CPUs. Memory behind ``numa_node`` -1 belongs to no node, so the walk goes on.
    """
    top = os.path.realpath(_below(host_root, "/sys/devices"))
    place = os.path.realpath(_below(host_root, folder))
    found = Nearby()
    for _level in range(MAX_DEPTH):
        if place == top or not place.startswith(top + "/"):
            break
        for name in CPU_FILES:
            cpus = _cpus(os.path.join(place, name))
            if cpus:
                return Nearby(found.folder or _shown(host_root, place), cpus)
        text = _text(os.path.join(place, NODE_FILE))
        if not found.folder and text is not None and text.isdigit() and len(text) < 5:
            found = Nearby(_shown(host_root, place), NO_CPUS, NodeSet([int(text)]))
        place = os.path.dirname(place)
    return found


def _shown(host_root: str, place: str) -> str:
    """A real path as it is called on the machine."""
    return "/" + os.path.relpath(place, os.path.realpath(host_root)).lstrip("/")


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


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
