# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics of pools and balloons, judged by the parser of prometheus_client."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from homenode.report.pool_metrics import pool_exposition
from homenode.world.place import Place
from model.cpuset import CpuSet, NodeSet

POOL = Place(
    "NUMA node #1",
    CpuSet.parse("4-7"),
    kind="numa node",
    parent="root",
    shared=CpuSet.parse("5-7"),
    reserved=CpuSet.parse("4"),
    mems=NodeSet([1]),
    cpu_capacity=4000,
    cpu_allocatable=3000,
    cpu_available=1250,
    memory_capacity=1 << 40,
    memory_available=-5,
    containers=("a", "b"),
)
BALLOON = Place('odd"\n[0]', CpuSet.parse("0-1"), excess="750m", kind="balloon")


def series(*places: Place) -> dict[tuple[str, str], float]:
    """Name and place of every sample, and its value."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(pool_exposition(places)):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            key = (sample.name[len("homenode_place_") :], sample.labels["place"])
            assert key not in found, "a series twice makes the whole scrape fail"
            found[key] = sample.value
    return found


def test_pool() -> None:
    assert {name: value for (name, _place), value in series(POOL).items()} == {
        "info": 1,
        "cpus": 4,
        "shared_cpus": 3,
        "reserved_cpus": 1,
        "isolated_cpus": 0,
        "cpu_capacity_cores": 4,
        "cpu_allocatable_cores": 3,
        "cpu_available_cores": 1.25,
        "memory_capacity_bytes": 1 << 40,
        "memory_available_bytes": -5,
        "containers": 2,
    }


def test_excess_is_that_of_balloons() -> None:
    found = series(POOL, BALLOON)
    assert [key for key in found if key[0] == "cpu_excess_cores"] == [
        ("cpu_excess_cores", BALLOON.name)
    ]
    assert found["cpu_excess_cores", BALLOON.name] == 0.75


def test_no_series_ends_because_a_container_came() -> None:
    busy = Place(POOL.name, CpuSet.parse("4-6"), "", POOL.kind, POOL.parent, containers=("c",))
    assert series(POOL).keys() == series(busy).keys()


def test_info_tells_kind_and_parent() -> None:
    (info, *_others) = text_string_to_metric_families(pool_exposition((POOL,)))
    labels = {"place": "NUMA node #1", "kind": "numa node", "parent": "root"}
    assert [sample.labels for sample in info.samples] == [labels]


def test_no_policy_no_page() -> None:
    assert pool_exposition(()) == ""
