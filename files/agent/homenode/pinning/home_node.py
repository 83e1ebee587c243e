# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The home-node policy: whole CPUs of a Guaranteed container on the one node with the most room.

A Guaranteed container that asks for whole CPUs gets them for itself, all on one NUMA node, and
its memory from that node. Everybody else shares the rest of the machine. The shared set is never
emptied, and nothing is ever refused: a container that fits nowhere shares, and is told why.
Out of scope: everything that the topology-aware policy adds (trees of pools, hints, affinities),
and who is whose after a restart (``home_node_adoption``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Optional

from homenode.intent.config import PinningConfig
from homenode.world.adopt import home_of
from homenode.world.decision import (
    EXCLUSIVE,
    FREE_CPUS,
    KUBELET,
    PRESERVED,
    SHARED,
    Candidate,
    Decision,
)
from homenode.world.placed import Placed
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.machine import Machine, NumaNode
from model.workload import GUARANTEED, NOT_OURS, Placement

from .cpu_allocator import pick
from .home_node_adoption import adopted, due_cpus
from .home_node_books import EMPTY, Entry, HomeBooks
from .policy import NO_HARDWARE, Adoption, Ask, Hardware, Held, Outcome, Place

RULES = ("fits CPUs", "fits memory", FREE_CPUS, "free memory MiB", "node id (lower wins)")
MEMORY_GIVEN = "has its memory"
"""The second rule, where the kubelet's Memory Manager has chosen memory nodes."""


@dataclass(frozen=True)
class HomeNode:
    """See the module. Never raises: nothing that a tenant can write fails a creation."""

    machine: Machine
    config: PinningConfig

    def start(self) -> HomeBooks:
        """Nobody owns anything."""
        return EMPTY

    def place(self, books: HomeBooks, ask: Ask) -> Outcome:
        """Place a container; what it had counts as free."""
        before = self.shared_cpus(books)
        entry = self._offer(books.without(ask.container_id), ask)
        return self._booked(books.with_entries({ask.container_id: entry}), before, ask.container_id)

    def resize(self, books: HomeBooks, ask: Ask) -> Outcome:
        """Leave it where it is: only a creation, or the kubelet that chooses anew, decides."""
        entry = books.entries.get(ask.container_id)
        if entry is None or entry.placed.decision.outcome == KUBELET:
            return self.place(books, ask)
        return Outcome(books, entry.placed)

    def release(self, books: HomeBooks, container_id: str) -> Outcome:
        """Its CPUs and its memory are everybody's again."""
        before = self.shared_cpus(books)
        return self._booked(books.without(container_id), before)

    def adopt(self, held: Sequence[Held], memory: Optional[Mapping[str, Any]]) -> Adoption:
        """Believe what runs; *memory* is not needed, as *held* brings what the ledger has."""
        entries, newcomers = adopted(held, self.machine, self.allowed_cpus, self.config.pin_cpu)
        outcome = self._booked(HomeBooks(entries), None)
        placed = {key: entry.placed for key, entry in entries.items()}
        return Adoption(outcome.books, placed, newcomers, changed=outcome.changed)

    def remember(self, books: HomeBooks) -> dict[str, Any]:
        """Nothing beyond what the ledger has anyway."""
        return {}

    def hardware(self, books: HomeBooks) -> Hardware:
        """The hardware is left alone."""
        return NO_HARDWARE

    def places(self, books: HomeBooks) -> tuple[Place, ...]:
        """Every NUMA node with CPUs, with what is shared of it."""
        shared = self.shared_cpus(books)
        return tuple(
            Place(
                f"node {node.id}",
                node.cpus,
                kind="numa",
                shared=node.cpus & shared,
                reserved=node.cpus & self._reserved,
                isolated=node.cpus & self.machine.isolated,
                mems=memory_nodes(self.machine, node),
                cpu_capacity=1000 * len(node.cpus),
                cpu_allocatable=1000 * len(node.cpus & self.allowed_cpus),
                cpu_available=1000 * len(node.cpus & self.ownable_cpus(books)),
                memory_capacity=node.memory_total_bytes,
                memory_available=self._free_memory(books, node),
            )
            for node in self.machine.nodes
            if node.cpus
        )

    @cached_property
    def allowed_cpus(self) -> CpuSet:
        """CPUs that workloads may use: online, not set aside for one task by the boot line."""
        usable = self.machine.online - self.machine.isolated
        if self.config.available_cpus is not None:
            usable = usable & self.config.available_cpus
        return usable or self.machine.online

    @cached_property
    def _reserved(self) -> CpuSet:
        return (self.config.reserved_cpus or NO_CPUS) & self.allowed_cpus

    def shared_cpus(self, books: HomeBooks) -> CpuSet:
        """CPUs of everybody without exclusive ones; never empty."""
        return (self.allowed_cpus - books.exclusive) or self.allowed_cpus

    def ownable_cpus(self, books: HomeBooks) -> CpuSet:
        """CPUs that could become exclusive."""
        return self.shared_cpus(books) - self._reserved

    def _booked(
        self, books: HomeBooks, before: Optional[CpuSet], asking: Optional[str] = None
    ) -> Outcome:
        """Give every container of the shared set the set as it is now.

        Nothing is to do where it is as *before* (None: not known).
        """
        own = None if asking is None else books.entries[asking].placed
        shared = self.shared_cpus(books)
        changed = {} if shared == before else books.outdated(shared)
        if not changed:
            return Outcome(books, own)
        told = {key: entry.placed for key, entry in changed.items()}
        return Outcome(books.with_entries(changed), own, told)

    def _offer(self, books: HomeBooks, ask: Ask) -> Entry:
        count = due_cpus(ask)
        if ask.intent.preserve_cpus:
            reason = "its annotation asks to be left alone"
            return Entry(Placed(NOT_OURS, Decision(PRESERVED, reason, count)))
        if ask.given.cpus:
            return self._follow_kubelet(books, ask, ask.given.cpus, count)
        if count and not ask.intent.prefer_shared_cpus:
            return self._exclusive(books, ask, count)
        return self._shared(books, _shared_decision(_why_shared(ask, count), count))

    def _exclusive(self, books: HomeBooks, ask: Ask, count: int) -> Entry:
        candidates = self._ranked_nodes(books, ask, count)
        rules, given = _rules(ask.given.mems), ask.given.mems
        best = candidates[0] if candidates else None
        if best is None or not best.values[0]:
            why = f"no NUMA node has {count} CPUs free for one container"
            return self._shared(books, Decision(SHARED, why, count, None, rules, candidates))
        home = int(best.values[-1])
        numa_node = self.machine.node(home)
        cpus = pick(numa_node.cpus & self.ownable_cpus(books), self.machine.siblings, count)
        fits_memory = bool(best.values[-4])
        reason = f"node {home} has the most room"
        if given:
            reason = f"the kubelet's Memory Manager gave it memory nodes {given}; node {home}"
            reason += (
                " is there" if best.values[1] else " has the most room, as none of them has CPUs"
            )
        elif not fits_memory:
            reason += "; its memory limit fits on no node, so its memory is left free"
        mems = self._memory_to_hold(numa_node) if fits_memory and not given else None
        placement = Placement(
            cpus if self.config.pin_cpu else None, None if ask.intent.preserve_memory else mems
        )
        decision = Decision(EXCLUSIVE, reason, count, home, rules, candidates)
        own = cpus if self.config.pin_cpu else NO_CPUS
        return _entry(Placed(placement, decision, exclusive=own), ask)

    def _ranked_nodes(self, books: HomeBooks, ask: Ask, count: int) -> tuple[Candidate, ...]:
        """Every NUMA node with CPUs, best first, with its value for each rule."""
        given = ask.given.mems
        ownable = self.ownable_cpus(books)
        spare = len(ownable)
        if ownable == self.shared_cpus(books):
            spare -= 1  # somebody has to be able to run
        weighed = []
        for node in self.machine.nodes:
            if not node.cpus:
                continue
            free = min(len(node.cpus & ownable), max(spare, 0))
            memory = self._free_memory(books, node)
            has = (memory_nodes(self.machine, node) <= given,) if given else ()
            fits = memory >= ask.memory_limit
            values = (free >= count, *has, fits, free, memory >> 20, node.id)
            weighed.append(Candidate(f"node {node.id}", values))
        weighed.sort(
            key=lambda candidate: (*candidate.values[:-1], -int(candidate.values[-1])),
            reverse=True,
        )
        return tuple(weighed)

    def _memory_to_hold(self, numa_node: NumaNode) -> Optional[NodeSet]:
        """The memory nodes to hold a container on; None where there is nothing to choose."""
        choices = [other for other in self.machine.nodes if other.memory_total_bytes > 0]
        if not self.config.pin_memory or len(choices) < 2:
            return None
        return memory_nodes(self.machine, numa_node)

    def _free_memory(self, books: HomeBooks, numa_node: NumaNode) -> int:
        """Bytes that are not promised to anybody yet on the memory nodes of this node.

        Huge pages are set aside already: a memory limit does not count them.
        """
        sources = memory_nodes(self.machine, numa_node)
        total = 0
        for number in sources:
            source = self.machine.node(number)
            total += source.memory_total_bytes - hugepage_bytes(source)
        return max(total - books.memory_on(sources), 0)

    def _follow_kubelet(self, books: HomeBooks, ask: Ask, cpus: CpuSet, count: int) -> Entry:
        """The kubelet's static CPU manager has chosen: its CPUs stay, memory follows them."""
        home = home_of(self.machine, cpus) if count else None
        mems: Optional[NodeSet] = None
        ours = not ask.given.mems and not ask.intent.preserve_memory
        if home is not None and ours and cpus <= self.machine.node(home).cpus:
            mems = self._memory_to_hold(self.machine.node(home))
        decision = Decision(KUBELET, "the kubelet's CPU manager chose its CPUs", count, home)
        shared = self.shared_cpus(books)
        own = cpus & shared if count and len(cpus) == count else NO_CPUS
        if own == shared:
            own = NO_CPUS  # the others have nowhere else to go
        return _entry(Placed(Placement(None, mems), decision, exclusive=own), ask)

    def _shared(self, books: HomeBooks, decision: Decision) -> Entry:
        cpus = self.shared_cpus(books) if self.config.pin_cpu else None
        return Entry(Placed(Placement(cpus), decision))


def _entry(placed: Placed, ask: Ask) -> Entry:
    return Entry(placed, ask.memory_limit if placed.placement.mems is not None else 0)


def _rules(given: Optional[NodeSet]) -> tuple[str, ...]:
    return (RULES[0], MEMORY_GIVEN, *RULES[1:]) if given else RULES


@lru_cache(maxsize=256)
def _shared_decision(reason: str, count: int) -> Decision:
    """One value for all who share for the same reason: hundreds of them change in one answer."""
    return Decision(SHARED, reason, count)


def _why_shared(ask: Ask, count: int) -> str:
    if ask.qos_class != GUARANTEED:
        return f"a {ask.qos_class} container shares the CPUs that nobody owns"
    if count:
        return "its annotation prefers shared CPUs"
    return f"{ask.cpu_request}m is not a whole number of CPUs"


def memory_nodes(machine: Machine, numa_node: NumaNode) -> NodeSet:
    """Where memory for this node's CPUs comes from: itself, or the nearest nodes that have any."""
    if numa_node.memory_total_bytes > 0:
        return NodeSet([numa_node.id])
    near = [
        (numa_node.distances.get(other.id, 255), other.id)
        for other in machine.nodes
        if other.memory_total_bytes > 0
    ]
    shortest = min(near, default=(0, 0))[0]
    return NodeSet(number for distance, number in near if distance == shortest)


def hugepage_bytes(numa_node: NumaNode) -> int:
    """Bytes of a node that its preallocated huge pages hold; their sizes are as "2Mi", "1Gi"."""
    shifts = {"Ki": 10, "Mi": 20, "Gi": 30}
    return sum(
        pages.total * int(size[:-2]) << shifts[size[-2:]]
        for size, pages in numa_node.hugepages.items()
    )
