# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What balloons mean for the cpusets of the containers inside: CPUs, and memory near them.

Memory is booked with the memory limit as its size (upstream's choice; it takes the limit whatever
the class is, so for Burstable ones too: a limit is what a container can really come to use). A
booking only widens as long as the container runs, so that its memory need not move when its
balloon does. Out of scope: the balloons themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, Optional

from homenode.pinning.memory import books as memory_books
from homenode.pinning.memory.allocator import NoMemory, allocate, grow, hold, release
from homenode.pinning.memory.books import MemoryBooks, Request
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.policy import Ask
from homenode.world.decision import Decision
from homenode.world.placed import Placed
from model.cpuset import CpuSet, NodeSet
from model.workload import BURSTABLE, GUARANTEED, NOT_OURS, Placement

from .instances import Balloon
from .setting import Setting
from .types import EffectiveType

PRIORITIES = {GUARANTEED: memory_books.GUARANTEED, BURSTABLE: memory_books.BURSTABLE}


class Entry(NamedTuple):
    """One container: what it asked for, the balloon that it is in, what it got."""

    ask: Ask
    balloon: str
    placed: Placed


Entries = Mapping[str, Entry]


class Pins:
    """Entries and memory while one operation changes them; *changed* are those that differ."""

    def __init__(
        self, setting: Setting, layout: MemoryLayout, entries: Entries, memory: MemoryBooks
    ) -> None:
        self._setting = setting
        self._layout = layout
        self.entries = dict(entries)
        self.memory = memory
        self.changed: dict[str, Placed] = {}

    def add(self, entry: Entry) -> None:
        """A container that is to be pinned with its balloon."""
        self.entries[entry.ask.container_id] = entry

    def remove(self, container_id: str) -> None:
        """It is gone, and so is what it had booked."""
        self.entries.pop(container_id, None)
        self.changed.pop(container_id, None)
        self.memory = release(self.memory, container_id)

    def rebook(self, ask: Ask) -> None:
        """Its booking has the size that it asks for now; where it is, it stays."""
        request = self.memory.requests.get(ask.container_id)
        if request is not None and request.size != ask.memory_limit:
            zone = self.memory.memory_zones[ask.container_id]
            self.memory = hold(self.memory, replace(request, size=ask.memory_limit), zone)

    def pin(self, balloon: Balloon, cpus: CpuSet, whom: Iterable[str]) -> None:
        """The containers *whom* of *balloon* to *cpus*.

        Who gets the same gets the same object: a reply is encoded once for each.
        """
        if not balloon.cpus:  # nobody is to have an empty set: see ``adopt``
            return
        its = self._setting.type_of(balloon)
        near = self._layout.for_cpus(cpus)
        alike: dict[tuple[bool, Optional[NodeSet]], Placement] = {}
        for container_id in whom:
            entry = self.entries[container_id]
            key = hides_hyperthreads(entry.ask, its), self._mems(entry, its, near)
            placement = alike.get(key)
            if placement is None:
                placement = alike[key] = self._placement(cpus, *key)
            self._put(entry, placement)

    def _placement(self, cpus: CpuSet, hides: bool, mems: Optional[NodeSet]) -> Placement:
        if not self._setting.pin_cpu:
            return Placement(None, mems)
        return Placement(self._setting.topology.single_threads(cpus) if hides else cpus, mems)

    def _put(self, entry: Entry, placement: Placement) -> None:
        if placement != entry.placed.placement:
            placed = entry.placed.at(placement)
            key = entry.ask.container_id
            self.entries[key] = Entry(entry.ask, entry.balloon, placed)
            self.changed[key] = placed

    def _mems(self, entry: Entry, its: EffectiveType, near: NodeSet) -> Optional[NodeSet]:
        """The memory nodes of a container that is near *near*; None where they are left alone."""
        if not its.pin_memory:
            return None
        ask = entry.ask
        types = ask.intent.memory_types or its.spec.memory_types or frozenset()
        types = types & self._layout.available_types
        try:
            if ask.intent.preserve_memory:
                self._preserve(ask)
                return None
            if ask.container_id in self.memory.requests:
                booked = grow(self._layout, self.memory, ask.container_id, near, types)
            else:
                booked = allocate(self._layout, self.memory, request_of(ask, near, types))
        except NoMemory:
            return near
        self.memory = booked.books
        if booked.moved:
            self._move(booked.moved)
        return booked.memory_zone

    def _preserve(self, ask: Ask) -> None:
        """Book what the container has already, so that others know."""
        mems = ask.given.mems
        if mems and ask.container_id not in self.memory.requests:
            request = replace(request_of(ask, mems), priority=memory_books.PRESERVED)
            booked = allocate(self._layout, self.memory, request)
            self.memory = booked.books
            self._move(booked.moved)

    def _move(self, moved: Mapping[str, NodeSet]) -> None:
        for container_id, mems in moved.items():
            entry = self.entries[container_id]
            if entry.placed.placement.mems is not None:
                self._put(entry, Placement(entry.placed.placement.cpus, mems))


def placed_in(setting: Setting, balloon: Balloon, ask: Ask, decision: Decision) -> Placed:
    """What a container in *balloon* gets, before it is pinned."""
    spec = setting.type_of(balloon).spec
    wanted = ask.intent.scheduling_class
    return Placed(
        NOT_OURS,
        decision,
        place=balloon.name,
        cpu_class=setting.cpu_class(spec),
        scheduling_class=spec.scheduling_class if wanted is None else wanted,
    )


def request_of(ask: Ask, near: NodeSet, types: Iterable[str] = ()) -> Request:
    """What a container books of memory."""
    return Request(
        ask.container_id,
        ask.memory_limit,
        near,
        types=frozenset(types) or None,
        priority=PRIORITIES.get(ask.qos_class, memory_books.BEST_EFFORT),
        order=ask.order,
    )


def hides_hyperthreads(ask: Ask, its: EffectiveType) -> bool:
    """Whether a container is to use one thread of each core: its annotation, else its type."""
    own = ask.intent.hide_hyperthreads
    return its.spec.hide_hyperthreads if own is None else own
