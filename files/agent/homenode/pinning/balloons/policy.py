# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The balloons policy: see the package. What a container gets, and whom that changes.

Out of scope: the steps themselves, each in its own file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Optional

from homenode.intent.expressions import matches
from homenode.intent.policy_config import BalloonsConfig
from homenode.pinning.cpus.topology import CpuTopology
from homenode.pinning.memory.books import MemoryBooks
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.policy import Adoption, Ask, Hardware, Held, Outcome, Place
from homenode.world.decision import PRESERVED, Decision
from homenode.world.placed import Placed
from model.cpuset import CpuSet
from model.interrupts import Interrupt
from model.machine import Machine
from model.problem import HomenodeProblem
from model.workload import NOT_OURS

from .adopt import adopt
from .choose import choose, member_of, no_instance, subject_of, type_for
from .creation import start
from .devices import Devices, known_devices
from .explain import decision_of
from .hardware import check_claims, hardware
from .instances import Holdings
from .pin import Entries, Entry, Pins, placed_in
from .places import places
from .remember import as_dict, fingerprint
from .setting import Setting
from .share_idle import changed_cpus, usable_cpus
from .sizing import fitted
from .types import effective_types
from .validation import DEFAULT


@dataclass(frozen=True)
class BalloonBooks:
    """The balloons, everybody inside one, and who has booked which memory."""

    holdings: Holdings
    entries: Entries = field(default_factory=dict)
    memory: MemoryBooks = field(default_factory=MemoryBooks)


@dataclass(frozen=True)
class Balloons:
    """See the module.

    *devices* are the CPUs near each of ``device_paths(config)``, *memory_types* the operator's
    word on NUMA nodes, *interrupts* the machine's. Making one raises HomenodeProblem for what the
    machine cannot satisfy.
    """

    machine: Machine
    config: BalloonsConfig
    devices: Devices = field(default_factory=dict)
    memory_types: Mapping[int, str] = field(default_factory=dict)
    interrupts: Sequence[Interrupt] = ()

    def __post_init__(self) -> None:
        check_claims(self.config, self.interrupts)
        self._start  # noqa: B018  what cannot be satisfied shows here

    def start(self) -> BalloonBooks:
        """The balloons that always are, empty."""
        return self._start

    def place(self, books: BalloonBooks, ask: Ask) -> Outcome:
        """Place a container; what it had counts as free.

        Raises HomenodeProblem where its annotation names no balloon type, and where none of its
        type has room: see ``choose``.
        """
        if self._is_preserved(ask):
            return Outcome(books, Placed(NOT_OURS, _PRESERVED))
        released = self.release(books, ask.container_id)
        before: BalloonBooks = released.books
        its, by = type_for(self._setting, ask)
        choice = choose(self._setting, before.holdings, its, ask)
        holdings, balloon = choice.holdings, choice.balloon
        needed = max(1, balloon.requested + ask.cpu_request)
        if 1000 * len(balloon.cpus) < needed:
            holdings = fitted(self._setting, holdings, choice.place, needed)
            balloon = holdings.balloons[choice.place]
        if not balloon.cpus:
            raise no_instance(its, ask)
        member = member_of(self._setting.type_of(balloon), ask, its.name)
        balloon = balloon.with_member(ask.container_id, member)
        holdings = holdings.changed(choice.place, balloon)
        decision = decision_of(choice, self._setting, its, by)
        placed = placed_in(self._setting, balloon, ask, decision)
        pins = self._pins(before)
        pins.add(Entry(ask, balloon.name, placed))
        outcome = self._pinned(pins, before.holdings, holdings, ask.container_id)
        mine = outcome.books.entries[ask.container_id].placed
        others = {**released.changed, **outcome.changed}
        others.pop(ask.container_id, None)
        return Outcome(outcome.books, mine, others)

    def release(self, books: BalloonBooks, container_id: str) -> Outcome:
        """Take a container out; its balloon shrinks, and ends if it is empty and one too many."""
        entry = books.entries.get(container_id)
        if entry is None:
            return Outcome(books)
        holdings = books.holdings
        place = _place(holdings, entry)
        balloon = holdings.balloons[place].without(container_id)
        needed = max(1, balloon.requested) if balloon.members else 0
        holdings = fitted(self._setting, holdings.changed(place, balloon), place, needed)
        spec = self._setting.type_of(balloon).spec
        if not balloon.members and len(holdings.of_type(spec.name)) > spec.min_balloons:
            holdings = holdings.without(place)
        pins = self._pins(books)
        pins.remove(container_id)
        return self._pinned(pins, books.holdings, holdings)

    def resize(self, books: BalloonBooks, ask: Ask) -> Outcome:
        """Take a container's new request into account; one that is not known is placed.

        Its balloon grows or shrinks by what the new sum of requests needs, and nobody leaves a
        CPU that stays; with too few idle CPUs it is over-committed. (Upstream ignores updates.)
        """
        entry = books.entries.get(ask.container_id)
        if entry is None:
            return self.place(books, ask)
        holdings = books.holdings
        place = _place(holdings, entry)
        before = holdings.balloons[place]
        wanted = before.members[ask.container_id].wanted
        member = member_of(self._setting.type_of(before), ask, wanted)
        balloon = before.with_member(ask.container_id, member)
        holdings = holdings.changed(place, balloon)
        needed = max(1, balloon.requested)
        if balloon.requested < before.requested or 1000 * len(balloon.cpus) < needed:
            holdings = fitted(self._setting, holdings, place, needed)
        pins = self._pins(books)
        pins.add(entry._replace(ask=ask))
        pins.rebook(ask)
        outcome = self._pinned(pins, books.holdings, holdings, ask.container_id)
        mine = outcome.books.entries[ask.container_id].placed
        others = {key: one for key, one in outcome.changed.items() if key != ask.container_id}
        return Outcome(outcome.books, mine, others)

    def adopt(self, held: Sequence[Held], memory: Optional[Mapping[str, Any]]) -> Adoption:
        """Account for what runs; see ``adopt``."""
        alone = {
            one.ask.container_id: Placed(NOT_OURS, _PRESERVED)
            for one in held
            if self._is_preserved(one.ask)
        }
        rest = [one for one in held if one.ask.container_id not in alone]
        found = adopt(self._setting, self._layout, rest, memory, self._fingerprint)
        return Adoption(
            BalloonBooks(found.holdings, found.entries, found.memory),
            {**found.placed, **alone},
            found.newcomers,
            found.problems,
            found.changed,
        )

    def remember(self, books: BalloonBooks) -> dict[str, Any]:
        """The balloons and bookings."""
        told = {key: entry.placed.placement.mems for key, entry in books.entries.items()}
        return as_dict(self._fingerprint, books.holdings, books.memory, told)

    def hardware(self, books: BalloonBooks) -> Hardware:
        """Classes of CPUs, and interrupts."""
        return hardware(self.config, self._setting, books.holdings)

    def places(self, books: BalloonBooks) -> tuple[Place, ...]:
        """Every balloon, by type and number."""
        return places(self._setting, self._layout, books.holdings, self._start.holdings.idle)

    def _pinned(self, pins: Pins, before: Holdings, after: Holdings, last: str = "") -> Outcome:
        """Pin everybody in balloons that have changed, and the container *last*, after all others.

        The order counts where memory is scarce.
        """
        home = pins.entries[last].balloon if last else ""
        touched = {one.name: now for one, now in changed_cpus(self._setting, before, after)}
        for one in sorted(after.balloons, key=lambda one: one.name == home):
            if one.name in touched:
                pins.pin(one, touched[one.name], one.members)
            elif one.name == home:
                pins.pin(one, usable_cpus(self._setting, after, one), (last,))
        return Outcome(BalloonBooks(after, pins.entries, pins.memory), None, pins.changed)

    def _is_preserved(self, ask: Ask) -> bool:
        if ask.intent.preserve_cpus or not self.config.preserve:
            return ask.intent.preserve_cpus
        subject = subject_of(ask)
        return any(matches(one, subject) for one in self.config.preserve)

    def _pins(self, books: BalloonBooks) -> Pins:
        return Pins(self._setting, self._layout, books.entries, books.memory)

    @cached_property
    def _setting(self) -> Setting:
        topology = CpuTopology.of(self.machine)
        allowed = _allowed(self.config, self.machine.online)
        types = effective_types(self.config, allowed, self.machine.isolated)
        devices = known_devices(topology, types.reserved, self.devices)
        named_default = any(one.name == DEFAULT for one in self.config.cpu_classes)
        return Setting(
            topology,
            types,
            devices,
            allowed,
            pin_cpu=self.config.pin_cpu,
            default_cpu_class=DEFAULT if named_default else "",
        )

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(self.config, self._setting.allowed)

    @cached_property
    def _layout(self) -> MemoryLayout:
        return MemoryLayout.of(self.machine, self.memory_types)

    @cached_property
    def _start(self) -> BalloonBooks:
        return BalloonBooks(start(self._setting))


def _place(holdings: Holdings, entry: Entry) -> int:
    place = holdings.place_of(entry.balloon)
    assert place is not None, entry.balloon
    return place


def _allowed(config: BalloonsConfig, online: CpuSet) -> CpuSet:
    """The CPUs that balloons may have."""
    available = config.available
    if available.millis is not None:
        raise HomenodeProblem(
            "availableResources.cpu",
            f"{available.millis}m",
            "can't handle CPU resources given as resource.Quantity",
            "write cpuset:LIST or exclude-cpuset:LIST",
        )
    if available.excluded is not None:
        return online - available.excluded
    return online if available.cpus is None else online & available.cpus


_PRESERVED = Decision(PRESERVED, "its annotation or the configuration asks to leave it alone")
