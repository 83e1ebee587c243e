# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs the allocator takes: the vectors of upstream's own tests, and worked derivations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.files import FakeFiles
from fakes.hand_made import MACHINES
from fakes.machines import machine_files, sockets
from homenode.pinning.cpus.allocator import allocate
from homenode.pinning.cpus.groups import CpuGroup
from homenode.pinning.cpus.topology import CpuTopology
from host_files import open_host
from model.cpuset import CpuSet
from model.problem import HomenodeProblem
from model.sysfs import read_machine

SERVER = CpuTopology.of(read_machine(FakeFiles(machine_files(sockets(2, cores=20, threads=2)))))
"""80 CPUs: packages 0-19,40-59 and 20-39,60-79; CPUs n and n+40 are one core."""

FAST = replace(
    SERVER,
    priorities={
        "high": CpuSet.parse("2,5,8,15,17,42,45,48,55,57"),
        "normal": CpuSet.parse("20-39,60-79"),
        "low": CpuSet.parse("0-1,3-4,6-7,9-14,16,18-19,40-41,43-44,46-47,49-54,56,58-59"),
    },
)
ALL, PACKAGE = "0-79", "0-19,40-59"
EFFICIENT = CpuSet.parse("16-19,36-39,56-59,76-79")


def clustered(*, second: str, efficient: tuple[str, ...], all_high: bool = False) -> CpuTopology:
    """The server as a hybrid, with the kinds of its clusters told apart from those of its CPUs."""
    first = "0-3 4-7 8-11 12-15 16-19 40-43 44-47 48-51 52-55 56-59"
    groups = tuple(
        CpuGroup(package, 0, cpus, str(cpus) in efficient)
        for package, lists in enumerate((first, second))
        for cpus in map(CpuSet.parse, lists.split())
    )
    machine = replace(
        SERVER.machine,
        performance_cpus=SERVER.online - EFFICIENT,
        efficiency_cpus=EFFICIENT,
    )
    topology = replace(CpuTopology.of(machine), clusters=groups)
    if all_high:
        nobody = CpuSet()
        priorities = {"high": SERVER.online, "normal": nobody, "low": nobody}
        return replace(topology, priorities=priorities)
    return topology


TEN = "20,22,24,26 21,23,25,27 28-31 32-35 36-39 60-63 64-67 68-71 72-75 76-79"
SMALL = "20,22,24,26 21,23,25,27 28-31 32-35 36-37 38-39 60-63 64-67 68-71 72-75 76-79"
ALIKE = clustered(second=TEN, efficient=(), all_high=True)
HYBRID = clustered(second=TEN, efficient=("16-19", "56-59", "36-39", "76-79"))
PAIR = clustered(second=SMALL, efficient=("16-19", "56-59", "36-37", "76-79"))

VECTORS = {
    "all there are": (FAST, "2,3,10-14,20", 8, "normal", "2,3,10-14,20"),
    "high priority": (FAST, "2,3,10-25", 4, "high", "2,3,15,17"),
    "one cluster": (ALIKE, PACKAGE, 4, "high", "0-3"),
    "two clusters": (ALIKE, PACKAGE, 8, "high", "0-7"),
    "four clusters": (ALIKE, PACKAGE, 16, "high", "0-15"),
    "a package of clusters": (ALIKE, PACKAGE, 40, "high", PACKAGE),
    "a cluster more than a package": (ALIKE, ALL, 44, "high", "0-19,20,22,24,26,40-59"),
    "two clusters more than a package": (ALIKE, ALL, 48, "high", "0-27,40-59"),
    "P: one cluster": (HYBRID, ALL, 4, "normal", "0-3"),
    "P: two clusters": (HYBRID, ALL, 8, "normal", "0-7"),
    "P: all of a package": (HYBRID, ALL, 32, "normal", "0-15,40-55"),
    "P: a cluster more": (HYBRID, ALL, 36, "normal", "0-15,20,22,24,26,40-55"),
    "P: two clusters more": (HYBRID, ALL, 40, "normal", "0-15,20-27,40-55"),
    "E: one cluster": (HYBRID, ALL, 4, "low", "16-19"),
    "E: two clusters": (HYBRID, ALL, 8, "low", "16-19,56-59"),
    "E: the tightest cluster": (PAIR, ALL, 2, "low", "36,37"),
    "E: the tightest die": (PAIR, ALL, 6, "low", "36-37,76-79"),
    "E: one die": (PAIR, ALL, 8, "low", "16-19,56-59"),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_upstream_vector(vector: tuple[CpuTopology, str, int, str, str]) -> None:
    topology, source, count, priority, expected = vector
    chosen = allocate(topology, CpuSet.parse(source), count, priority)
    assert chosen == CpuSet.parse(expected)


def test_too_few() -> None:
    with pytest.raises(HomenodeProblem, match="not enough CPUs: '2-3,10-14,20' does not have 9"):
        allocate(FAST, CpuSet.parse("2,3,10-14,20"), 9, "normal")


FOUR_NODES = CpuTopology.of(read_machine(open_host(str(MACHINES / "lab-ht.machine"))))
"""Four nodes of four CPUs in two packages; CPUs 2n and 2n+1 are one core."""

DERIVATIONS = {
    "one": ("1-15", 1, "1"),
    "a core": ("0-15", 2, "0-1"),
    "a core and half of the next": ("0-15", 3, "0-2"),
    "two cores": ("0-15", 4, "0-3"),
    "the sibling of a thread that is taken": ("1-15", 1, "1"),
    "cores, then a thread (D2)": ("8-15", 5, "8-12"),
    "all there are (D2)": ("1-7", 7, "1-7"),
    "a package, then what is left of a core (D2)": ("1-15", 9, "1,8-15"),
    "a core, then the thread that is alone (D3)": ("10-11,13-15", 3, "10-11,13"),
    "nothing": ("0-15", 0, ""),
    "CPUs that are not online": ("3,99", 1, "3"),
}


@pytest.mark.parametrize("row", DERIVATIONS.values(), ids=DERIVATIONS)
def test_derivation(row: tuple[str, int, str]) -> None:
    source, count, expected = row
    assert str(allocate(FOUR_NODES, CpuSet.parse(source), count)) == expected


def test_high_priority_takes_no_package_whole_where_nothing_is_high() -> None:
    """The allocator's "high" on an ordinary machine: cores from the first package on."""
    source = CpuSet.parse("1-15")
    assert str(allocate(FOUR_NODES, source, 9, "high")) == "1-9"
    assert str(allocate(FOUR_NODES, source, 9, "normal")) == "1,8-15"
