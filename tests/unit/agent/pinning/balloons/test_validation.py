# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations that are refused, in words that operators grep for."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.described import described
from homenode.pinning.balloons.policy import Balloons
from model.problem import HomenodeProblem

from .stage import config

COMPOSITE = {"name": "c", "components": [{"balloonType": "a"}]}

REFUSED: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any]]] = {
    "no name": ("missing or empty name", [{"name": ""}], {}),
    "twice": ("two balloon types with the same name", [{"name": "a"}, {"name": "a"}], {}),
    "CPU bounds": (
        r'MinCpus \(3\) > MaxCpus \(2\) in balloon type "a"',
        [{"name": "a", "minCPUs": 3, "maxCPUs": 2}],
        {},
    ),
    "no CPUs at all": (r"MinCpus \(0\) > MaxCpus \(-1\)", [{"name": "a", "maxCPUs": -1}], {}),
    "balloon bounds": (
        r'MinBalloons \(2\) > MaxBalloons \(1\) in balloon type "a"',
        [{"name": "a", "minBalloons": 2, "maxBalloons": 1}],
        {},
    ),
    "unknown load": ("missing from loadClasses", [{"name": "a", "loads": ["x"]}], {}),
    "unknown scheduling class": (
        "missing from schedulingClasses",
        [{"name": "a", "schedulingClass": "x"}],
        {},
    ),
    "unknown component": ('"a" in composite balloon "c" is not defined', [COMPOSITE], {}),
    "circular": (
        "circular composition detected",
        [COMPOSITE, {"name": "a", "components": [{"balloonType": "c"}]}],
        {},
    ),
    "class of a composite": (
        'composite balloon "c" cannot have CpuClasses',
        [{**COMPOSITE, "cpuClass": "x"}, {"name": "a"}],
        {},
    ),
    "options of a composite": (
        '"c" has: PreferSpreadOnPhysicalCores, PreferIsolCpus',
        [
            {**COMPOSITE, "preferSpreadOnPhysicalCores": False, "preferIsolCpus": True},
            {"name": "a"},
        ],
        {},
    ),
    "reserved CPUs of a composite": (
        '"reserved" has: PreferCloseToDevices',
        [{"name": "reserved", "components": [{"balloonType": "a"}]}, {"name": "a"}],
        {"reservedResources": {"cpu": "cpuset:0"}},
    ),
    "no components": (
        "but no components defined",
        [{"name": "a", "componentCreation": "balance-balloons"}],
        {},
    ),
    "reserved outside": (
        "invalid reserved cpuset 0-1, some CPUs",
        [],
        {
            "reservedResources": {"cpu": "cpuset:0-1"},
            "availableResources": {"cpu": "cpuset:1-15"},
        },
    ),
    "reserved and minCPUs": (
        "mismatching reserved balloon minCpus: 3",
        [{"name": "reserved", "minCPUs": 3}],
        {},
    ),
    "reserved and maxCPUs": (
        "mismatching reserved balloon maxCpus: 1",
        [{"name": "reserved", "maxCPUs": 1}],
        {"reservedResources": {"cpu": "2"}},
    ),
    "available as an amount": (
        "can't handle CPU resources given as resource.Quantity",
        [],
        {"availableResources": {"cpu": "4"}},
    ),
    "more than there is": (
        r"not enough free CPUs \(1\)",
        [{"name": "a", "minCPUs": 5, "minBalloons": 4}],
        {},
    ),
}


@pytest.mark.parametrize(("words", "types", "keys"), REFUSED.values(), ids=REFUSED)
def test_refused(words: str, types: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    with pytest.raises(HomenodeProblem, match=words):
        Balloons(described("n4c16"), config(*types, **keys))
