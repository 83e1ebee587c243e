# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random configurations of balloons."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

OPTIONS: dict[str, tuple[Any, ...]] = {
    "minCPUs": (1, 2, 3),
    "maxCPUs": (4, 5, 8),
    "minBalloons": (1, 2),
    "maxBalloons": (3,),
    "allocatorPriority": ("high", "normal", "low", "none"),
    "preferNewBalloons": (True,),
    "preferSpreadingPods": (True,),
    "preferPerNamespaceBalloon": (True,),
    "shareIdleCPUsInSame": ("system", "package", "die", "numa", "l2cache", "core", "thread"),
    "hideHyperthreads": (True,),
    "allocatorTopologyBalancing": (True, False),
    "preferSpreadOnPhysicalCores": (True, False),
    "preferCloseToDevices": (
        ["/sys/devices/system/node/node0"],
        ["/sys/devices/system/cpu/cpu3/cache/index2"],
        ["/sys/devices/system/node/node1", "/sys/devices/system/node/node0"],
    ),
    "preferIsolCpus": (True,),
    "preferCoreType": ("efficient", "performance"),
    "pinMemory": (False, True),
    "groupBy": ("${pod/namespace}", "${pod/labels/app}"),
    "namespaces": (["blue"], ["*"], ["g*"]),
    "loads": (["avx"], ["bw"], ["avx", "bw"]),
}
"""Options of a type and what they may be; bounds never contradict each other."""

NOT_OF_COMPOSITES = {
    "shareIdleCPUsInSame",  # ours shares at once, the peer when CPUs become idle
    "preferSpreadOnPhysicalCores",
    "allocatorTopologyBalancing",
    "preferCloseToDevices",
    "preferIsolCpus",
    "preferCoreType",
    "minCPUs",
    "maxCPUs",
}

LOADS = (
    {"name": "avx", "level": "core", "overloadsLevelInBalloon": True},
    {"name": "bw", "level": "l2cache"},
)


def random_balloons(
    chance: random.Random, memory_types: Sequence[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The spec of a BalloonsPolicy, and the names of its types.

    *memory_types* are those of the machine: what it lacks widens the peer's zones ever more.
    """
    types = [_type(chance, f"t{number}") for number in range(chance.choice((1, 2, 3)))]
    for one in types:
        if chance.random() < 0.2:
            one["memoryTypes"] = [chance.choice(memory_types).upper()]
    if chance.random() < 0.2:
        components = [{"balloonType": chance.choice(types)["name"]} for _number in range(2)]
        composite = {**_type(chance, "c0"), "components": components}
        types.append({k: v for k, v in composite.items() if k not in NOT_OF_COMPOSITES})
        types[-1]["minCPUs"] = 2  # the peer gives BestEffort no CPU at all
        if chance.random() < 0.5:
            types[-1]["componentCreation"] = "balance-balloons"
    spec: dict[str, Any] = {
        "reservedResources": {"cpu": chance.choice(("750m", "1", "2", "cpuset:1"))}
    }
    for key, values in (
        ("allocatorTopologyBalancing", (True, False)),
        ("preferSpreadOnPhysicalCores", (True, False)),
        ("pinMemory", (False,)),
        ("reservedPoolNamespaces", (["green"],)),
    ):
        if chance.random() < 0.25:
            spec[key] = chance.choice(values)
    spec["loadClasses"] = [dict(load) for load in LOADS]
    spec["balloonTypes"] = types
    return spec, tuple(one["name"] for one in types)


def _type(chance: random.Random, name: str) -> dict[str, Any]:
    keys = chance.sample(sorted(OPTIONS), chance.choice((1, 2, 3, 4, 5)))
    return {"name": name, **{key: chance.choice(OPTIONS[key]) for key in keys}}
