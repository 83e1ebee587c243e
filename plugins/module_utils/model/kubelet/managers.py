# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the kubelet's Topology, CPU and Memory Managers refuse when they are made.

They are made in this order, after the static validation and before anything runs. Each function
yields its problems with the kubelet's words as the reason. Sources: ``pkg/kubelet/cm/
{topologymanager,cpumanager,memorymanager}``; the words were compared with kubelets 1.31.0 and
1.35.4. Out of scope: state files, and what happens when pods come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..problem import HomenodeProblem, Problem
from ..quantity import Quantity, total
from .arithmetic import Need, reserved, reserved_cpus
from .configuration import records, text, text_map
from .defaults import Version
from .effective import Effective
from .flags import FALSE, HUGEPAGES, TRUE
from .gates import ALPHA, BETA, STABLE, is_open
from .hardware import Hardware

BEST_EFFORT_NAMED: Version = (1, 32)
"""From about here on a kubelet knows the name of the Windows policy, and refuses it on Linux."""

SMALL_WORDS: Version = (1, 33)
"""From about here on this manager's words begin in small letters."""

FEWEST_NODES = 8
"""Both the default and the minimum of max-allowable-numa-nodes."""

CPU_OPTIONS: Mapping[str, tuple[tuple[Version, str], ...]] = {
    "full-pcpus-only": (((1, 23), BETA), ((1, 33), STABLE)),
    "distribute-cpus-across-numa": (((1, 23), ALPHA), ((1, 33), BETA)),
    "align-by-socket": (((1, 25), ALPHA),),
    "distribute-cpus-across-cores": (((1, 31), ALPHA),),
    "strict-cpu-reservation": (((1, 32), ALPHA), ((1, 33), BETA), ((1, 35), STABLE)),
    "prefer-align-cpus-by-uncorecache": (((1, 32), ALPHA), ((1, 34), BETA)),
}
"""Option, and from which version on it has which stage."""
TOPOLOGY_OPTIONS: Mapping[str, tuple[tuple[Version, str], ...]] = {
    "prefer-closest-numa-nodes": (((1, 28), BETA), ((1, 32), STABLE)),
    "max-allowable-numa-nodes": (((1, 31), BETA), ((1, 35), STABLE)),
}
EXCLUSIVE = (
    ("full-pcpus-only", "distribute-cpus-across-cores"),
    ("distribute-cpus-across-numa", "distribute-cpus-across-cores"),
    ("prefer-align-cpus-by-uncorecache", "distribute-cpus-across-cores"),
    ("prefer-align-cpus-by-uncorecache", "distribute-cpus-across-numa"),
)
"""Pairs of CPU options of which one excludes the other, in the order in which it looks."""


def topology_problems(found: Effective, machine: Hardware, version: Version) -> Iterator[Problem]:
    """What the Topology Manager refuses; with policy none it looks at nothing."""
    if text(found.config, "topologyManagerPolicy") in ("none", ""):
        return
    most = FEWEST_NODES
    for name, value in sorted(text_map(found.config, "topologyManagerPolicyOptions").items()):
        why = _closed_topology_option(name, found, version)
        if why:
            pass
        elif name == "prefer-closest-numa-nodes":
            why = _not_boolean(name, value)
        elif not re.match(r"[+-]?\d{1,9}\Z", value, re.ASCII):
            why = f'unable to convert policy option to integer "{name}"'
        elif int(value) < FEWEST_NODES:
            why = f'the minimum value of "{name}" should not be less than {FEWEST_NODES}'
        else:
            most = int(value)
        if why:
            field = f"topologyManagerPolicyOptions.{name}"
            yield Problem(field, value, why, "remove the option or correct its value")
    if len(machine.rooms) > most:
        why = f"unsupported on machines with more than {most} NUMA Nodes"
        remedy = "set topologyManagerPolicy to none, or allow more by max-allowable-numa-nodes"
        yield Problem("topologyManagerPolicy", str(len(machine.rooms)), why, remedy)


def cpu_problems(found: Effective, machine: Hardware, version: Version) -> Iterator[Problem]:
    """What the CPU Manager refuses."""
    policy = text(found.config, "cpuManagerPolicy")
    options = text_map(found.config, "cpuManagerPolicyOptions")
    if policy not in ("none", "static"):
        why = f'unknown policy: "{policy}"'
        yield Problem("cpuManagerPolicy", policy, why, "write none or static, in lower case")
    elif policy != "static" and options:
        shown = " ".join(f"{name}:{value}" for name, value in sorted(options.items()))
        why = f"new none policy error: None policy: received unsupported options=map[{shown}]"
        remedy = "set cpuManagerPolicy to static, or remove the options"
        yield Problem("cpuManagerPolicyOptions", shown, why, remedy)
    elif policy == "static":
        yield from _static_cpu_problems(found, machine, version)


def _static_cpu_problems(
    found: Effective, machine: Hardware, version: Version
) -> Iterator[Problem]:
    amounts = [reserved(found, key, "cpu") for key in ("systemReserved", "kubeReserved")]
    if not total(amounts):
        why = "[cpumanager] unable to determine reserved CPU resources for static policy"
        remedy = "reserve at least one CPU, as kubeReserved.cpu or by reservedSystemCPUs"
        yield Problem("kubeReserved.cpu", "0", why, remedy)
        return
    yield from _option_problems(text_map(found.config, "cpuManagerPolicyOptions"), found, version)
    count = reserved_cpus(found)
    online = len(machine.online) if machine.online is not None else None
    if online is not None and count > online:
        why = "new static policy error: [cpumanager] unable to reserve the required amount of CPUs"
        why += f" (size of  did not equal {count})"
        remedy = f"reserve fewer: this machine has {online} CPUs online"
        yield Problem("kubeReserved.cpu", str(count), why, remedy)


def _option_problems(
    options: Mapping[str, str], found: Effective, version: Version
) -> Iterator[Problem]:
    for name, value in sorted(options.items()):
        why = _unavailable(name, found, version) or _not_boolean(name, value)
        if why:
            field = f"cpuManagerPolicyOptions.{name}"
            remedy = "remove the option, correct its value, or open its feature gate"
            yield Problem(field, value, f"new static policy error: {why}", remedy)
    on = {name for name, value in options.items() if value in TRUE}
    for one, other in EXCLUSIVE:
        if {one, other} <= on:
            why = f"static policy options {one} and {other} can not be used at the same time"
            why = f"new static policy error: {why}"
            yield Problem(f"cpuManagerPolicyOptions.{other}", "true", why, "remove one of the two")
    if "align-by-socket" in on and found.config.get("topologyManagerPolicy") == "single-numa-node":
        why = (
            "new static policy error: Topolgy manager single-numa-node policy is incompatible with"
        )
        why += " CPUManager align-by-socket policy option"
        yield Problem("cpuManagerPolicyOptions.align-by-socket", "true", why, "remove the option")


def memory_problems(
    found: Effective, machine: Hardware, version: Version, need: Need
) -> Iterator[Problem]:
    """What the Memory Manager refuses: above all a sum that is not the need."""
    policy = text(found.config, "memoryManagerPolicy")
    if not is_open("MemoryManager", found.config, version):
        return
    if policy == "Static":
        yield from _static_memory_problems(found, machine, need)
    elif policy != "None":
        why = f'unknown policy: "{policy}"'
        if policy == "BestEffort" and version >= BEST_EFFORT_NAMED:
            why = 'policy "BestEffort" is not available for platform "linux"'
        yield Problem("memoryManagerPolicy", policy, why, "write None or Static, capitalized")


def _static_memory_problems(found: Effective, machine: Hardware, need: Need) -> Iterator[Problem]:
    known = {room.id for room in machine.rooms}
    listed: dict[str, list[Quantity]] = {}
    for entry in records(found.config, "reservedMemory"):
        numa_node = entry.get("numaNode") or 0
        if numa_node not in known:
            why = f"the reserved memory configuration references a NUMA node {numa_node}"
            nodes = ", ".join(map(str, sorted(known)))
            remedy = f"the nodes of this machine are {nodes}"
            why += " that does not exist on this machine"
            yield Problem("reservedMemory.numaNode", str(numa_node), why, remedy)
        limits = entry.get("limits")
        for kind, amount in limits.items() if isinstance(limits, Mapping) else ():
            if kind == "memory" or HUGEPAGES.match(str(kind)):
                listed.setdefault(str(kind), []).append(limit(str(kind), amount))
    listed.setdefault("memory", [])
    for kind, amounts in sorted(listed.items()):
        want = need.total if kind == "memory" else Quantity(0)
        yield from _unequal(kind, total(reversed(amounts)), want)
    if any(not amount.is_int64 for amounts in listed.values() for amount in amounts):
        why = "could not covert a variable of type Quantity to int64"
        yield Problem("reservedMemory", "", why, "write whole bytes, or whole Ki, Mi, Gi")
    elif not total(listed["memory"]) and not need.total:
        why = "[memorymanager] you should specify the system reserved memory"
        remedy = "reserve memory: kubeReserved.memory, systemReserved.memory or evictionHard"
        yield Problem("reservedMemory", "0", why, remedy)


def limit(kind: str, amount: object) -> Quantity:
    """One limit of reservedMemory; numbers are allowed here. Raises HomenodeProblem."""
    field = f"reservedMemory.limits.{kind}"
    if isinstance(amount, bool) or not isinstance(amount, (int, str)):
        raise HomenodeProblem(field, amount, "is no quantity", "write it like 1Gi")
    return Quantity.parse(str(amount).strip(), field=field)


def _unequal(kind: str, have: Quantity, want: Quantity) -> Iterator[Problem]:
    if have == want:
        return
    why = f'the total amount "{have}" of type "{kind}" is not equal to the value "{want}"'
    why += " determined by Node Allocatable feature"
    remedy = f"make the shares add up to {want}"
    if kind != "memory":
        remedy = "remove it: a kubelet cannot reserve huge pages"
    yield Problem("reservedMemory", str(have), why, remedy)


def _unavailable(name: str, found: Effective, version: Version) -> str:
    stages = [stage for since, stage in CPU_OPTIONS.get(name, ()) if since <= version]
    if not stages:
        return f'unknown CPU Manager Policy option: "{name}"'
    stage = stages[-1]
    if stage == STABLE or is_open(f"CPUManagerPolicy{stage}Options", found.config, version):
        return ""
    return f'CPU Manager Policy {stage}-level Options not enabled, but option "{name}" provided'


def _closed_topology_option(name: str, found: Effective, version: Version) -> str:
    stages = [stage for since, stage in TOPOLOGY_OPTIONS.get(name, ()) if since <= version]
    if not stages:
        return f'unknown Topology Manager Policy option: "{name}"'
    stage = stages[-1]
    if stage == STABLE or is_open(f"TopologyManagerPolicy{stage}Options", found.config, version):
        return ""
    words = f"Topology Manager Policy {stage}-level Options"
    if version >= SMALL_WORDS:
        words = words.lower()
    return f'{words} not enabled, but option "{name}" provided'


def _not_boolean(name: str, value: str) -> str:
    if value in (*TRUE, *FALSE):
        return ""
    return f'bad value for option "{name}": strconv.ParseBool: parsing "{value}": invalid syntax'
