# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which CPUs the kubelet's static policy keeps back: those that are listed, or the lowest ones.

An amount is taken as for a pod on an empty machine: whole NUMA nodes or sockets while it is that
large, then whole cores, then single CPUs. Source: ``pkg/kubelet/cm/cpumanager/cpu_assignment.go``.
Out of scope: amounts taken under options that spread them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ..cpuset import CpuSet
from .arithmetic import reserved_cpus
from .configuration import cpu_list, text, text_map
from .effective import Effective
from .flags import TRUE
from .hardware import Hardware

SPREADING = (
    "distribute-cpus-across-numa",
    "distribute-cpus-across-cores",
    "prefer-align-cpus-by-uncorecache",
)
STRICT = "strict-cpu-reservation"


def kept_back(found: Effective, machine: Hardware) -> Optional[CpuSet]:
    """The CPUs that no pod gets alone; None where that can not be told from here.

    Raises HomenodeProblem where the amounts make no sense.
    """
    listed = cpu_list(text(found.config, "reservedSystemCPUs"))
    if listed:
        return listed
    options = text_map(found.config, "cpuManagerPolicyOptions")
    spread = any(options.get(name) in TRUE for name in SPREADING)
    if spread or machine.online is None or not machine.cores:
        return None
    return _Taking(machine, machine.online).take(reserved_cpus(found))


def is_strict(found: Effective) -> bool:
    """Whether reserved CPUs are kept from all pods. Raises HomenodeProblem."""
    return text_map(found.config, "cpuManagerPolicyOptions").get(STRICT) in TRUE


class _Taking:
    """CPUs that are left, and taken, in the kubelet's order."""

    def __init__(self, machine: Hardware, left: CpuSet) -> None:
        self._cores = {min(core): core for core in machine.cores}
        inner, outer = machine.sockets, machine.node_cpus
        if len(machine.sockets) < len(machine.node_cpus):
            inner, outer = outer, inner
        self._inner, self._outer = inner, outer
        self._left, self._taken, self._wanted = left, CpuSet(), 0

    def take(self, count: int) -> CpuSet:
        """*count* CPUs, or as many as there are."""
        self._wanted = count
        outer = {name: self._outer[name] for name in self._sorted(self._outer)}
        for groups in (outer, self._ordered(self._inner), self._all_cores()):
            for group in groups.values():
                if group <= self._left and len(group) <= self._wanted:
                    self._move(group)
        for core in self._all_cores().values():
            for cpu in core & self._left:
                if self._wanted:
                    self._move(CpuSet([cpu]))
        return self._taken

    def _move(self, cpus: CpuSet) -> None:
        self._left, self._taken = self._left - cpus, self._taken | cpus
        self._wanted -= len(cpus)

    def _sorted(self, groups: Mapping[int, CpuSet]) -> list[int]:
        """Those with CPUs left: the fewest first, then by number."""
        sizes = {name: len(group & self._left) for name, group in groups.items()}
        return sorted((name for name in sizes if sizes[name]), key=lambda name: (sizes[name], name))

    def _ordered(self, inner: Mapping[int, CpuSet]) -> dict[int, CpuSet]:
        """Inner groups in the order of the outer ones that they are in."""
        ordered: dict[int, CpuSet] = {}
        for name in self._sorted(self._outer):
            within = {key: group for key, group in inner.items() if group & self._outer[name]}
            ordered.update({key: inner[key] for key in self._sorted(within)})
        return ordered

    def _all_cores(self) -> dict[int, CpuSet]:
        cores: dict[int, CpuSet] = {}
        for group in self._ordered(self._inner).values():
            within = {name: core for name, core in self._cores.items() if core <= group}
            cores.update({name: within[name] for name in self._sorted(within)})
        return cores
