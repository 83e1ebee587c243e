# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One topology zone for each NUMA node, as NodeResourceTopologyMatch of scheduler-plugins reads it.

It takes zones of type ``Node`` whose names are ``node-ID``, and of each resource what is
available. Where a NUMA node is a pool of the policy the figures are the pool's; where the policy
divides the machine otherwise, CPUs in no balloon are what is available. Out of scope: whether a
scheduler should refuse a node: that follows from the kubelet's topology manager.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homenode.world.place import Place
from homenode.world.world import World
from model.cpuset import CpuSet
from model.machine import NumaNode

from .topology_zone import cpu, memory, topology_zone

TYPE = "Node"


def numa_zones(world: World, places: Sequence[Place]) -> list[dict[str, Any]]:
    """The zones, by NUMA node id."""
    usable = _usable_cpus(world)
    return [
        topology_zone(
            _name(numa_node.id),
            TYPE,
            [
                *([_cpus(numa_node, usable, places)] if numa_node.cpus else []),
                *_memory(numa_node, places),
            ],
            costs={_name(other): cost for other, cost in sorted(numa_node.distances.items())},
        )
        for numa_node in world.machine.nodes
    ]


def _name(numa_id: int) -> str:
    return f"node-{numa_id}"


def _usable_cpus(world: World) -> CpuSet:
    spec = world.pinning.spec if world.pinning else None
    return spec.available.of(world.machine.online) if spec else world.machine.online


def _cpus(numa_node: NumaNode, usable: CpuSet, places: Sequence[Place]) -> dict[str, str]:
    capacity, here = 1000 * len(numa_node.cpus), numa_node.cpus & usable
    alone = next((place for place in places if place.cpus and place.cpus == here), None)
    if alone is not None and alone.kind != "balloon":
        return cpu(capacity, alone.cpu_allocatable, max(alone.cpu_available, 0))
    taken = CpuSet(each for place in places for each in place.cpus)
    return cpu(capacity, 1000 * len(here), 1000 * len(here - taken))


def _memory(numa_node: NumaNode, places: Sequence[Place]) -> list[dict[str, str]]:
    """What the place with the fewest NUMA nodes around this one has left, as far as it is here.

    Nothing where the policy does not count memory: a scheduler then looks at the whole node.
    """
    around = [each for each in places if each.memory_capacity and numa_node.id in each.mems]
    if not around:
        return []
    left = min(around, key=lambda place: len(place.mems)).memory_available
    total = numa_node.memory_total_bytes
    return [memory(total, max(min(total, left), 0))]
