# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only pinning reads of a machine: clusters, cache levels, frequencies, movable memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fakes.files import FakeFiles
from fakes.machines import CPUS, NODES, machine_files, sockets
from model.cpuset import CpuSet
from model.machine import EPP_UNKNOWN, CpuFrequency, Machine
from model.problem import HomenodeProblem
from model.sysfs import read_machine

SHAPE = sockets(2, cores=2, threads=2)
"""Cores 0,4 and 1,5 in package 0; 2,6 and 3,7 in package 1."""


def machine(extra: Mapping[str, str | None]) -> Machine:
    return read_machine(FakeFiles(machine_files(replace(SHAPE, extra=extra))))


def clusters(*groups: tuple[int, str]) -> dict[str, str | None]:
    """The files of clusters, each with its id and its CPUs."""
    texts: dict[str, str | None] = {}
    for number, cpus in groups:
        for cpu in CpuSet.parse(cpus):
            texts[f"{CPUS}/cpu{cpu}/topology/cluster_id"] = f"{number}\n"
            texts[f"{CPUS}/cpu{cpu}/topology/cluster_cpus_list"] = f"{cpus}\n"
    return texts


CLUSTERS: Mapping[str, tuple[dict[str, str | None], list[str]]] = {
    "a kernel before 5.16": ({}, []),
    "one a core": (
        clusters((0, "0,4"), (1, "1,5"), (0, "2,6"), (1, "3,7")),
        ["0,4", "1,5", "2,6", "3,7"],
    ),
    "by id within a die, not by CPU": (
        clusters((9, "0,4"), (8, "1,5"), (0, "2-3,6-7")),
        ["1,5", "0,4", "2-3,6-7"],
    ),
    "one id, several lists": (
        clusters((65535, "0"), (65535, "1,4-5"), (0, "2-3,6-7")),
        ["0-1,4-5", "2-3,6-7"],
    ),
    "an id that firmware does not know": (clusters((-1, "0-1,4-5"), (0, "2-3,6-7")), []),
}


@pytest.mark.parametrize(("texts", "expected"), CLUSTERS.values(), ids=CLUSTERS.keys())
def test_clusters(texts: dict[str, str | None], expected: list[str]) -> None:
    assert [str(cpus) for cpus in machine(texts).clusters] == expected


def test_clusters_without_dies_are_counted_within_packages() -> None:
    shape = replace(SHAPE, dies=(), extra=clusters((0, "0-1,4-5"), (0, "2-3,6-7")))
    found = read_machine(FakeFiles(machine_files(shape))).clusters
    assert [str(cpus) for cpus in found] == ["0-1,4-5", "2-3,6-7"]


def test_caches_of_every_level_from_the_second() -> None:
    found = machine({}).caches
    assert [(c.level, c.id, str(c.cpus), c.size_bytes >> 10) for c in found] == [
        (2, 0, "0,4", 1280),
        (2, 1, "1,5", 1280),
        (2, 2, "2,6", 1280),
        (2, 3, "3,7", 1280),
        (3, 0, "0-1,4-5", 32768),
        (3, 1, "2-3,6-7", 32768),
    ]


def test_a_second_level_that_tells_no_sharers_is_no_cache() -> None:
    """As in a recording that an older reader made."""
    untold: dict[str, str | None] = {
        f"{CPUS}/cpu{cpu}/cache/index2/shared_cpu_list": None for cpu in range(8)
    }
    assert [cache.level for cache in machine(untold).caches] == [3, 3]


def test_core_kinds_have_their_own_cache_layout() -> None:
    """The efficiency cores 1,5 share one second level; it is in another index there."""
    extra: dict[str, str | None] = {
        "/sys/devices/cpu_core/cpus": "0,2,4,6\n",
        "/sys/devices/cpu_atom/cpus": "1,3,5,7\n",
    }
    for cpu in (1, 5):
        folder = f"{CPUS}/cpu{cpu}/cache"
        extra[f"{folder}/index2/shared_cpu_list"] = None
        extra[f"{folder}/index1/shared_cpu_list"] = "1,5\n"
        extra[f"{folder}/index1/level"] = "2\n"
        extra[f"{folder}/index1/type"] = "Unified\n"
        for name in ("level", "type", "size"):
            extra[f"{folder}/index2/{name}"] = None
    found = [str(cache.cpus) for cache in machine(extra).caches if cache.level == 2]
    assert found == ["0,4", "1,5", "2,6", "3,7"]


def frequency(cpu: int, **texts: str) -> dict[str, str | None]:
    return {f"{CPUS}/cpu{cpu}/cpufreq/{name}": f"{text}\n" for name, text in texts.items()}


def test_no_cpufreq_no_frequencies() -> None:
    assert machine({}).frequencies == {}


def test_frequencies_are_in_khz_and_preferences_ranked() -> None:
    found = machine(
        {
            **frequency(
                0,
                base_frequency="2100000",
                cpuinfo_min_freq="800000",
                cpuinfo_max_freq="3900000",
                energy_performance_preference="balance_power",
            ),
            **frequency(1, energy_performance_preference="performance"),
            **frequency(2, energy_performance_preference="128"),
        }
    ).frequencies
    assert found[0] == CpuFrequency(2100000, 800000, 3900000, 2)
    assert found[1] == CpuFrequency(energy_performance_preference=0)
    assert found[2] == CpuFrequency(energy_performance_preference=EPP_UNKNOWN)
    assert len(found) == 8


def test_a_frequency_that_is_no_number_is_refused() -> None:
    with pytest.raises(HomenodeProblem, match="whole number"):
        machine(frequency(0, base_frequency="fast"))


@pytest.mark.parametrize(
    ("has_memory", "normal", "expected"),
    [("0-1", "0", [False, True]), ("0-1", "0-1", [False, False]), ("0-1", None, [False, False])],
)
def test_movable_memory(has_memory: str, normal: str | None, expected: list[bool]) -> None:
    texts = {f"{NODES}/has_memory": has_memory, f"{NODES}/has_normal_memory": normal}
    assert [node.movable_only for node in machine(texts).nodes] == expected
