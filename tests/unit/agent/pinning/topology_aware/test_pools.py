# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pools a machine has: pinning.md §1.4, §1.6, §12.5."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.described import described, machine
from homenode.intent.tenant import MEMORY_TYPES
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.topology_aware.pools import PoolTree, pool_tree
from model.machine import Machine


def tree_of(there: Machine) -> PoolTree:
    return pool_tree(there, MemoryLayout.of(there))


@pytest.mark.parametrize(
    ("name", "pools"),
    [
        ("desktop", "socket #0"),
        ("sparse", "socket #0, socket #1, socket #2, root"),
        (
            "n4c16",
            "NUMA node #0, NUMA node #1, socket #0, NUMA node #2, NUMA node #3, socket #1, root",
        ),
        ("dies", "die #0/0, die #0/1, socket #0, die #1/0, die #1/1, socket #1, root"),
        (
            "dies-of-2",
            "NUMA node #0, NUMA node #1, die #0/0, NUMA node #2, NUMA node #3, die #0/1, socket #0",
        ),
        ("memoryless", "NUMA node #0, socket #0, NUMA node #2, NUMA node #3, socket #1, root"),
        (
            "desktop-l3",
            "socket #0/L3 cache #0, socket #0/L3 cache #1, socket #0/L3 cache #2,"
            " socket #0/L3 cache #3, socket #0",
        ),
    ],
)
def test_pools_in_the_order_of_their_numbers(name: str, pools: str) -> None:
    tree = tree_of(described(name))
    assert ", ".join(pool.name for pool in tree.pools) == pools
    assert [pool.id for pool in tree.pools] == list(range(len(tree.pools)))


def test_lineage() -> None:
    tree = tree_of(described("n4c16"))
    assert [(pool.above, pool.below, pool.depth) for pool in tree.pools[:3]] == [
        ((2, 6), (), 2),
        ((2, 6), (), 2),
        ((6,), (0, 1), 1),
    ]
    assert tree.root.below == (0, 1, 2, 3, 4, 5)


def test_caches_come_by_their_ids_and_not_by_their_cpus() -> None:
    tree = tree_of(described("n4c128-l3"))
    first = {
        pool.name: str(pool.cpus) for pool in tree.pools if pool.name.startswith("NUMA node #1/")
    }
    assert list(first.items())[:2] == [
        ("NUMA node #1/L3 cache #4", "48-55"),
        ("NUMA node #1/L3 cache #6", "56-63"),
    ]


def test_caches_with_the_same_id_stay_apart() -> None:
    there = described("epyc")
    caches = tuple(replace(cache, id=0) for cache in there.caches)
    tree = tree_of(replace(there, caches=caches))
    leaves = [str(pool.cpus) for pool in tree.pools if not pool.below]
    assert leaves == ["0-3", "4-7", "8-11", "12-15", "16-19", "20-23", "24-27", "28-31"]
    assert all(len(pool.above) == 2 for pool in tree.pools if not pool.below)


def test_dies_that_are_clusters_have_no_pools() -> None:
    there = described("dies")
    clusters = tuple(die.cpus for die in there.dies)
    tree = tree_of(replace(there, clusters=clusters))
    assert tree.pools[0].name == "NUMA node #0"


@pytest.mark.parametrize(
    ("name", "mems"),
    [
        ("n6-hbm-cxl", {"socket #0": "0,2,4", "socket #1": "1,3,5", "root": "0-5"}),
        (
            "c4pmem4",
            {
                "socket #0": "0,6",
                "socket #1": "1,7",
                "socket #2": "2,4",
                "socket #3": "3,5",
                "root": "0-7",
            },
        ),
        ("desktop", {"socket #0": "0"}),
    ],
)
def test_memory_without_cpus_belongs_to_the_nearest(name: str, mems: dict[str, str]) -> None:
    tree = tree_of(described(name))
    assert {pool.name: str(pool.memory(MEMORY_TYPES)) for pool in tree.pools} == mems


def test_memory_that_is_equally_near_belongs_to_each() -> None:
    there = machine(
        {
            "packages": [
                {"nodes": [{"id": 0, "cpus": "0", "memory": "1Gi"}]},
                {"nodes": [{"id": 1, "cpus": "1", "memory": "1Gi"}]},
            ],
            "nodes_without_cpus": [{"id": 2, "memory": "2Gi"}],
        }
    )
    assert [str(pool.mems["PMEM"]) for pool in tree_of(there).pools] == ["2", "2", "2"]


@pytest.mark.parametrize(
    ("name", "wanted", "level"),
    [
        ("n4c16", "system", "system"),
        ("n4c16", "die", "package"),
        ("n4c16", "l3cache", "numa"),
        ("dies", "numa", "die"),
        ("desktop", "system", "package"),
    ],
)
def test_a_level_without_pools_is_the_next_coarser_one(name: str, wanted: str, level: str) -> None:
    tree = tree_of(described(name))
    levels = ("system", "package", "die", "numa", "l3cache")
    assert levels[tree.existing_level(wanted)] == level
