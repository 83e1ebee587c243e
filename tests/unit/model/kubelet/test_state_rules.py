# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reserved CPUs, checksums, gates and known keys, as kubelets 1.31.0 and 1.35.4 have them.

tests/judge compares all of it with the kubelets themselves; these run without one.
"""

from __future__ import annotations

from typing import Any

import pytest

from model.kubelet.checkpoints import live, stale
from model.kubelet.checksums import checksum
from model.kubelet.effective import Layer, Sources, effective
from model.kubelet.gates import gate_problems, is_open
from model.kubelet.hardware import hardware
from model.kubelet.known_keys import known_keys, since
from model.kubelet.static_cpus import kept_back

HYPER_THREADS = hardware(
    {
        "nodes": [
            {"id": 0, "cpus": "0-3,8-11", "memory": {"total_bytes": 8 << 30}},
            {"id": 1, "cpus": "4-7,12-15", "memory": {"total_bytes": 8 << 30}},
        ],
        "packages": [
            {"id": 0, "nodes": [0], "cpus": "0-3,8-11"},
            {"id": 1, "nodes": [1], "cpus": "4-7,12-15"},
        ],
        "cpus": {"online": "0-15", "siblings": [f"{cpu},{cpu + 8}" for cpu in range(8)]},
    }
)
AMOUNTS = {
    "100m": "0",
    "1": "0",
    "2": "0,8",
    "3": "0-1,8",
    "8": "0-3,8-11",
    "10": "0-4,8-12",
}
CPUS_OF_PODS: dict[str, tuple[dict[str, Any], str]] = {
    "free for all": ({"defaultCpuSet": "0-15"}, ""),
    "a pod has a reserved one": (
        {"defaultCpuSet": "0-7,9-15", "entries": {"pod": {"c": "8"}}},
        'not all reserved cpus: "0,8" are present in defaultCpuSet: "0-7,9-15"',
    ),
    "one is in both": (
        {"defaultCpuSet": "0-15", "entries": {"pod": {"c": "3"}}},
        'cpuset: "3" overlaps with default cpuset "0-15"',
    ),
    "some are gone": (
        {"defaultCpuSet": "0-17"},
        'current set of available CPUs "0-15" doesn\'t match with CPUs in state "0-17"',
    ),
}


def with_cpus(amount: str) -> Any:
    config = {"cpuManagerPolicy": "static", "kubeReserved": {"cpu": amount}}
    return effective(Sources(Layer("c", config)))


@pytest.mark.parametrize(("amount", "cpus"), AMOUNTS.items())
def test_an_amount_takes_the_lowest_cores(amount: str, cpus: str) -> None:
    assert str(kept_back(with_cpus(amount), HYPER_THREADS)) == cpus


@pytest.mark.parametrize(("state", "words"), CPUS_OF_PODS.values(), ids=CPUS_OF_PODS)
def test_cpus_of_the_last_run(state: dict[str, Any], words: str) -> None:
    checkpoints = {"cpu_manager_state": {"policyName": "static", **state}}
    found = [problem.why for problem in stale(with_cpus("2"), HYPER_THREADS, checkpoints)]
    assert [words in why for why in found] == [True] * bool(words)


def test_a_checksum_that_a_kubelet_wrote() -> None:
    content = {"policyName": "none", "defaultCpuSet": ""}
    assert checksum("cpu_manager_state", content) == 1353318690
    assert (
        checksum("memory_manager_state", {"policyName": "None", "machineState": {}}) == 4236770233
    )


def test_pods_that_would_lose_their_place() -> None:
    checkpoints: dict[str, object] = {"cpu_manager_state": {"entries": {"a": {}, "b": {}}}}
    (problem,) = live(checkpoints, ["cpu_manager_state", "memory_manager_state"])
    assert "has 2 pods" in problem.why


def test_gates() -> None:
    closed = {"featureGates": {"MemoryManager": False}}
    assert not is_open("MemoryManager", closed, (1, 31))
    assert list(gate_problems(closed, (1, 31))) == []
    (problem,) = gate_problems(closed, (1, 35))
    assert problem.why.endswith("MemoryManager to false, feature is locked to true")
    assert is_open("MemoryQoS", {"featureGates": {"AllAlpha": True}}, (1, 35))


def test_known_keys() -> None:
    assert "mergeDefaultEvictionSettings" not in known_keys("1.32")
    assert "mergeDefaultEvictionSettings" in known_keys("1.33")
    assert since("failCgroupV1") == "1.31"
