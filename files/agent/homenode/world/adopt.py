# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rebuild the ledger from what runs, so that a restart of anything moves nothing.

Live cgroups are the truth, then what the runtime says, then the remembered ledger. What already
has a cpuset keeps it; only containers that nobody ever placed are left to be placed.
"""

from __future__ import annotations

from collections import Counter
from typing import Optional

from homenode.intent.nri_plugins import tenant_intent
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.machine import Machine
from model.problem import HomenodeProblem
from model.workload import NOT_OURS, Container, Placement, whole_cpus

from .decision import EXCLUSIVE, KUBELET, PRESERVED, SHARED, Decision
from .ledger import Grant, Ledger
from .world import World

LIVE = ("created", "paused", "running")


def adopt(world: World, previous: Ledger) -> tuple[Ledger, tuple[str, ...]]:
    """The ledger of what runs, and the ids of the containers that are still to be placed.

    *world* holds the synchronized facts; *previous* is the ledger before (maybe from a file).
    What is remembered and still true comes first; the rest is judged by what it holds now.
    """
    live = [
        container
        for container in world.containers.values()
        if container.state in LIVE and container.pod_id in world.pods
    ]
    grants: list[Grant] = []
    unknown: list[Container] = []
    taken = NO_CPUS
    for container in live:
        grant = _remembered(world, container, previous.get(container.id))
        if grant is not None and grant.decision.outcome == KUBELET:
            grant = grant._replace(exclusive=grant.exclusive - taken)
        if grant is None or grant.exclusive & taken:
            unknown.append(container)
        else:
            grants.append(grant)
            taken = taken | grant.exclusive
    owners = _owners(world, live, unknown, taken)
    newcomers: list[str] = []
    for container in unknown:
        grant = _adopted(world, container, container.id in owners)
        if grant is None:
            newcomers.append(container.id)
        else:
            grants.append(grant)
    return Ledger(previous.version).with_grants(grants), tuple(newcomers)


def current_placement(world: World, container: Container) -> Placement:
    """Where a container is held now, by its cgroup, else by the runtime's word for it."""
    seen = world.observed.get(container.id)
    if seen is not None:
        return seen
    try:
        return Placement.parse(container.resources.cpus, container.resources.mems)
    except HomenodeProblem:
        return NOT_OURS


def _remembered(world: World, container: Container, before: Optional[Grant]) -> Optional[Grant]:
    """The grant as it was, where what is seen agrees with it."""
    now = current_placement(world, container)
    if before is None or not _still_holds(before, now, container.id in world.observed):
        return None
    held = now.cpus or before.exclusive
    if before.decision.outcome != KUBELET or before.exclusive <= held:
        return before
    own = held if len(held) == before.decision.asked_cpus else NO_CPUS
    return before._replace(exclusive=own if world.allowed_cpus() - own else NO_CPUS)


def _owners(
    world: World, live: list[Container], unknown: list[Container], taken: CpuSet
) -> set[str]:
    """Which of the unknown had CPUs of their own: as many as are due, and those of nobody else.

    A lone sharing container may look the same, but owning all that is left is sharing. Where both
    are possible the one whose memory is held too comes first, because only owners get that.
    """
    held = {container.id: current_placement(world, container) for container in live}
    holders = Counter(placement.cpus for placement in held.values())
    claims = [
        container
        for container in unknown
        if (cpus := held[container.id].cpus)
        and holders[cpus] == 1
        and len(cpus) == _due(world, container)
    ]
    owners: set[str] = set()
    for container in sorted(claims, key=lambda one: held[one.id].mems is None):
        cpus = held[container.id].cpus or NO_CPUS
        if not cpus & taken and world.allowed_cpus() - taken - cpus:
            owners.add(container.id)
            taken = taken | cpus
    return owners


def _due(world: World, container: Container) -> int:
    """How many CPUs of its own the container may expect."""
    pod = world.pods[container.pod_id]
    if tenant_intent(pod.annotations, container.name).prefer_shared_cpus:
        return 0
    return whole_cpus(container.resources, pod.qos_class)


def _adopted(world: World, container: Container, owner: bool) -> Optional[Grant]:
    """A grant of what an unknown container holds; None where it holds nothing."""
    pod = world.pods[container.pod_id]
    now = current_placement(world, container)
    if tenant_intent(pod.annotations, container.name).preserve_cpus:
        decision = Decision(PRESERVED, "its annotation asks to be left alone", adopted=True)
        return Grant(container.id, pod.id, container.name, NOT_OURS, decision)
    memory_alone = world.pinning is not None and not world.pinning.pin_cpu and now.mems is not None
    if owner or (memory_alone and not now.cpus):
        return _exclusive(world.machine, container, now)
    if not now.cpus or given_back(world.machine, now):
        return None
    count = _due(world, container)
    decision = Decision(SHARED, "it was running on these CPUs already", count, adopted=True)
    return Grant(container.id, container.pod_id, container.name, Placement(now.cpus), decision)


def given_back(machine: Machine, held: Placement) -> bool:
    """Whether this is what an undo leaves behind: every CPU and every memory node, by name.

    The kernel takes no empty cpuset from what runs, so the whole machine stands for "nobody's".
    We never say so ourselves: who shares has CPUs by name, and memory by inheritance.
    """
    everywhere = NodeSet(node.id for node in machine.nodes if node.memory_total_bytes)
    held_cpus, held_mems = held.cpus or NO_CPUS, held.mems or NodeSet()
    return bool(everywhere) and machine.online <= held_cpus and everywhere <= held_mems


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
    home = home_of(machine, cpus) if cpus else min(now.mems or (), default=None)
    where = "on these CPUs" if cpus else "with this memory"
    decision = Decision(EXCLUSIVE, f"it was running {where} already", len(cpus), home, adopted=True)
    memory = max(container.resources.memory_limit_bytes or 0, 0)
    return Grant(container.id, container.pod_id, container.name, now, decision, cpus, memory)


def home_of(machine: Machine, cpus: CpuSet) -> Optional[int]:
    """The NUMA node that has most of these CPUs; the lowest id on a tie; None for no CPUs."""
    counted = [(len(node.cpus & cpus), -node.id) for node in machine.nodes]
    count, negative_id = max(counted, default=(0, 0))
    return -negative_id if count else None
