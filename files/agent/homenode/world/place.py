# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy divides the machine into, as every policy says it and reports show it.

Out of scope: what a container got there (``placed``).
"""

from __future__ import annotations

from dataclasses import dataclass

from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet


@dataclass(frozen=True)
class Place:
    """A pool or balloon as reports show it; *excess* is CPU beyond the requests, as a quantity.

    *kind* and *parent* are for topology exports; *shared*, *reserved*, *isolated* part *cpus*.
    CPU figures are in thousandths, memory in bytes. *containers* are ids, and *show_containers*
    says whether exports list them. *components* are the CPUs of what a balloon is composed of.
    """

    name: str
    cpus: CpuSet
    excess: str = ""
    kind: str = ""
    parent: str = ""
    shared: CpuSet = NO_CPUS
    reserved: CpuSet = NO_CPUS
    isolated: CpuSet = NO_CPUS
    mems: NodeSet = NO_NODES
    cpu_capacity: int = 0
    cpu_allocatable: int = 0
    cpu_available: int = 0
    memory_capacity: int = 0
    memory_available: int = 0
    containers: tuple[str, ...] = ()
    show_containers: bool = False
    components: str = ""
