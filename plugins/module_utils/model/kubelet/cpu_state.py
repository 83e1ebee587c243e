# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which ``cpu_manager_state`` stops a kubelet with the static policy, from its content.

Source: ``pkg/kubelet/cm/cpumanager/policy_static.go``, compared with kubelets 1.31.0 and 1.35.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..problem import HomenodeProblem
from .configuration import cpu_list
from .effective import Effective
from .hardware import Hardware
from .static_cpus import is_strict, kept_back


def cpu_state_difference(found: Effective, machine: Hardware, state: Mapping[str, object]) -> str:
    """What the static policy says of *state*, in its words; "" where it goes on with it.

    Raises HomenodeProblem where the configuration makes no sense.
    """
    try:
        shared = cpu_list(str(state.get("defaultCpuSet") or ""))
        pods = {where: cpu_list(listed) for where, listed in _assigned(state)}
    except HomenodeProblem:
        return "could not parse default cpu set"
    if not shared:
        return "default cpuset cannot be empty" if pods else ""
    reserved, strict = kept_back(found, machine), is_strict(found)
    if reserved is not None:
        common = reserved & shared
        if strict and common:
            return (
                f'some of strictly reserved cpus: "{common}" are present in'
                f' defaultCpuSet: "{shared}"'
            )
        if not strict and common != reserved:
            return f'not all reserved cpus: "{reserved}" are present in defaultCpuSet: "{shared}"'
    for (pod, container), cpus in pods.items():
        if cpus & shared:
            return (
                f'pod: {pod}, container: {container} cpuset: "{cpus}" overlaps with'
                f' default cpuset "{shared}"'
            )
    if machine.online is None or (strict and reserved is None):
        return ""
    there = machine.online - reserved if strict and reserved is not None else machine.online
    known = shared
    for cpus in pods.values():
        known = known | cpus
    if known != there:
        return (
            f'current set of available CPUs "{there}" doesn\'t match with CPUs in state "{known}"'
        )
    return ""


def _assigned(state: Mapping[str, object]) -> Iterator[tuple[tuple[str, str], str]]:
    entries = state.get("entries")
    for pod, containers in entries.items() if isinstance(entries, Mapping) else ():
        for name, cpus in containers.items() if isinstance(containers, Mapping) else ():
            yield (str(pod), str(name)), str(cpus)
