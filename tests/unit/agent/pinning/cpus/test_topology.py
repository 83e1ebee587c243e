# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layout that the allocator works with: groups worth taking, priorities, elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fakes.files import FakeFiles
from fakes.hand_made import MACHINES
from fakes.machines import machine_files, sockets
from homenode.pinning.cpus.groups import CpuGroup
from homenode.pinning.cpus.topology import CpuTopology
from host_files import open_host
from model.cpuset import CpuSet
from model.machine import EPP_UNKNOWN, Cache, CpuFrequency, Machine
from model.sysfs import read_machine

SMALL = read_machine(FakeFiles(machine_files(sockets(1, nodes=2, cores=4, threads=2))))
"""One package and die; nodes 0-3,8-11 and 4-7,12-15; CPUs n and n+8 are one core."""

WIDE = read_machine(FakeFiles(machine_files(sockets(2, cores=2, threads=2))))
"""Packages 0-1,4-5 and 2-3,6-7; CPUs n and n+4 are one core."""


def sets(*lists: str) -> tuple[CpuSet, ...]:
    return tuple(CpuSet.parse(one) for one in lists)


def caches(level: int, *lists: str) -> tuple[Cache, ...]:
    return tuple(Cache(n, cpus, 1, level) for n, cpus in enumerate(sets(*lists)))


def groups(found: tuple[CpuGroup, ...]) -> list[str]:
    return [f"{group.package}/{group.die}:{group.cpus}" for group in found]


CLUSTERS: Mapping[str, tuple[tuple[CpuSet, ...], list[str]]] = {
    "the kernel knows none": ((), []),
    "cores are folded into one": (sets("0,8", "1,9", "2,10", "3,11", "4-7,12-15"), [
        "0/0:0-3,8-11",
        "0/0:4-7,12-15",
    ]),
    "in the place of the lowest": (sets("4-7,12-15", "1,9", "0,8", "2-3,10-11"), [
        "0/0:4-7,12-15",
        "0/0:0-1,8-9",
        "0/0:2-3,10-11",
    ]),
    "nothing but cores": (sets("0,8", "1,9", "2,10", "3,11", "4,12", "5,13", "6,14", "7,15"), []),
}  # fmt: skip


@pytest.mark.parametrize(("clusters", "expected"), CLUSTERS.values(), ids=CLUSTERS)
def test_logical_clusters(clusters: tuple[CpuSet, ...], expected: list[str]) -> None:
    assert groups(CpuTopology.of(replace(SMALL, clusters=clusters)).clusters) == expected


GROUPS: Mapping[str, tuple[Machine, tuple[Cache, ...], list[str]]] = {
    "none": (SMALL, (), []),
    "one a core": (SMALL, caches(2, "0,8", "1,9"), []),
    "one a package": (SMALL, caches(3, "0-15"), []),
    "the third level parts the die": (
        SMALL,
        caches(2, "0-1,8-9", "2-3,10-11") + caches(3, "4-7,12-15", "0-3,8-11"),
        ["0/0:0-3,8-11", "0/0:4-7,12-15"],
    ),
    "the second where the third does not": (
        SMALL,
        caches(2, "0-1,8-9", "2-3,10-11", "4-5,12-13", "6-7,14-15") + caches(3, "0-15"),
        ["0/0:0-1,8-9", "0/0:2-3,10-11", "0/0:4-5,12-13", "0/0:6-7,14-15"],
    ),
    "one alone is no group": (SMALL, caches(3, "0-3,8-11"), []),
    "one that crosses NUMA nodes": (SMALL, caches(3, "2-5,10-13", "0-1,8-9"), []),
    "one that crosses packages": (WIDE, caches(3, "0-2", "4-5"), []),
    "offline CPUs do not count": (
        SMALL,
        caches(3, "0-3,8-11,16", "4-7,12-15"),
        ["0/0:0-3,8-11", "0/0:4-7,12-15"],
    ),
}


@pytest.mark.parametrize(("machine", "found", "expected"), GROUPS.values(), ids=GROUPS)
def test_cache_groups(machine: Machine, found: tuple[Cache, ...], expected: list[str]) -> None:
    assert groups(CpuTopology.of(replace(machine, caches=found)).cache_groups) == expected


def frequencies(*pairs: tuple[int, int]) -> dict[int, CpuFrequency]:
    return {cpu: CpuFrequency(base, 0, 0, epp) for cpu, (base, epp) in enumerate(pairs)}


PRIORITIES: Mapping[str, tuple[dict[int, CpuFrequency], str, str, str]] = {
    "nothing told": ({}, "", "0-7", ""),
    "all alike": (frequencies(*[(2, 1)] * 8), "", "0-7", ""),
    "base frequency": (
        frequencies((3, 4), (2, 4), (1, 4), (1, 4), (2, 4), (0, 4), (1, 4), (1, 4)),
        "0",
        "2-3,6-7",
        "1,4-5",
    ),
    "energy preference before base frequency": (
        frequencies((1, 0), (2, 3), (1, 3), (1, 3), (1, 1), (2, EPP_UNKNOWN), (1, 3), (1, 3)),
        "0,4",
        "2-3,6-7",
        "1,5",
    ),
}


@pytest.mark.parametrize(("told", "high", "normal", "low"), PRIORITIES.values(), ids=PRIORITIES)
def test_priorities_are_judged_within_a_package(
    told: dict[int, CpuFrequency], high: str, normal: str, low: str
) -> None:
    found = CpuTopology.of(replace(WIDE, frequencies=told)).priorities
    assert {name: str(cpus) for name, cpus in found.items()} == {
        "high": high,
        "normal": normal,
        "low": low,
    }


def test_efficiency_cores_are_low() -> None:
    topology = CpuTopology.of(read_machine(open_host(str(MACHINES / "hybrid.machine"))))
    assert str(topology.priorities["low"]) == "8-15"
    assert str(topology.priorities["normal"]) == "0-7"
    assert topology.has_core_kinds


@pytest.mark.parametrize(
    ("level", "cpus", "expected"),
    [
        ("system", "3", "0-7"),
        ("package", "3", "2-3,6-7"),
        ("die", "1", "0-1,4-5"),
        ("numa", "1,2", "0-7"),
        ("l2cache", "1", "1,5"),
        ("core", "1,2", "1-2,5-6"),
        ("thread", "1,2", "1-2"),
        ("core", "", ""),
    ],
)
def test_elements(level: str, cpus: str, expected: str) -> None:
    assert str(CpuTopology.of(WIDE).elements(level, CpuSet.parse(cpus))) == expected


def test_what_is_not_known_is_a_core_or_a_package() -> None:
    topology = CpuTopology.of(replace(WIDE, caches=(), dies=()))
    assert str(topology.elements("l2cache", CpuSet([1]))) == "1,5"
    assert str(topology.elements("die", CpuSet([1]))) == "0-1,4-5"


def test_where_a_cpu_is() -> None:
    topology = CpuTopology.of(WIDE)
    assert str(topology.core_of(6)) == "2,6"
    assert topology.package_of(6) == 1
    assert [str(cache.cpus) for cache in topology.caches_at(3)] == ["0-1,4-5", "2-3,6-7"]


@pytest.mark.parametrize(("cpus", "expected"), [("0-7", "0-3"), ("1,4-6", "1,4,6"), ("", "")])
def test_single_threads(cpus: str, expected: str) -> None:
    assert str(CpuTopology.of(WIDE).single_threads(CpuSet.parse(cpus))) == expected
