# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a kubelet with this configuration does on this machine: start, refuse, or start and harm.

Refusals carry the kubelet's own words, in the order in which it looks. Hazards are what it accepts
and should not: a share above its node's memory wraps a counter, a negative one does too. Warnings
are what works and surprises. Rules: ``pkg/kubelet/apis/config/validation``,
``cmd/kubelet/app/server.go``. Out of scope: state files, fields that have nothing to do with NUMA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Optional

from ..cpuset import CpuSet
from ..problem import HomenodeProblem, Problem
from ..quantity import BINARY_SI, DECIMAL_SI, Quantity, total
from .arithmetic import Need, need, reservation, reserved, threshold
from .configuration import cpu_list, records, text, text_map
from .defaults import Version, version_of
from .effective import MEMORY_EVICTION, Effective
from .flags import HUGEPAGES
from .gates import gate_problems, is_open, option_problems
from .hardware import Hardware
from .known_keys import known_keys, since
from .managers import cpu_problems, limit, memory_problems, topology_problems

TOPOLOGY_POLICIES = ("none", "best-effort", "restricted", "single-numa-node")
NO_SWAP: Version = (1, 30)
"""From here on a kubelet knows NoSwap, and no UnlimitedSwap."""
COMPRESSIBLE: Version = (1, 32)
"""From here on CPU alone can be enforced, and the words name these enforcements too."""
SIGNALS = (
    "memory.available",
    "allocatableMemory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "containerfs.available",
    "containerfs.inodesFree",
    "pid.available",
)
ENFORCEMENTS = {
    "system-reserved": "systemReservedCgroup",
    "kube-reserved": "kubeReservedCgroup",
}
"""What can be enforced beside pods, and the cgroup that it needs."""


@dataclass(frozen=True)
class Verdict:
    """*refusals* are the kubelet's, *hazards* ours; *need* is None where nobody can know it."""

    refusals: tuple[Problem, ...]
    hazards: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    need: Optional[Need]

    @property
    def starts(self) -> bool:
        """Whether the kubelet starts (with hazards it does)."""
        return not self.refusals


def verdict(found: Effective, machine: Hardware) -> Verdict:
    """Judge an effective configuration. Raises HomenodeProblem for an impossible version only."""
    version = version_of(found.version)
    if found.errors:
        return Verdict(refusals=found.errors, hazards=(), warnings=(), need=None)
    refusals = _gathered(gate_problems(found.config, version))
    refusals += _gathered(static_problems(found))
    refusals += _gathered(_reservation_problems(found, machine))
    amount: Optional[Need] = None
    try:
        amount = need(found, machine.memory_total)
    except HomenodeProblem as error:
        refusals += [] if error.problem in refusals else [error.problem]
    refusals += _gathered(option_problems(found.config, version))
    refusals += _gathered(topology_problems(found, machine, version))
    refusals += _gathered(cpu_problems(found, machine, version))
    if amount is not None:
        refusals += _gathered(memory_problems(found, machine, version, amount))
    refusals += _gathered(_capacity_problems(found, machine, amount))
    return Verdict(
        refusals=tuple(dict.fromkeys(refusals)),
        hazards=tuple(_gathered(hazards(found, machine))),
        warnings=tuple(_gathered(warnings(found, machine, version))),
        need=amount,
    )


def static_problems(found: Effective) -> Iterator[Problem]:
    """What the validation of the configuration refuses, before the machine is looked at."""
    version = version_of(found.version)
    policy = text(found.config, "topologyManagerPolicy")
    if policy not in TOPOLOGY_POLICIES:
        listed = " ".join(f'"{name}"' for name in TOPOLOGY_POLICIES)
        why = f'topologyManagerPolicy (--topology-manager-policy) "{policy}"'
        why += f" must be one of: [{listed}]"
        yield _invalid("topologyManagerPolicy", policy, why, "use one of them")
    scope = text(found.config, "topologyManagerScope")
    if scope not in ("container", "pod"):
        why = f'topologyManagerScope (--topology-manager-scope) "{scope}"'
        why += ' must be one of: "container", or "pod"'
        yield _invalid("topologyManagerScope", scope, why, "use one of them")
    yield from _swap_problems(found, version)
    yield from _enforcement_problems(found, version)
    yield from _reserved_cpu_problems(found)
    yield from _list_problems(found)


def hazards(found: Effective, machine: Hardware) -> Iterator[Problem]:
    """Shares that a kubelet takes and that ruin its bookkeeping of a NUMA node."""
    if found.config.get("memoryManagerPolicy") != "Static":
        return
    most = {room.id: room.most for room in machine.rooms}
    for entry in records(found.config, "reservedMemory"):
        limits = entry.get("limits")
        numa_node = entry.get("numaNode") or 0
        amount = limits.get("memory") if isinstance(limits, Mapping) else None
        if amount is None or numa_node not in most or not isinstance(numa_node, int):
            continue
        share = limit("memory", amount)
        field = f"reservedMemory of NUMA node {numa_node}"
        if share.nanos < 0:
            yield Problem(field, str(share), "is negative", "reserve 0 there by leaving it out")
        elif share > Quantity.of(most[numa_node]):
            has = Quantity.of(most[numa_node])
            why = f"is more than the node has without its huge pages ({has})"
            yield Problem(field, str(share), why, "move a part to another node")


def warnings(found: Effective, machine: Hardware, version: Version) -> Iterator[Problem]:
    """What works and may surprise."""
    config = found.config
    static_memory = config.get("memoryManagerPolicy") == "Static"
    topology = text(config, "topologyManagerPolicy")
    share = text_map(config, "evictionHard").get("memory.available", "")
    if static_memory and share.endswith("%"):
        why = "the need follows MemTotal, which changes with kernel and firmware"
        yield Problem(MEMORY_EVICTION, share, why, "write an amount, such as 100Mi")
    if topology == "single-numa-node" and text(config, "cpuManagerPolicy") != "static":
        why = "aligns memory and devices at most: CPUs are not assigned"
        yield Problem("topologyManagerPolicy", topology, why, "set cpuManagerPolicy to static")
    if static_memory and machine.without_cpus:
        nodes = ", ".join(map(str, machine.without_cpus))
        why = "a Guaranteed pod with a fraction of a CPU may get all its memory there"
        remedy = "give such pods whole CPUs, or keep them off this machine"
        yield Problem("NUMA nodes without CPUs", nodes, why, remedy)
    for key in sorted(set(config) - known_keys(found.version)):
        first = since(key)
        why = "is unknown to this kubelet, which only logs it"
        remedy = f"it needs {first} or later" if first else "correct its name, or remove it"
        yield Problem(key, str(config[key]), why, remedy)
    yield from _swap_warnings(found)


def _swap_warnings(found: Effective) -> Iterator[Problem]:
    swap = found.config.get("memorySwap")
    if isinstance(swap, Mapping) and swap.get("swapBehavior") == "LimitedSwap":
        why = "lets Burstable pods swap alone: Guaranteed and static pods can never swap"
        remedy = "expect none of the pods that are pinned to be swapped out"
        yield Problem("memorySwap.swapBehavior", "LimitedSwap", why, remedy)


def _swap_problems(found: Effective, version: Version) -> Iterator[Problem]:
    swap = found.config.get("memorySwap")
    behavior = swap.get("swapBehavior") if isinstance(swap, Mapping) else None
    field = "memorySwap.swapBehavior"
    if not behavior:
        return
    known = ("LimitedSwap", "NoSwap") if version >= NO_SWAP else ("LimitedSwap", "UnlimitedSwap")
    if not is_open("NodeSwap", found.config, version):
        why = f"{field} cannot be set when NodeSwap feature flag is disabled"
        yield _invalid(field, str(behavior), why, "remove it, or open the gate NodeSwap")
    elif behavior not in known:
        why = f'{field} "{behavior}" must be one of: "", "{known[0]}" or "{known[1]}"'
        yield _invalid(field, str(behavior), why, "use one of them")


def _enforcement_problems(found: Effective, version: Version) -> Iterator[Problem]:
    listed = found.config.get("enforceNodeAllocatable")
    names = [str(name) for name in listed] if isinstance(listed, (list, tuple)) else []
    where = "enforceNodeAllocatable (--enforce-node-allocatable)"
    for one in ENFORCEMENTS:
        if {one, f"{one}-compressible"} <= set(names) and version >= COMPRESSIBLE:
            why = f'both "{one}" and "{one}-compressible" cannot be specified together in {where}'
            yield _invalid("enforceNodeAllocatable", one, why, "remove one of them")
    for number, name in enumerate(names):
        enforced = name
        if version >= COMPRESSIBLE and name.endswith("-compressible"):
            enforced = name[: -len("-compressible")]
        if name in names[:number]:
            why = f'duplicated enforcements "{name}" in {where}'
            yield _invalid("enforceNodeAllocatable", name, why, "list it once")
        elif name == "none":
            if len(names) > 1:
                why = f'{where} may not contain additional enforcements when "none" is specified'
                yield _invalid("enforceNodeAllocatable", name, why, "remove none or the others")
        elif name != "pods" and enforced not in ENFORCEMENTS:
            options = '"pods", "system-reserved", "system-reserved-compressible", "kube-reserved",'
            options += ' "kube-reserved-compressible" or "none"'
            if version < COMPRESSIBLE:
                options = '"pods", "system-reserved", "kube-reserved", or "none"'
            why = f'option "{name}" specified for {where}. Valid options are {options}'
            yield _invalid("enforceNodeAllocatable", name, why, "use one of them")
        else:
            key = ENFORCEMENTS.get(enforced, "")
            if key and not text(found.config, key):
                why = f'{key} (--{enforced}-cgroup) must be specified when "{enforced}"'
                why += " contained" if version < COMPRESSIBLE else f' or "{enforced}-compressible"'
                why += f" in {where}" if version < COMPRESSIBLE else f" included in {where}"
                yield _invalid(key, "", why, f"set {key}, or do not enforce {enforced}")
            if found.config.get("cgroupsPerQOS") is False:
                why = "cgroupsPerQOS (--cgroups-per-qos) must be set to true when"
                why += f' "{name}" contained in {where}'
                remedy = "set cgroupsPerQOS to true, or enforceNodeAllocatable to [none]"
                yield _invalid("cgroupsPerQOS", "false", why, remedy)


def _reserved_cpu_problems(found: Effective) -> Iterator[Problem]:
    listed = text(found.config, "reservedSystemCPUs")
    if not listed:
        return
    cgroups = [key for key in ENFORCEMENTS.values() if text(found.config, key)]
    if cgroups:
        why = "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup"
        why += " (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"
        yield _invalid("reservedSystemCPUs", listed, why, f"empty {' and '.join(cgroups)}")
    try:
        cpu_list(listed)
    except HomenodeProblem as error:
        why = f"unable to parse reservedSystemCPUs (--reserved-cpus) {listed}"
        why += f", error: {error.problem.why}"
        yield _invalid("reservedSystemCPUs", listed, why, error.problem.remedy)


def _list_problems(found: Effective) -> Iterator[Problem]:
    seen: set[tuple[object, str]] = set()
    for entry in records(found.config, "reservedMemory"):
        limits = entry.get("limits")
        numa_node = entry.get("numaNode") or 0
        for kind, amount in limits.items() if isinstance(limits, Mapping) else ():
            where = f'NUMA node {numa_node} and resource "{kind}"'
            if kind != "memory" and not HUGEPAGES.match(str(kind)):
                why = f'the limit type "{kind}" for NUMA node {numa_node} is not supported,'
                why += " only [memory hugepages-<HugePageSize>] is accepted"
                yield _invalid("reservedMemory", str(kind), why, "remove it")
            if not limit(str(kind), amount):
                why = f"reserved memory may not be zero for {where}"
                yield _invalid("reservedMemory", str(amount), why, "leave the node out")
            if (numa_node, str(kind)) in seen:
                why = f"the reserved memory has a duplicate value for {where}"
                yield _invalid("reservedMemory", str(amount), why, "list each node once")
            seen.add((numa_node, str(kind)))


def _invalid(field: str, value: str, why: str, remedy: str) -> Problem:
    return Problem(field, value, f"invalid configuration: {why}", remedy)


def _reservation_problems(found: Effective, machine: Hardware) -> Iterator[Problem]:
    listed = _listed_cpus(found)
    outside = listed - machine.online if machine.online is not None else CpuSet()
    if outside:
        written = text(found.config, "reservedSystemCPUs")
        why = f"reserved-cpus: {written} is not a subset of online-cpus: {machine.online}"
        yield Problem("reservedSystemCPUs", str(listed), why, f"leave {outside} out")
    for key in ("kubeReserved", "systemReserved"):
        for name, amount in sorted(text_map(found.config, key).items()):
            yield from _raised_by(reservation, key, name, amount)
    for signal, amount in sorted(text_map(found.config, "evictionHard").items()):
        if signal in SIGNALS:
            yield from _raised_by(threshold, signal, amount, machine.memory_total or 0)
        else:
            why = f"unsupported eviction signal {signal}"
            remedy = "use one of: " + ", ".join(SIGNALS)
            yield Problem(f"evictionHard.{signal}", amount, why, remedy)


def _listed_cpus(found: Effective) -> CpuSet:
    """The CPUs of reservedSystemCPUs; none where the static validation refuses them."""
    try:
        return cpu_list(text(found.config, "reservedSystemCPUs"))
    except HomenodeProblem:
        return CpuSet()


def _capacity_problems(
    found: Effective, machine: Hardware, amount: Optional[Need]
) -> Iterator[Problem]:
    """What is refused last, shortly after the start: more reserved than there is."""
    cpus = total(reserved(found, key, "cpu") for key in ("systemReserved", "kubeReserved"))
    online = None if machine.online is None else len(machine.online)
    if online is not None and cpus > Quantity.of(online):
        has = f"{{{{{online}000 -3}} {{<nil>}}  {DECIMAL_SI}}}"
        yield _beyond("cpu", cpus, has, "reserve fewer CPUs")
    capacity = machine.memory_total
    if capacity is not None and amount is not None and amount.total > Quantity.of(capacity):
        has = f"{{{{{capacity} 0}} {{<nil>}}  {BINARY_SI}}}"
        yield _beyond("memory", amount.total, has, "reserve less memory")


def _beyond(resource: str, wanted: Quantity, has: str, remedy: str) -> Problem:
    number, scale = wanted.ceiling, 0
    if not wanted.is_whole:
        number, scale = wanted.nanos // 10**6, -3
    wants = f"{{{{{number} {scale}}} {{<nil>}}  {wanted.format}}}"
    why = f'invalid Node Allocatable configuration. Resource "{resource}" has a reservation of'
    why += f" {wants} but capacity of {has}. Expected capacity >= reservation."
    if wanted.format == BINARY_SI and not wanted.is_int64:
        # It prints the address of such a number in its memory.
        why = why.partition(" of {")[0]
    return Problem(f"kubeReserved.{resource}", str(wanted), why, remedy)


def _raised_by(read: Callable[..., object], *arguments: object) -> Iterator[Problem]:
    try:
        read(*arguments)
    except HomenodeProblem as error:
        yield error.problem


def _gathered(problems: Iterable[Problem]) -> list[Problem]:
    """All of them; where reading raises, that is the last one."""
    result: list[Problem] = []
    try:
        result.extend(problems)
    except HomenodeProblem as error:
        result.append(error.problem)
    return result
