# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a container runs where it runs: the decision that was made, told in one screen.

Works on the status alone, so it explains a live node and a status file from a bug report alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from homenode.world.decision import FREE_CPUS, SHARED

from .columns import aligned, one_line, printable
from .status import problem_lines


def find(current: Mapping[str, Any], wanted: str) -> list[Mapping[str, Any]]:
    """Containers by ``[namespace/]pod[/container]``; all of a pod where no container is named."""
    found = []
    for container in current["containers"]:
        namespace, pod, name = container["name"].split("/", 2)
        names = (
            pod,
            f"{namespace}/{pod}",
            f"{pod}/{name}",
            f"{namespace}/{pod}/{name}",
            container["id"],
        )
        if wanted in names:
            found.append(container)
    return found


def find_failed(current: Mapping[str, Any], wanted: str) -> list[Mapping[str, Any]]:
    """Creations that failed, by the same names."""
    found = []
    for failure in current["failed"]:
        _namespace, pod, name = failure["container"].split("/", 2)
        whole = failure["container"].rpartition("/")[0]
        if wanted in (pod, whole, f"{pod}/{name}", failure["container"]):
            found.append(failure)
    return found


def explain_failed(failure: Mapping[str, Any]) -> str:
    """Why a container was not created, and what would help."""
    lines = [
        f"{one_line(failure['container'])} (not created)",
        f"  because  {failure['field']} {failure['value']!a}: {failure['why']}",
        f"  remedy   {failure['remedy']}",
    ]
    return printable("\n".join(lines) + "\n")


def explain(container: Mapping[str, Any]) -> str:
    """What was asked, what was granted, who lost by which rule, and what the kernel shows."""
    decision = container["decision"]
    lines = [f"{one_line(container['name'])} ({container['qos_class']}, {container['state']})"]
    if decision is None:
        return "\n".join([*lines, "  pinning is off: nothing was decided"]) + "\n"
    lines.append(f"  asked    {_asked(container, decision['asked_cpus'])}")
    lines.append(f"  decided  {decision['outcome']}: {decision['reason']}")
    if container["place"]:
        lines.append(f"  place    {container['place']}")
    lines.append(f"  granted  {_parts(container['granted'])}")
    if container.get("actual") is not None:
        note = "as granted" if container["verified"] else "NOT as granted"
        lines.append(f"  cgroup   {_parts(container['actual'])} ({note})")
    memory = memory_line(container)
    if memory:
        lines.append(f"  memory   {memory}")
    if decision["candidates"]:
        lines.append("  candidates, best first:")
        lines += ["    " + line for line in _candidates(decision)]
        lines += [f"    {line}" for line in _why_not(decision)]
        lines += [f"  {line}" for line in _what_would_help(decision)]
    shown = {"agent": {}, "warnings": [], "failed": [], "containers": [container]}
    return printable("\n".join(lines + [f"  {line}" for line in problem_lines(shown)]) + "\n")


def memory_line(container: Mapping[str, Any]) -> str:
    """Bytes by NUMA node and the share on the container's own memory nodes; "" where unknown."""
    by_node = {str(node): size for node, size in container.get("numa_bytes", {}).items()}
    total = sum(by_node.values())
    if not total:
        return ""
    ordered = sorted(by_node.items(), key=lambda item: int(item[0]))
    parts = ", ".join(f"node {node} {size >> 10} KiB" for node, size in ordered)
    home = container["decision"]["home"] if container["decision"] else None
    if home is None:
        return parts
    return f"{parts}; {100 * by_node.get(str(home), 0) // total} % on its home node {home}"


def _asked(container: Mapping[str, Any], own: int) -> str:
    asked = container["asked"]
    words = [f"{own} CPUs of its own" if own else "no CPUs of its own"]
    if asked["cpu_millis"]:
        words.append(f"{asked['cpu_millis']}m CPU")
    if asked["memory_limit_bytes"]:
        words.append(f"at most {asked['memory_limit_bytes'] >> 20} MiB of memory")
    return ", ".join(words)


def _parts(placement: Mapping[str, str]) -> str:
    if not placement:
        return "nothing (left as it was)"
    return ", ".join(f"{key} {value or 'inherited'}" for key, value in sorted(placement.items()))


def _candidates(decision: Mapping[str, Any]) -> list[str]:
    rows = [("", *decision["rules"])]
    for candidate in decision["candidates"]:
        rows.append((candidate["name"], *(_value(value) for value in candidate["values"])))
    return aligned(rows)


def _value(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _why_not(decision: Mapping[str, Any]) -> list[str]:
    """For each loser the rule that the winner beat it by, with both values where there are some."""
    best, *rest = decision["candidates"]
    lines = []
    for other in rest:
        rules = decision["rules"]
        told = other["lost_by"]
        index = rules.index(told) if told in rules else None
        if not told:
            index = deciding_rule(best["values"], other["values"])
        if index is None:
            if told:
                lines.append(f"not {other['name']}: {best['name']} {told}")
            continue
        ours, theirs = _value(best["values"][index]), _value(other["values"][index])
        if told:
            why = f"{best['name']} {told} ({ours}, here {theirs})"
        else:
            why = f"{rules[index]} {theirs}, {best['name']} has {ours}"
        lines.append(f"not {other['name']}: {why}")
    return lines


def _what_would_help(decision: Mapping[str, Any]) -> list[str]:
    """Where own CPUs were asked for and no node had them: how many more it would take."""
    asked, rules = decision["asked_cpus"], decision["rules"]
    if decision["outcome"] != SHARED or not asked or FREE_CPUS not in rules:
        return []
    at = rules.index(FREE_CPUS)
    free, name = max((one["values"][at], one["name"]) for one in decision["candidates"])
    if free >= asked:
        return []
    return [f"would get CPUs of its own if {asked - free} more were free on {name}"]


def deciding_rule(best: list[object], other: list[object]) -> Optional[int]:
    """The index of the first rule where two candidates differ, or None."""
    for index, (ours, theirs) in enumerate(zip(best, other)):
        if ours != theirs:
            return index
    return None
