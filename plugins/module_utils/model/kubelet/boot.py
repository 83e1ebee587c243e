# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which state files a kubelet would refuse only because the machine was booted.

The static memory manager compares the memory of each NUMA node with its state file to the byte, and
a kernel that is placed at random gives each boot other totals (kubernetes/kubernetes#109996). The
CPU manager compares the CPUs that are online. After a boot nothing of what these files say is in
use any more, so a file goes if the boot is a new one, nothing runs, and the kubelet would refuse
it for this reason. In any doubt it stays. Out of scope: other reasons to refuse a file, which come
with a change of the configuration (``checkpoints``); moving files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

from ..cpuset import CpuSet
from ..machine import Machine
from ..problem import HomenodeProblem
from ..quantity import Quantity
from .checksums import CPU_STATE, MEMORY_STATE
from .state_files import memory_totals, parsed, problem


@dataclass(frozen=True)
class Keep:
    """The file stays, and why."""

    reason: str


@dataclass(frozen=True)
class Remove:
    """The file goes, and why."""

    reason: str


Decision = Union[Keep, Remove]


@dataclass(frozen=True)
class Boot:
    """The id of a boot, and the CPUs that were online; None and "" where it was not recorded."""

    id: str = ""
    online: Optional[CpuSet] = None


@dataclass(frozen=True)
class Situation:
    """The machine as it is, the boot in which we last looked, and what runs already."""

    machine: Machine
    before: Boot
    now: str
    running: tuple[str, ...] = ()


def decide(texts: Mapping[str, Optional[str]], at: Situation) -> dict[str, Decision]:
    """For each state file, by name: whether it goes. A text is None where there is no file."""
    general = _not_now(at)
    rules = {MEMORY_STATE: _memory, CPU_STATE: _cpus}
    found: dict[str, Decision] = {}
    for name, rule in rules.items():
        text = texts.get(name)
        if text is None:
            found[name] = Keep("there is none")
        elif general:
            found[name] = Keep(general)
        else:
            unreadable = problem(name, text)
            content = parsed(text) or {}
            found[name] = (
                Keep(f"cannot be judged: {unreadable}") if unreadable else rule(content, at)
            )
    return found


def _not_now(at: Situation) -> str:
    """Why no file may go at this time; "" where one may."""
    if at.running:
        return f"something runs: {', '.join(at.running[:3])}"
    if not at.now:
        return "this boot has no id"
    if not at.before.id:
        return "no earlier boot is recorded"
    if at.before.id == at.now:
        return "the machine was not booted since the last look"
    return ""


def _memory(content: Mapping[str, Any], at: Situation) -> Decision:
    if content.get("policyName") != "Static":
        return Keep(f"the policy {content.get('policyName')} compares nothing")
    try:
        before = memory_totals(content)
    except ValueError as error:
        return Keep(f"cannot be judged: {error}")
    if not before:
        return Keep("it holds no memory of nodes")
    difference = _difference(before, _totals(at.machine))
    if not difference:
        return Keep("the memory of all nodes is what it says")
    return Remove(f"{difference}; the machine was booted and nothing runs")


def _totals(machine: Machine) -> dict[int, dict[str, int]]:
    """Bytes of each kind of memory on each node, by the kubelet's names."""
    found = {}
    for numa_node in machine.nodes:
        kinds = {"memory": numa_node.memory_total_bytes}
        for size, pages in numa_node.hugepages.items():
            kinds[f"hugepages-{size}"] = pages.total * Quantity.parse(size).ceiling
        found[numa_node.id] = kinds
    return found


def _difference(
    before: Mapping[int, Mapping[str, int]], now: Mapping[int, Mapping[str, int]]
) -> str:
    """The first figure that the kubelet would find changed; "" where there is none."""
    if set(before) != set(now):
        numbers = (", ".join(map(str, sorted(nodes))) for nodes in (before, now))
        return "its NUMA nodes are {}, the machine's {}".format(*numbers)
    for number, kinds in sorted(before.items()):
        if set(kinds) != set(now[number]):
            names = (", ".join(sorted(each)) for each in (kinds, now[number]))
            return "node {} had {}, and has {}".format(number, *names)
        for kind in sorted(kinds, reverse=True):
            if kinds[kind] != now[number][kind]:
                size = now[number][kind]
                return f"{kind} of node {number} was {kinds[kind]} bytes and is {size}"
    return ""


def _cpus(content: Mapping[str, Any], at: Situation) -> Decision:
    if content.get("policyName") != "static":
        return Keep(f"the policy {content.get('policyName')} compares nothing")
    try:
        known = _known_cpus(content)
    except HomenodeProblem as error:
        return Keep(f"cannot be judged: {error.problem.why}")
    if not known:
        return Keep("it holds no CPUs")
    online = at.machine.online
    gone = known - online
    # CPUs that are kept back strictly are missing in the file, so a file alone cannot tell of new
    # ones: they are new only if they were not online at the last look.
    before = online if at.before.online is None else at.before.online
    new = online - before - known
    if gone:
        return Remove(f"CPUs {gone} are not online any more; the machine was booted, nothing runs")
    if new:
        return Remove(f"CPUs {new} are new; the machine was booted and nothing runs")
    return Keep("the CPUs are what it says")


def _known_cpus(content: Mapping[str, Any]) -> CpuSet:
    """All CPUs that the state file names. Raises HomenodeProblem."""
    known = CpuSet.parse(str(content.get("defaultCpuSet") or ""))
    entries = content.get("entries")
    for containers in entries.values() if isinstance(entries, Mapping) else ():
        for cpus in containers.values() if isinstance(containers, Mapping) else ():
            known = known | CpuSet.parse(str(cpus))
    return known
