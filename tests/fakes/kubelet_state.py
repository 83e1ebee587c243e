# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State files as a kubelet 1.35.4 of tests/judge wrote them.

Two nodes of 2010994 KiB and two CPUs each, 400Mi of node 0 reserved, and two Guaranteed pods: one
with a CPU and 300Mi, one with 700m and 200Mi.
"""

from __future__ import annotations

import json
from typing import Any

from model.kubelet.checksums import CPU_STATE, MEMORY_STATE, checksum

CPU_TEXT = (
    '{"policyName":"static","defaultCpuSet":"0,2-3","entries":'
    '{"b09039f2a92a853fd37c9f2c38307218":{"main":"1"}},"checksum":4096753435}'
)


def _table(total: int, kept: int = 0, reserved: int = 0) -> dict[str, int]:
    allocatable = total - kept
    return {
        "total": total,
        "systemReserved": kept,
        "allocatable": allocatable,
        "reserved": reserved,
        "free": allocatable - reserved,
    }


def _node(number: int, assignments: int, memory: dict[str, int]) -> dict[str, Any]:
    kinds = {"hugepages-1Gi": _table(0), "hugepages-2Mi": _table(0), "memory": memory}
    return {"numberOfAssignments": assignments, "memoryMap": kinds, "cells": [number]}


def _granted(size: int) -> dict[str, Any]:
    return {"main": [{"numaAffinity": [0], "type": "memory", "size": size}]}


MEMORY_TEXT = json.dumps(
    {
        "policyName": "Static",
        "machineState": {
            "0": _node(0, 2, _table(2059257856, 419430400, 524288000)),
            "1": _node(1, 0, _table(2059257856)),
        },
        "entries": {
            "96ced63d1a7a417a0dfd9dbc0b88d688": _granted(209715200),
            "b09039f2a92a853fd37c9f2c38307218": _granted(314572800),
        },
        "checksum": 3145379598,
    },
    separators=(",", ":"),
)


def cpu_text(shared: str, policy: str = "static", **pods: str) -> str:
    """A ``cpu_manager_state`` with its checksum: the shared CPUs, and those of pods by uid."""
    content: dict[str, Any] = {"policyName": policy, "defaultCpuSet": shared}
    if pods:
        content["entries"] = {uid: {"main": cpus} for uid, cpus in pods.items()}
    return _written(CPU_STATE, content)


def memory_text(*totals: int, policy: str = "Static", huge_2mi: int = 0) -> str:
    """A ``memory_manager_state`` with its checksum, by the nodes' bytes; 2Mi pages on each node."""
    nodes = {}
    for number, total in enumerate(totals):
        huge = huge_2mi << 21
        nodes[str(number)] = _node(number, 0, _table(total, 100 << 20))
        nodes[str(number)]["memoryMap"] = {
            "hugepages-2Mi": _table(huge),
            "memory": _table(total, (100 << 20) + huge),
        }
    return _written(MEMORY_STATE, {"policyName": policy, "machineState": nodes})


def _written(name: str, content: dict[str, Any]) -> str:
    return json.dumps({**content, "checksum": checksum(name, content)}, separators=(",", ":"))
