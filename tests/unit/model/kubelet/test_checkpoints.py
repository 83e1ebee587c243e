# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files of an earlier policy, or of a machine that was another one."""

from __future__ import annotations

from typing import Any

import pytest

from model.kubelet.checkpoints import stale
from model.kubelet.effective import Layer, Sources, effective
from model.kubelet.hardware import hardware

MACHINE = hardware(["2Gi", "2Gi"])
CONFIG = {
    "cpuManagerPolicy": "static",
    "memoryManagerPolicy": "Static",
    "reservedMemory": [{"numaNode": 0, "limits": {"memory": "400Mi"}}],
}


def memory_state(reserved: int = 400 << 20, total: int = 2 << 30, nodes: int = 2) -> dict[str, Any]:
    return {
        "policyName": "Static",
        "machineState": {
            str(number): {
                "memoryMap": {
                    "memory": {"total": total, "systemReserved": 0 if number else reserved}
                },
                "cells": [number],
            }
            for number in range(nodes)
        },
        "checksum": 1,
    }


FRESH: dict[str, dict[str, Any]] = {
    "no files": {},
    "files that are none": {"cpu_manager_state": None, "memory_manager_state": None},
    "the same": {
        "cpu_manager_state": {"policyName": "static", "defaultCpuSet": "0-3"},
        "memory_manager_state": memory_state(),
    },
}
_POLICY = '[memorymanager] configured policy "Static" differs from state checkpoint policy "None"'
_MACHINE = "[memorymanager] the expected machine state is different from the real one"
STALE: dict[str, tuple[dict[str, Any], str, str]] = {
    "f another CPU policy": (
        {"cpu_manager_state": {"policyName": "none"}},
        "cpu_manager_state",
        'configured policy "static" differs from state checkpoint policy "none"',
    ),
    "f another memory policy": (
        {"memory_manager_state": {"policyName": "None"}},
        "memory_manager_state",
        _POLICY,
    ),
    "f another reservation": (
        {"memory_manager_state": memory_state(reserved=1)},
        "memory_manager_state",
        _MACHINE,
    ),
    "f another MemTotal": (
        {"memory_manager_state": memory_state(total=(2 << 30) + 4096)},
        "memory_manager_state",
        _MACHINE,
    ),
    "f another number of nodes": (
        {"memory_manager_state": memory_state(nodes=1)},
        "memory_manager_state",
        _MACHINE,
    ),
    "no content": (
        {"memory_manager_state": "half a fi"},
        "memory_manager_state",
        "could not restore state from checkpoint: invalid character 'h'",
    ),
}


@pytest.mark.parametrize("checkpoints", FRESH.values(), ids=FRESH.keys())
def test_these_may_stay(checkpoints: dict[str, Any]) -> None:
    assert list(stale(effective(Sources(Layer("c", CONFIG))), MACHINE, checkpoints)) == []


@pytest.mark.parametrize(("checkpoints", "name", "words"), STALE.values(), ids=STALE.keys())
def test_these_must_go(checkpoints: dict[str, Any], name: str, words: str) -> None:
    (problem,) = stale(effective(Sources(Layer("c", CONFIG))), MACHINE, checkpoints)
    assert problem.field == name
    assert words in problem.why
    assert "drain" in problem.remedy
