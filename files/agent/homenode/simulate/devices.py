# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs are near a device, by its path in sysfs, on a machine whose files are not at hand.

As nri-plugins' ``pkg/topology`` would find it in the files: a NUMA node and a CPU's cache tell
their CPUs, a CPU's own folder tells nothing. Out of scope: devices on buses; a description of a
machine has none.
"""

from __future__ import annotations

import re

from model.cpuset import NO_CPUS, CpuSet
from model.machine import Machine

SYSTEM = "/sys/devices/system"

_NODE = re.compile(rf"{SYSTEM}/node/node(\d{{1,4}})/?\Z", re.ASCII)
_CACHE = re.compile(rf"{SYSTEM}/cpu/cpu(\d{{1,4}})/cache/index(\d)/?\Z", re.ASCII)
OF_A_CORE = 2
"""So many first ``index`` folders are caches of level 1; the number of others is their level."""


def cpus_near(machine: Machine, path: str) -> CpuSet:
    """The CPUs near the device at *path*; none where nothing is known about it."""
    found = _NODE.match(path)
    if found is not None:
        nodes = (one for one in machine.nodes if one.id == int(found[1]))
        return next((one.cpus for one in nodes), NO_CPUS)
    found = _CACHE.match(path)
    return NO_CPUS if found is None else _sharing(machine, int(found[1]), int(found[2]))


def _sharing(machine: Machine, cpu: int, index: int) -> CpuSet:
    if index < OF_A_CORE:
        return next((core for core in machine.siblings if cpu in core), NO_CPUS)
    caches = (cache.cpus for cache in machine.caches if cache.level == index)
    return next((cpus for cpus in caches if cpu in cpus), NO_CPUS)
