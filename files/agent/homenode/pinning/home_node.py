# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The home-node policy: whole CPUs of a Guaranteed container on the one node with the most room.

A Guaranteed container that asks for whole CPUs gets them for itself, all on one NUMA node, and
its memory from that node. Everybody else shares the rest of the machine. The shared set is never
emptied, and nothing is ever refused: a container that fits nowhere shares, and is told why.
Out of scope: everything that the topology-aware policy adds (trees of pools, hints, affinities).
"""

from __future__ import annotations

from typing import Optional

from homenode.intent.config import PinningConfig
from homenode.intent.nri_plugins import TenantIntent
from homenode.world.adopt import given_back, home_of
from homenode.world.decision import EXCLUSIVE, KUBELET, PRESERVED, SHARED, Candidate, Decision
from homenode.world.ledger import Grant
from homenode.world.world import World
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.machine import Machine, NumaNode
from model.problem import HomenodeProblem
from model.workload import (
    GUARANTEED,
    NOT_OURS,
    Container,
    Placement,
    Pod,
    cpu_request_millis,
    whole_cpus,
)

from .cpu_allocator import pick
from .offer import Offer

RULES = ("fits CPUs", "fits memory", "free CPUs", "free memory MiB", "node id (lower wins)")
MEMORY_GIVEN = "has its memory"
"""The second rule, where the kubelet's Memory Manager has chosen memory nodes."""


def offer(world: World, pod: Pod, container: Container, intent: TenantIntent) -> Offer:
    """What this container would get now. Never raises for anything a tenant can write."""
    config = world.pinning or PinningConfig()
    count = whole_cpus(container.resources, pod.qos_class)
    if intent.preserve_cpus:
        reason = "its annotation asks to be left alone"
        return _offer(world, container, NOT_OURS, Decision(PRESERVED, reason, count))
    given = _given_cpus(world, container)
    if given:
        return _follow_kubelet(world, container, given, count, intent)
    if count and not intent.prefer_shared_cpus:
        return _exclusive(world, container, count, config, intent)
    return _shared(world, container, _why_shared(pod, container, count), count)


def _exclusive(
    world: World, container: Container, count: int, config: PinningConfig, intent: TenantIntent
) -> Offer:
    candidates = ranked_nodes(world, container, count)
    best = candidates[0] if candidates else None
    if best is None or not best.values[0]:
        why = f"no NUMA node has {count} CPUs free for one container"
        return _shared(world, container, why, count, candidates)
    home = int(best.values[-1])
    node = world.machine.node(home)
    cpus = pick(node.cpus & ownable_cpus(world), world.machine.siblings, count)
    fits_memory = bool(best.values[-4])
    given = _given(world, container).mems
    pin_memory = config.pin_memory and fits_memory and not intent.preserve_memory and not given
    reason = f"node {home} has the most room"
    if given:
        reason = f"the kubelet's Memory Manager gave it memory nodes {given}; node {home}"
        reason += " is there" if best.values[1] else " has the most room, as none of them has CPUs"
    elif not fits_memory:
        reason += "; its memory limit fits on no node, so its memory is left free"
    return _offer(
        world,
        container,
        Placement(
            cpus if config.pin_cpu else None,
            _memory_to_hold(world.machine, node) if pin_memory else None,
        ),
        Decision(EXCLUSIVE, reason, count, home, _rules(given), candidates),
        exclusive=cpus if config.pin_cpu else NO_CPUS,
    )


def ranked_nodes(world: World, container: Container, count: int) -> tuple[Candidate, ...]:
    """Every NUMA node with CPUs, best first, with its value for each rule."""
    limit, given = _memory_limit(container), _given(world, container).mems
    ownable = ownable_cpus(world)
    spare = len(ownable)
    if ownable == world.shared_cpus():
        spare -= 1  # somebody has to be able to run
    weighed = []
    for node in world.machine.nodes:
        if not node.cpus:
            continue
        free = min(len(node.cpus & ownable), max(spare, 0))
        memory = _free_memory(world, node)
        has = (memory_nodes(world.machine, node) <= given,) if given else ()
        values = (free >= count, *has, memory >= limit, free, memory >> 20, node.id)
        weighed.append(Candidate(f"node {node.id}", values))
    weighed.sort(
        key=lambda candidate: (*candidate.values[:-1], -int(candidate.values[-1])),
        reverse=True,
    )
    return tuple(weighed)


def _rules(given: Optional[NodeSet]) -> tuple[str, ...]:
    return (RULES[0], MEMORY_GIVEN, *RULES[1:]) if given else RULES


def ownable_cpus(world: World) -> CpuSet:
    """CPUs that could become exclusive."""
    return world.shared_cpus() - _reserved(world)


def memory_nodes(machine: Machine, node: NumaNode) -> NodeSet:
    """Where memory for this node's CPUs comes from: itself, or the nearest nodes that have any."""
    if node.memory_total_bytes > 0:
        return NodeSet([node.id])
    near = [
        (node.distances.get(other.id, 255), other.id)
        for other in machine.nodes
        if other.memory_total_bytes > 0
    ]
    shortest = min(near, default=(0, 0))[0]
    return NodeSet(number for distance, number in near if distance == shortest)


def _memory_to_hold(machine: Machine, node: NumaNode) -> Optional[NodeSet]:
    """The memory nodes to hold a container on; None where the machine leaves no choice."""
    choices = [other for other in machine.nodes if other.memory_total_bytes > 0]
    return memory_nodes(machine, node) if len(choices) > 1 else None


def _free_memory(world: World, node: NumaNode) -> int:
    """Bytes that are not promised to anybody yet on the memory nodes of this node.

    Huge pages are set aside already: a memory limit does not count them.
    """
    sources = memory_nodes(world.machine, node)
    total = 0
    for number in sources:
        source = world.machine.node(number)
        total += source.memory_total_bytes - hugepage_bytes(source)
    return max(total - world.ledger.memory_on(sources), 0)


def hugepage_bytes(node: NumaNode) -> int:
    """Bytes of a node that its preallocated huge pages hold; their sizes are as "2Mi", "1Gi"."""
    shifts = {"Ki": 10, "Mi": 20, "Gi": 30}
    return sum(
        pages.total * int(size[:-2]) << shifts[size[-2:]] for size, pages in node.hugepages.items()
    )


def _memory_limit(container: Container) -> int:
    """The limit in bytes; 0 where there is none (a runtime also says -1 for that)."""
    return max(container.resources.memory_limit_bytes or 0, 0)


def _follow_kubelet(
    world: World, container: Container, cpus: CpuSet, count: int, intent: TenantIntent
) -> Offer:
    """The kubelet's static CPU manager has chosen: its CPUs stay, memory follows them."""
    config = world.pinning or PinningConfig()
    home = home_of(world.machine, cpus) if count else None
    mems: Optional[NodeSet] = None
    ours = config.pin_memory and not container.resources.mems and not intent.preserve_memory
    if home is not None and ours and cpus <= world.machine.node(home).cpus:
        mems = _memory_to_hold(world.machine, world.machine.node(home))
    decision = Decision(KUBELET, "the kubelet's CPU manager chose its CPUs", count, home)
    exclusive = cpus & world.shared_cpus() if count and len(cpus) == count else NO_CPUS
    if exclusive == world.shared_cpus():
        exclusive = NO_CPUS  # the others have nowhere else to go
    return _offer(world, container, Placement(None, mems), decision, exclusive=exclusive)


def _shared(
    world: World,
    container: Container,
    reason: str,
    count: int,
    candidates: tuple[Candidate, ...] = (),
) -> Offer:
    config = world.pinning or PinningConfig()
    cpus = world.shared_cpus() if config.pin_cpu else None
    rules = _rules(_given(world, container).mems) if candidates else ()
    decision = Decision(SHARED, reason, count, None, rules, candidates)
    return _offer(world, container, Placement(cpus), decision)


def _why_shared(pod: Pod, container: Container, count: int) -> str:
    if pod.qos_class != GUARANTEED:
        return f"a {pod.qos_class} container shares the CPUs that nobody owns"
    if count:
        return "its annotation prefers shared CPUs"
    millis = cpu_request_millis(container.resources, pod.qos_class)
    return f"{millis}m is not a whole number of CPUs"


def _reserved(world: World) -> CpuSet:
    if world.pinning is None or world.pinning.reserved_cpus is None:
        return NO_CPUS
    return world.pinning.reserved_cpus & world.allowed_cpus()


def _given_cpus(world: World, container: Container) -> CpuSet:
    """The CPUs that were asked for before us."""
    return _given(world, container).cpus or NO_CPUS


def _given(world: World, container: Container) -> Placement:
    """What the kubelet's managers chose; a text that is no set counts as nothing chosen."""
    try:
        given = Placement.parse(container.resources.cpus, container.resources.mems)
    except HomenodeProblem:
        return Placement()
    return Placement() if given_back(world.machine, given) else given


def _offer(
    world: World,
    container: Container,
    placement: Placement,
    decision: Decision,
    *,
    exclusive: CpuSet = NO_CPUS,
) -> Offer:
    memory = _memory_limit(container) if placement.mems is not None else 0
    return Offer(
        world.ledger.version,
        Grant(
            container.id,
            container.pod_id,
            container.name,
            placement,
            decision,
            exclusive,
            memory,
        ),
    )
