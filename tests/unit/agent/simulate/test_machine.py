# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Described machines: what the form gives, what it leaves out, and what makes no sense."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.simulate.machine import read_machine
from model.cpuset import CpuSet, NodeSet
from model.fields import Fields
from model.machine import DRAM, HBM, PMEM, Machine
from model.problem import HomenodeProblem

GIB = 1 << 30
TWO_NODES: dict[str, Any] = {
    "packages": [
        {
            "nodes": [
                {"id": 0, "cpus": "0-3", "memory": "2Gi"},
                {"id": 1, "cpus": "4-7", "memory": "2.5G"},
            ]
        }
    ]
}
PMEM_NODE = {"id": 4, "memory": "4Gi"}


def machine(**more: Any) -> Machine:
    return read_machine(Fields({**TWO_NODES, **more}, source="s.yaml", path="machine"))


def texts(groups: Any) -> list[str]:
    return [str(getattr(group, "cpus", group)) for group in groups]


def test_the_least_that_can_be_said() -> None:
    found = machine()
    assert [numa_node.memory_total_bytes for numa_node in found.nodes] == [2 * GIB, 2500000000]
    assert [numa_node.kind for numa_node in found.nodes] == [DRAM, DRAM]
    assert found.online == found.present == CpuSet(range(8))
    assert found.packages[0].nodes == NodeSet([0, 1])
    assert texts(found.siblings) == [str(cpu) for cpu in range(8)]
    assert texts(found.dies) == ["0-7"]
    assert found.clusters == found.siblings
    assert found.threads_per_core == 1
    assert not found.efficiency_cpus and not found.performance_cpus and not found.isolated
    assert [(cache.level, str(cache.cpus)) for cache in found.caches][-2:] == [(2, "7"), (3, "0-7")]
    assert texts(found.last_level_caches) == ["0-7"]


def test_packages_of_dies() -> None:
    dies = [{"nodes": [{"id": 2, "cpus": 8}]}, {"nodes": [{"id": 3, "cpus": "9-11"}]}]
    found = machine(packages=[*TWO_NODES["packages"], {"dies": dies}])
    assert [(die.package, die.id, str(die.cpus)) for die in found.dies] == [
        (0, 0, "0-7"),
        (1, 0, "8"),
        (1, 1, "9-11"),
    ]
    assert [numa_node.package for numa_node in found.nodes] == [0, 0, 1, 1]
    assert [list(numa_node.distances.values()) for numa_node in found.nodes] == [
        [10, 11, 21, 21],
        [11, 10, 21, 21],
        [21, 21, 10, 21],
        [21, 21, 21, 10],
    ]


@pytest.mark.parametrize(
    ("memory", "kind"), [({}, PMEM), ({"type": "hbm"}, HBM), ({"memory": "1Gi"}, HBM)]
)
def test_memory_without_cpus(memory: dict[str, Any], kind: str) -> None:
    found = machine(nodes_without_cpus=[{**PMEM_NODE, **memory}])
    assert (found.nodes[2].id, found.nodes[2].kind, found.nodes[2].package) == (4, kind, None)
    assert list(found.nodes[2].distances.items()) == [(0, 21), (1, 21), (4, 10)]


def test_dram_without_memory_is_not_part_of_the_average() -> None:
    nodes = [{"id": 0, "cpus": 0, "memory": "3Gi"}, {"id": 1, "cpus": 1}]
    found = machine(packages=[{"nodes": nodes}], nodes_without_cpus=[{"id": 2, "memory": "2Gi"}])
    assert found.nodes[2].kind == HBM


def test_threads_and_siblings() -> None:
    assert texts(machine(threads_per_core=2).siblings) == ["0-1", "2-3", "4-5", "6-7"]
    assert texts(machine(siblings=["0,2", "1,3"]).siblings) == ["0,2", "1,3", "4", "5", "6", "7"]


def test_caches_have_the_ids_of_the_list_or_their_own() -> None:
    found = machine(l3=["4-7", {"id": 9, "cpus": "0-3"}], l2=["0-1"])
    assert [(cache.level, cache.id, str(cache.cpus)) for cache in found.caches] == [
        (2, 0, "0-1"),
        (3, 9, "0-3"),
        (3, 0, "4-7"),
    ]


def test_kinds_isolation_clusters_and_distances() -> None:
    found = machine(
        core_kinds={"efficiency": "6-7"},
        isolated=3,
        clusters=["0-3"],
        distances=[[10, 15], [15, 10]],
    )
    assert (str(found.performance_cpus), str(found.efficiency_cpus)) == ("0-5", "6-7")
    assert found.isolated == CpuSet([3])
    assert texts(found.clusters) == ["0-3"]
    assert found.nodes[0].distances == {0: 10, 1: 15}


WRONG = [
    ({"packages": []}, "packages", "there is none"),
    ({"packages": [{}]}, "packages[0].nodes", "either nodes, or dies"),
    ({"packages": [{"nodes": [{"id": 0, "memory": "1Gi"}]}]}, "packages", "has no CPU"),
    ({"packages": [{"nodes": [{"id": 0, "cpus": "0-"}]}]}, "packages[0].nodes[0].cpus", ""),
    ({"packages": [{"nodes": [{"cpus": "0"}]}]}, "packages[0].nodes[0].id", "bounds"),
    ({"packages": [{"nodes": [{"id": 64, "cpus": 0}]}]}, "packages[0].nodes[0].id", ""),
    ({"threads_per_core": 0}, "threads_per_core", "bounds"),
    ({"siblings": ["0,4"]}, "siblings", "on several nodes"),
    ({"siblings": ["0,1", "1,2"]}, "siblings[1].cpus", "CPU 1 is in another group"),
    ({"l3": ["0-8"]}, "l3[0].cpus", "no CPU 8"),
    ({"l3": [""]}, "l3[0].cpus", "has no CPUs"),
    ({"l2": ["0", {"id": 0, "cpus": "1"}]}, "l2[1].id", "another group"),
    ({"l3": {"id": 0}}, "l3", "not a list"),
    ({"core_kinds": {"efficiency": "9"}}, "core_kinds.efficiency", "no CPU 9"),
    ({"core_kinds": {"performance": "1"}}, "core_kinds.performance", "not a known key"),
    ({"core_kinds": {"efficiency": "1"}, "siblings": ["0,1"]}, "core_kinds.efficiency", "one core"),
    ({"isolated": "3,8"}, "isolated", "no CPU 8"),
    ({"distances": [[10, 11]]}, "distances", "not 2 rows of 2"),
    ({"distances": [[10, 11], [11]]}, "distances", "not 2 rows of 2"),
    ({"distances": [[10, 11], [12, 10]]}, "distances", "distance (#0, #1): 11 != 12"),
    ({"distances": [[10, 10], [10, 10]]}, "distances", "not farther"),
    ({"distances": [[10, 256], [256, 10]]}, "distances", "(#0, #1) is 256"),
    ({"sockets": 2}, "sockets", "not a known key"),
]  # fmt: skip

WRONG_MEMORY = [
    ({"id": 4, "memory": "1.5"}, "memory", "whole"),
    ({"id": 4, "memory": "-1"}, "memory", "negative"),
    ({"id": 4}, "memory", "unknown memory type"),
    ({"id": 1, "memory": 1}, "id", "another node"),
    ({"id": 4, "cpus": "9"}, "cpus", "not a known key"),
    ({**PMEM_NODE, "type": "CXL"}, "type", "no memory type"),
]


@pytest.mark.parametrize(("more", "field", "why"), WRONG)
def test_what_makes_no_sense(more: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(HomenodeProblem) as error:
        machine(**more)
    assert error.value.problem.field == f"machine.{field}"
    assert why in error.value.problem.why


@pytest.mark.parametrize(("memory", "field", "why"), WRONG_MEMORY)
def test_memory_that_makes_no_sense(memory: dict[str, Any], field: str, why: str) -> None:
    test_what_makes_no_sense(
        {"nodes_without_cpus": [memory]}, f"nodes_without_cpus[0].{field}", why
    )


def test_a_cpu_on_two_nodes() -> None:
    nodes = [{"id": 0, "cpus": "0-3"}, {"id": 1, "cpus": "3-7"}]
    with pytest.raises(HomenodeProblem, match="CPU 3 is on node 0 already") as error:
        machine(packages=[{"nodes": nodes}])
    assert error.value.problem.field == "machine.packages[0].nodes[1].cpus"
