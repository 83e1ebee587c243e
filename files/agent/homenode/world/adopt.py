# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rebuild the ledger from what runs, so that a restart of anything moves nothing.

Live cgroups are the truth, then what the runtime says, then the remembered ledger. What already
has a cpuset keeps it; only containers that nobody ever placed are left to be placed.
"""

from __future__ import annotations

from typing import Optional

from homenode.intent.nri_plugins import tenant_intent
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.machine import Machine
from model.problem import HomenodeProblem
from model.workload import NOT_OURS, Container, Placement, Pod, whole_cpus

from .decision import EXCLUSIVE, PRESERVED, SHARED, Decision
from .ledger import Grant, Ledger
from .world import World

LIVE = ("created", "paused", "running")


def adopt(world: World, previous: Ledger) -> tuple[Ledger, tuple[str, ...]]:
    """The ledger of what runs, and the ids of the containers that are still to be placed.

    *world* holds the synchronized facts; *previous* is the ledger before (maybe from a file).
    """
    grants: list[Grant] = []
    newcomers: list[str] = []
    taken = NO_CPUS
    for container in world.containers.values():
        pod = world.pod_of(container)
        if pod is None or container.state not in LIVE:
            continue
        grant = _adopted(world, pod, container, previous.get(container.id), taken)
        if grant is None:
            newcomers.append(container.id)
        else:
            grants.append(grant)
            taken = taken | grant.exclusive
    ledger = Ledger(previous.version).with_grants(grants)
    return ledger, tuple(newcomers)


def current_placement(world: World, container: Container) -> Placement:
    """Where a container is held now, by its cgroup, else by the runtime's word for it."""
    seen = world.observed.get(container.id)
    if seen is not None:
        return seen
    try:
        cpus = CpuSet.parse(container.resources.cpus)
        mems = NodeSet.parse(container.resources.mems)
    except HomenodeProblem:
        return NOT_OURS
    return Placement(cpus or None, mems or None)


def _adopted(
    world: World, pod: Pod, container: Container, before: Optional[Grant], taken: CpuSet
) -> Optional[Grant]:
    now = current_placement(world, container)
    if before is not None and _still_holds(before, now, container.id in world.observed):
        return before
    if tenant_intent(pod.annotations, container.name).preserve_cpus:
        decision = Decision(PRESERVED, "its annotation asks to be left alone", adopted=True)
        return Grant(container.id, pod.id, container.name, NOT_OURS, decision)
    if not now.cpus:
        return None
    count = whole_cpus(container.resources, pod.qos_class)
    if count and len(now.cpus) == count and not now.cpus & taken:
        return _exclusive(world.machine, container, now)
    decision = Decision(SHARED, "it was running on these CPUs already", count, adopted=True)
    return Grant(container.id, container.pod_id, container.name, Placement(now.cpus), decision)


def _still_holds(grant: Grant, now: Placement, read_from_cgroup: bool) -> bool:
    """Whether a remembered grant agrees with what is seen.

    Without a readable cgroup the runtime's silence is no contradiction.
    """
    for wanted, seen in ((grant.placement.cpus, now.cpus), (grant.placement.mems, now.mems)):
        if wanted is not None and wanted != seen and (seen is not None or read_from_cgroup):
            return False
    return True


def _exclusive(machine: Machine, container: Container, now: Placement) -> Grant:
    cpus = now.cpus or NO_CPUS
    decision = Decision(
        EXCLUSIVE,
        "it was running on these CPUs already",
        len(cpus),
        home_of(machine, cpus),
        adopted=True,
    )
    memory = container.resources.memory_limit_bytes or 0
    return Grant(container.id, container.pod_id, container.name, now, decision, cpus, memory)


def home_of(machine: Machine, cpus: CpuSet) -> Optional[int]:
    """The NUMA node that has most of these CPUs; the lowest id on a tie; None for no CPUs."""
    counted = [(len(node.cpus & cpus), -node.id) for node in machine.nodes]
    count, negative_id = max(counted, default=(0, 0))
    return -negative_id if count else None
