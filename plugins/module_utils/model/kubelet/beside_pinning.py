# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who decides what where a kubelet's managers and our pinning stand on one node.

The agent yields: CPUs that the static CPU manager hands out and memory nodes that the Memory
Manager hands out stay as they are (``pinning/home_node``). So most meetings need words, not a
refusal. What cannot both be meant is refused: two different sets of reserved CPUs.
Out of scope: single containers, which ``homenode explain`` tells of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from ..cpuset import CpuSet
from ..problem import Problem
from .configuration import cpu_list, text
from .effective import Effective


@dataclass(frozen=True)
class Pinning:
    """What the agent is told; None for a set of CPUs that nobody gave."""

    cpus: bool = True
    memory: bool = True
    reserved: Optional[CpuSet] = None
    available: Optional[CpuSet] = None


def conflicts(found: Effective, pinning: Pinning) -> Iterator[Problem]:
    """What cannot both be meant. Raises HomenodeProblem for a malformed reservedSystemCPUs."""
    kubelets = reserved(found)
    if kubelets and pinning.reserved and kubelets != pinning.reserved:
        why = f"is not what the kubelet reserves ({kubelets}, from {_origin(found)})"
        yield Problem("reserved_cpus", str(pinning.reserved), why, f"make both {kubelets}")
    if kubelets and pinning.available and not pinning.available - kubelets:
        why = f"leaves nothing beside the CPUs that the kubelet reserves ({kubelets})"
        yield Problem("available_cpus", str(pinning.available), why, "add CPUs for workloads")


def notes(found: Effective, pinning: Pinning) -> list[str]:
    """How the two divide the work, a sentence each."""
    static_cpus = text(found.config, "cpuManagerPolicy") == "static"
    static_memory = text(found.config, "memoryManagerPolicy") == "Static"
    said = []
    if static_cpus and pinning.cpus:
        said.append(
            "cpuManagerPolicy static: the kubelet chooses the CPUs of every container, and the"
            " agent keeps them; it adds the memory nodes that the kubelet leaves open"
        )
    if static_memory and pinning.memory:
        said.append(
            "memoryManagerPolicy Static: the kubelet chooses the memory nodes of Guaranteed pods,"
            " and the agent keeps them"
        )
    if static_cpus and pinning.available:
        said.append(
            f"available_cpus {pinning.available} binds the agent alone: the kubelet hands out all"
            " CPUs that it does not reserve"
        )
    topology = text(found.config, "topologyManagerPolicy")
    if not static_cpus and pinning.cpus and topology in ("restricted", "single-numa-node"):
        said.append(
            f"topologyManagerPolicy {topology} judges memory and devices only: a pod that it admits"
            " may find no NUMA node with enough CPUs, and then shares"
        )
    return said


def reserved(found: Effective) -> CpuSet:
    """The CPUs of reservedSystemCPUs; none where amounts are reserved."""
    return cpu_list(text(found.config, "reservedSystemCPUs"))


def _origin(found: Effective) -> str:
    return found.origins.get("reservedSystemCPUs", "its configuration")
