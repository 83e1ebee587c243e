# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs, before anybody judges it: who is alive, and where each is held now.

Live cgroups are the truth, then what the runtime says, then the remembered ledger. Out of scope:
what that means for a policy's books (``Policy.adopt``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet
from model.machine import Machine
from model.problem import HomenodeProblem
from model.workload import NOT_OURS, Container, Placement, Resources

from .placed import Placed
from .world import World

LIVE = ("created", "paused", "running")


def live(world: World) -> list[Container]:
    """The containers that run or will, oldest first, without those that a newer one replaces.

    Of two with the same namespace, pod and name the newer counts: a restart that overlaps
    (nri-plugins does the same).
    """
    newest: dict[str, Container] = {}
    for container in _by_age(world.containers.values()):
        if container.state in LIVE and container.pod_id in world.pods:
            newest[world.full_name(container)] = container
    return _by_age(newest.values())


def _by_age(containers: Iterable[Container]) -> list[Container]:
    return sorted(containers, key=lambda one: one.created_at)


def current_placement(world: World, container: Container) -> Placement:
    """Where a container is held now, by its cgroup, else by the runtime's word for it."""
    seen = world.observed.get(container.id)
    if seen is not None:
        return seen
    return given_placement(container.resources)


def given_placement(resources: Resources) -> Placement:
    """The runtime's word for it; a text that is no set counts as nothing."""
    try:
        return Placement.parse(resources.cpus, resources.mems)
    except HomenodeProblem:
        return NOT_OURS


def held_placement(world: World, container: Container, before: Optional[Placed]) -> Placement:
    """``current_placement``, unless it is what an undo left behind or nothing can be seen.

    Where the cgroup cannot be read, the runtime's silence does not contradict what is remembered.
    """
    now = current_placement(world, container)
    wanted = NOT_OURS if before is None else before.placement
    if now != wanted and given_back(world.machine, now):
        return NOT_OURS
    if container.id in world.observed:
        return now
    return Placement(
        wanted.cpus if now.cpus is None else now.cpus,
        wanted.mems if now.mems is None else now.mems,
    )


def given_back(machine: Machine, held: Placement) -> bool:
    """Whether this is what an undo leaves behind: every CPU and every memory node, by name.

    The kernel takes no empty cpuset from what runs, so the whole machine stands for "nobody's".
    """
    everywhere = NodeSet(node.id for node in machine.nodes if node.memory_total_bytes)
    held_cpus, held_mems = held.cpus or NO_CPUS, held.mems or NO_NODES
    return bool(everywhere) and machine.online <= held_cpus and everywhere <= held_mems


def home_of(machine: Machine, cpus: CpuSet) -> Optional[int]:
    """The NUMA node that has most of these CPUs; the lowest id on a tie; None for no CPUs."""
    counted = [(len(node.cpus & cpus), -node.id) for node in machine.nodes]
    count, negative_id = max(counted, default=(0, 0))
    return -negative_id if count else None
