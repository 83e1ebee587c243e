# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The books of what runs, after a restart, a reconnection of the runtime, another configuration.

What ``remember`` gave is believed as far as what runs agrees with it (``believe``), the rest is
made up (``made_up``). Then balloons that have to be and are not there are made from CPUs on which
nobody runs. Nobody is moved: a balloon of which containers ended in the meantime shrinks with the
next change in it, for the sake of those that go on.

Under another configuration (or other CPUs) than the one remembered, whoever belongs to another type
now is a newcomer, and all others get at once what it says of sizes, sharing and memory.
Out of scope: placing newcomers; the loop does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from homenode.pinning.memory.allocator import hold
from homenode.pinning.memory.books import PRESERVED, MemoryBooks
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.policy import Held
from homenode.world.decision import SHARED, Decision
from homenode.world.placed import Placed
from model.cpuset import NO_CPUS, CpuSet
from model.problem import HomenodeProblem, Problem
from model.workload import Placement

from .believe import Running, believed, cpus_of, seen_cpus
from .choose import type_for
from .creation import created, in_order_of_creation
from .instances import Balloon, Holdings, type_name_of
from .made_up import grouped, made_up
from .pin import Entry, Pins, placed_in, request_of
from .remember import NOTHING, Memory, read
from .setting import Setting
from .share_idle import usable_cpus
from .sizing import conformed, fitted

ADOPTED = Decision(SHARED, "it was running in this balloon already", adopted=True)
STRANGER = Decision(SHARED, "it runs on as it is, for it is in no balloon", adopted=True)


@dataclass(frozen=True)
class Adopted:
    """The parts of the books, and what goes beside them, as in ``Adoption``."""

    holdings: Holdings
    entries: Mapping[str, Entry]
    memory: MemoryBooks
    placed: Mapping[str, Placed]
    newcomers: tuple[str, ...]
    problems: tuple[Problem, ...]
    changed: Mapping[str, Placed]


def adopt(
    setting: Setting,
    layout: MemoryLayout,
    held: Sequence[Held],
    memory: Optional[Mapping[str, Any]],
    fingerprint: str,
) -> Adopted:
    """See the module. *held* are those to be in balloons, from the oldest to the youngest."""
    problems: list[Problem] = []
    remembered = _read(memory, problems)
    same = remembered.fingerprint in ("", fingerprint)
    running: dict[str, Held] = {}
    strangers: dict[str, Placed] = {}
    for one in held:
        try:
            if _stays(setting, remembered, one):
                running[one.ask.container_id] = one
        except HomenodeProblem as error:
            problems.append(error.problem)
            strangers[one.ask.container_id] = Placed(one.placement, STRANGER)
    holdings = _holdings(setting, remembered, running, problems, same=same)
    entries = _entries(setting, holdings, running)
    pins = Pins(setting, layout, entries, _memory(setting, layout, entries, remembered))
    if not same:
        holdings = conformed(setting, holdings)
        for balloon in holdings.balloons:
            pins.pin(balloon, usable_cpus(setting, holdings, balloon), balloon.members)
    problems += [_no_cpus(one) for one in holdings.balloons if one.members and not one.cpus]
    placed = {key: entry.placed for key, entry in entries.items()}
    keys = (one.ask.container_id for one in held)
    newcomers = tuple(key for key in keys if key not in placed and key not in strangers)
    return Adopted(
        holdings,
        pins.entries,
        pins.memory,
        {**placed, **strangers},
        newcomers,
        tuple(problems),
        pins.changed,
    )


def _stays(setting: Setting, remembered: Memory, one: Held) -> bool:
    """Whether a container was placed, in a balloon that there can still be for it.

    Raises HomenodeProblem where its annotation names no type (any more).
    """
    its = type_for(setting, one.ask)[0]
    home = remembered.home_of(one.ask.container_id)
    if setting.pin_cpu and not one.placement.cpus:
        return False
    if home is not None:
        is_wanted = home.members[one.ask.container_id] == its.name
        return is_wanted and home.type_name in setting.types.by_name
    if one.before is None:
        return setting.pin_cpu
    return type_name_of(one.before.place) in setting.types.by_name


def _read(memory: Optional[Mapping[str, Any]], problems: list[Problem]) -> Memory:
    if memory is None:
        return NOTHING
    try:
        return read(memory)
    except HomenodeProblem as error:
        problems.append(error.problem)
        return NOTHING


def _holdings(
    setting: Setting, remembered: Memory, running: Running, problems: list[Problem], *, same: bool
) -> Holdings:
    balloons = believed(setting, remembered.balloons, running, exact=same)
    inside = {key for one in balloons for key in one.members}
    for group in grouped(setting, [one for key, one in running.items() if key not in inside]):
        ours = {one.ask.container_id for one in group.held}
        elsewhere = seen_cpus(one for key, one in running.items() if key not in ours)
        balloons.append(made_up(setting, balloons, group, elsewhere))
    holdings = Holdings(tuple(balloons), setting.allowed - cpus_of(balloons))
    emptied = {one.name for one in remembered.balloons if one.members}
    for one in balloons:
        if not one.members and (one.name in emptied or not same):
            holdings = _left(setting, holdings, one)
    in_use = seen_cpus(running.values()) if setting.pin_cpu and same else NO_CPUS
    return _completed(setting, holdings, in_use, problems)


def _no_cpus(balloon: Balloon) -> Problem:
    return Problem(
        "balloon",
        balloon.name,
        "all CPUs that its containers run on are other balloons', and they run on as they are",
        "end one of them, or wait for the next change in this balloon",
    )


def _left(setting: Setting, holdings: Holdings, balloon: Balloon) -> Holdings:
    """After the last container left *balloon*: it ends, or is as small as its type allows."""
    place = holdings.place_of(balloon.name)
    assert place is not None, balloon.name
    if len(holdings.of_type(balloon.type_name)) > setting.type_of(balloon).spec.min_balloons:
        return holdings.without(place)
    return fitted(setting, holdings, place, 0)


def _completed(
    setting: Setting, holdings: Holdings, in_use: CpuSet, problems: list[Problem]
) -> Holdings:
    """With the balloons that always are, where there are CPUs on which nobody runs for them."""
    shared = holdings.idle & in_use
    free = Holdings(holdings.balloons, holdings.idle - shared)
    for its in in_order_of_creation(setting):
        while len(free.of_type(its.name)) < its.spec.min_balloons:
            try:
                after, balloon = created(setting, free, its, None)
            except HomenodeProblem as error:
                problems.append(error.problem)
                break
            free = after.with_new(balloon)
    return Holdings(free.balloons, free.idle | shared)


def _entries(setting: Setting, holdings: Holdings, running: Running) -> dict[str, Entry]:
    entries = {}
    for balloon in holdings.balloons:
        its = setting.type_of(balloon)
        for key in balloon.members:
            one = running[key]
            cpus = one.placement.cpus if setting.pin_cpu else None
            pins_memory = its.pin_memory and not one.ask.intent.preserve_memory
            mems = one.placement.mems if pins_memory else None
            decision = ADOPTED
            if one.before is not None and one.before.place == balloon.name:
                decision = one.before.decision
            placed = placed_in(setting, balloon, one.ask, decision)
            placed = placed.at(Placement(cpus, mems))
            entries[key] = Entry(one.ask, balloon.name, placed)
    return entries


def _memory(
    setting: Setting, layout: MemoryLayout, entries: Mapping[str, Entry], remembered: Memory
) -> MemoryBooks:
    """What everybody has booked; who is remembered without a booking had none."""
    books = MemoryBooks()
    for key, entry in entries.items():
        its = setting.types.by_name[type_name_of(entry.balloon)]
        booked = remembered.booked.get(key)
        known = remembered.home_of(key) is not None
        if booked is None and (known or not its.pin_memory):
            continue
        ask, now = entry.ask, entry.placed.placement
        near = layout.for_cpus(now.cpus or NO_CPUS)
        if booked is None:
            zone = now.mems or ask.given.mems or near
            request = request_of(ask, near, layout.types_of(near))
        else:
            zone = booked.memory_zone if now.mems in (None, booked.told) else now.mems
            request = request_of(ask, booked.affinity, booked.types or ())
        if ask.intent.preserve_memory:
            request = replace(request, priority=PRESERVED)
        if zone:
            books = hold(books, request, zone & layout.numa_nodes)
    return books
