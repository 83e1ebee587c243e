# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random configurations of topology-aware."""

from __future__ import annotations

import random
from typing import Any


def random_topology_aware(chance: random.Random) -> dict[str, Any]:
    """The spec of a TopologyAwarePolicy."""
    spec: dict[str, Any] = {
        "reservedResources": {"cpu": chance.choice(("750m", "750m", "1", "2", "cpuset:1"))}
    }
    for key, values in (
        ("preferIsolatedCPUs", (True, False)),
        ("preferSharedCPUs", (True, False)),
        ("colocatePods", (True, False)),
        ("colocateNamespaces", (True, False)),
        ("defaultCPUPriority", ("none", "high", "normal", "low")),
        ("unlimitedBurstable", ("package", "system", "die", "numa", "l3cache")),
        ("pinMemory", (False,)),
        ("reservedPoolNamespaces", (["blue"], ["g*"])),
    ):
        if chance.random() < 0.25:
            spec[key] = chance.choice(values)
    return spec
