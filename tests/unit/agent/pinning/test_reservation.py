# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs may be used at all, and which are reserved: pinning.md §1.7, refusals of §14."""

from __future__ import annotations

import pytest

from fakes.described import config, described
from homenode.intent.policy_config import CpuAmount
from homenode.pinning.cpus.topology import CpuTopology
from homenode.pinning.reservation import allowed_cpus, reserved_cpus
from model.cpuset import CpuSet
from model.problem import HomenodeProblem

NOTHING = CpuAmount()


def cpus(text: str) -> CpuAmount:
    return CpuAmount(cpus=CpuSet.parse(text))


def without(text: str) -> CpuAmount:
    return CpuAmount(excluded=CpuSet.parse(text))


def result(name: str, available: CpuAmount, reserved: CpuAmount) -> tuple[str, str]:
    machine, given = described(name), config(available=available, reserved=reserved)
    allowed = allowed_cpus(machine, given)
    return str(allowed), str(reserved_cpus(CpuTopology.of(machine), given, allowed))


@pytest.mark.parametrize(
    ("name", "available", "reserved", "expected"),
    [
        ("n4c16", NOTHING, CpuAmount(millis=750), ("0-15", "0")),
        ("n4c16", NOTHING, CpuAmount(millis=2000), ("0-15", "0-1")),
        ("n4c16", NOTHING, CpuAmount(millis=2001), ("0-15", "0-2")),
        ("n4c16", cpus("8-11"), CpuAmount(millis=1), ("8-11", "8")),
        ("n4c16", cpus("8-99"), cpus("10-11"), ("8-15", "10-11")),
        ("n4c16", without("0-7"), without("8-13"), ("8-15", "14-15")),
        ("n4c16-isolated-first", NOTHING, CpuAmount(millis=1), ("0-15", "2")),
        ("n4c16-isolated", NOTHING, cpus("8"), ("0-15", "8")),
        ("sparse", NOTHING, CpuAmount(millis=750), ("0-2,511,1535,4095", "1535")),
    ],
)
def test_allowed_and_reserved(
    name: str, available: CpuAmount, reserved: CpuAmount, expected: tuple[str, str]
) -> None:
    assert result(name, available, reserved) == expected


@pytest.mark.parametrize(
    ("available", "reserved", "words"),
    [
        (
            CpuAmount(millis=2000),
            cpus("0"),
            "can't handle CPU resources given as resource.Quantity",
        ),
        (cpus("99"), cpus("0"), "no online CPU is left"),
        (NOTHING, NOTHING, "cannot start without CPU reservation"),
        (NOTHING, cpus(""), "cannot start without CPU reservation"),
        (NOTHING, CpuAmount(millis=0), "cannot start without CPU reservation"),
        (
            cpus("4-7"),
            cpus("3-4"),
            "invalid reserved cpuset 3-4, some CPUs (3) are not part of the online allowed cpuset"
            " (4-7)",
        ),
        (
            cpus("4"),
            CpuAmount(millis=2000),
            "cannot reserve 2000m CPUs for ReservedResources from AvailableResources",
        ),
        (NOTHING, cpus("7-8"), "mixes isolated (8) and normal (7)"),
        (NOTHING, cpus("8-9"), "multiple isolated CPUs (8-9)"),
    ],
)
def test_refused(available: CpuAmount, reserved: CpuAmount, words: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        result("n4c16-isolated", available, reserved)
    assert words in caught.value.problem.why
