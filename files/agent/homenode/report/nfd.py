# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this machine is to a scheduler, as a feature file for node-feature-discovery.

One ``NAME=VALUE`` a line, for ``/etc/kubernetes/node-feature-discovery/features.d``: NFD makes
node labels of them (docs/usage/customization-guide, "Local feature source"). As with its own
features, what is not there has no line. Out of scope: writing the file (by renaming: NFD watches).
"""

from __future__ import annotations

from model.machine import CXL, HBM, PMEM, Machine

NAMESPACE = "homenode.io"


def features(machine: Machine, *, policy: str, mechanism: str, swap: str = "") -> str:
    """The file; *policy* is the pinning policy, *mechanism* what carries it out ("nri").

    *swap* is the kind of the machine's swap, "" where it has none. All three are short words.
    """
    kinds = {numa_node.kind for numa_node in machine.nodes}
    found = {
        "numa.nodes": str(len(machine.nodes)),
        "numa.sub-numa-clusters": _sub_numa_clusters(machine),
        "memory.cpuless-nodes": _number(sum(not numa_node.cpus for numa_node in machine.nodes)),
        "memory.hbm": _flag(HBM in kinds),
        "memory.pmem": _flag(PMEM in kinds),
        "memory.cxl": _flag(CXL in kinds),
        "swap.kind": swap,
        "pinning.policy": policy,
        "pinning.mechanism": mechanism,
    }
    return "".join(f"{NAMESPACE}/{name}={value}\n" for name, value in found.items() if value)


def _sub_numa_clusters(machine: Machine) -> str:
    """How many NUMA nodes with CPUs the fullest socket is split into, if into more than one.

    A guess: the kernel does not tell SNC or NPS from a socket of several dies with own memory.
    """
    with_cpus = [numa_node for numa_node in machine.nodes if numa_node.cpus]
    inside = [
        sum(numa_node.cpus <= package.cpus for numa_node in with_cpus)
        for package in machine.packages
    ]
    return _number(max(inside, default=0), above=1)


def _number(count: int, *, above: int = 0) -> str:
    return str(count) if count > above else ""


def _flag(present: bool) -> str:
    return "true" if present else ""
