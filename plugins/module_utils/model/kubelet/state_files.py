# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A kubelet's state files as data: policy, and what each pod and NUMA node has.

A file that a kubelet could not read has a *problem* in its words, and nothing else. Pods are known
by uid only; a pod that was refused may still be listed (its CPUs are freed later).
Out of scope: whether a file fits a configuration (``checkpoints``), reading it from a disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from .checksums import CPU_STATE, MEMORY_STATE, checksum
from .configuration import mapping

NAMES = (CPU_STATE, MEMORY_STATE)
LARGEST_CHECKSUM = 2**64 - 1

CORRUPTED = "checkpoint is corrupted"

_NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)


def parsed(text: str) -> Optional[dict[str, Any]]:
    """The content of a state file; None where it is no JSON object."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def problem(name: str, text: str) -> str:
    """Why a kubelet could not read the state file *name*; "" where it can, or where nobody knows.

    Nobody knows for formats that need a feature gate.
    """
    content = parsed(text)
    if content is None:
        return "unexpected end of JSON input" if not text.strip() else "is no JSON object"
    given = content.get("checksum")
    if not isinstance(content.get("policyName"), str):
        return "has no policyName"
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= LARGEST_CHECKSUM:
        return "has no checksum"
    try:
        return "" if checksum(name, content) == given else CORRUPTED
    except (KeyError, TypeError, ValueError):
        return ""


def described(name: str, text: str) -> dict[str, Any]:
    """What a state file says, as a module returns it. *name* is one of NAMES."""
    content = parsed(text) or {}
    told: dict[str, Any] = {
        "policy": content.get("policyName"),
        "problem": problem(name, text),
        "content": content,
        "pods": list(_pods(name, content.get("entries"))),
    }
    if name == CPU_STATE:
        told["default_cpus"] = content.get("defaultCpuSet")
    else:
        told["nodes"] = list(_nodes(content.get("machineState")))
    return told


def memory_totals(content: Mapping[str, Any]) -> dict[int, dict[str, int]]:
    """Bytes of each kind of memory (``memory``, ``hugepages-2Mi``) on each node, as written.

    Empty where the policy keeps none. Raises ValueError where it is no state that a kubelet wrote.
    """
    found: dict[int, dict[str, int]] = {}
    for number, numa_node in mapping(content.get("machineState")).items():
        kinds = mapping(mapping(numa_node).get("memoryMap"))
        totals = {kind: mapping(table).get("total") for kind, table in kinds.items()}
        if not totals or not all(isinstance(total, int) for total in totals.values()):
            raise ValueError(f"node {number} has no totals")
        found[int(number)] = {kind: int(total or 0) for kind, total in totals.items()}
    return found


def _pods(name: str, entries: object) -> Iterator[dict[str, Any]]:
    for uid, containers in sorted(mapping(entries).items()):
        yield {
            "uid": uid,
            "containers": [
                {"name": container, **_granted(name, what)}
                for container, what in sorted(mapping(containers).items())
            ],
        }


def _granted(name: str, what: object) -> dict[str, Any]:
    if name == CPU_STATE:
        return {"cpus": what}
    blocks = [mapping(block) for block in what] if isinstance(what, list) else []
    return {
        "memory": [
            {
                "type": block.get("type"),
                "nodes": block.get("numaAffinity"),
                "bytes": block.get("size"),
            }
            for block in blocks
        ]
    }


def _nodes(machine_state: object) -> Iterator[dict[str, Any]]:
    numbered = {key: each for key, each in mapping(machine_state).items() if _NUMBER.match(key)}
    for number in sorted(numbered, key=int):
        numa_node = mapping(numbered[number])
        yield {
            "id": int(number),
            "group": numa_node.get("cells"),
            "assignments": numa_node.get("numberOfAssignments"),
            "memory": {
                kind: {
                    "total_bytes": mapping(table).get("total"),
                    "reserved_for_system_bytes": mapping(table).get("systemReserved"),
                    "allocatable_bytes": mapping(table).get("allocatable"),
                    "reserved_bytes": mapping(table).get("reserved"),
                    "free_bytes": mapping(table).get("free"),
                }
                for kind, table in sorted(mapping(numa_node.get("memoryMap")).items())
            },
        }
