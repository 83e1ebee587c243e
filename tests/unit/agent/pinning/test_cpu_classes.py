# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose turbo it is: step by step, as pods of two priorities come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest

from fakes.machines import machine_files, sockets
from homenode.intent.policy_config import CpuClass
from homenode.pinning.cpu_classes import CpuSettings, cpu_settings, khz
from host_files import RecordedFiles
from model.cpuset import CpuSet
from model.machine import CpuFrequency
from model.sysfs import read_machine

CLOCK = CpuFrequency(2900000, 800000, 3800000)
MACHINE = replace(
    read_machine(RecordedFiles(machine_files(sockets(2, nodes=1, cores=4)))),
    frequencies=dict.fromkeys(range(8), CLOCK),
)
CLASSES = {
    "high": CpuClass("high", "base", "turbo", turbo_priority=20),
    "low": CpuClass("low", "base", "turbo", turbo_priority=10),
    "idle": CpuClass("idle", "min", "base"),
    "deep": CpuClass("deep", disabled_cstates=("C6",), freq_governor="performance"),
}


def _most(owners: dict[str, str], domain: str = "package") -> dict[int, Optional[int]]:
    sets = {name: CpuSet.parse(cpus) for name, cpus in owners.items()}
    found = cpu_settings(MACHINE, CLASSES, sets, domain)
    return {cpu: settings.max_khz for cpu, settings in sorted(found.items())}


def test_the_highest_class_alone_has_turbo() -> None:
    assert _most({"low": "0"}) == {0: 3800000}
    assert _most({"low": "0", "high": "1"}) == {0: 2900000, 1: 3800000}
    assert _most({"low": "0", "high": ""}) == {0: 3800000}


def test_packages_are_domains_of_their_own_unless_the_system_is_one() -> None:
    assert _most({"low": "0", "high": "4"}) == {0: 3800000, 4: 3800000}
    assert _most({"low": "0", "high": "4"}, "system") == {0: 2900000, 4: 3800000}


def test_what_no_class_says_is_left_alone() -> None:
    owners = {"deep": CpuSet([1]), "nobody": CpuSet([2])}
    expected = {1: CpuSettings(governor="performance", disabled_cstates=("C6",))}
    assert cpu_settings(MACHINE, CLASSES, owners) == expected


@pytest.mark.parametrize(
    ("text", "clock", "expected"),
    [
        ("1200000", CLOCK, 1200000),
        ("min", CLOCK, 800000),
        ("base", CLOCK, 2900000),
        ("turbo", CLOCK, 3800000),
        ("turbo", CpuFrequency(), None),
        ("fast", CLOCK, None),
        (None, CLOCK, None),
    ],
)
def test_a_frequency(text: Optional[str], clock: CpuFrequency, expected: Optional[int]) -> None:
    assert khz(text, clock, wins_turbo=True) == expected
