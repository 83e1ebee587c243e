# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The books of what runs, after a restart or under another configuration; nobody is moved.

What is remembered counts as far as what runs agrees with it; else it is made out from what runs.
A set that is not what it should be, yet takes from nobody, stays until something happens next.
Under another configuration everybody's set is put right at once. Out of scope: placing those who
never were, or whose CPUs the configuration took away: they are newcomers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

from homenode.intent.tenant import DRAM
from homenode.pinning.memory.allocator import hold
from homenode.pinning.memory.books import MemoryBooks
from homenode.pinning.policy import Adoption, Held, Placed
from homenode.world.decision import Decision
from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet
from model.workload import GUARANTEED, Placement

from .books import NORMAL, RESERVED, Books, Grant
from .made_out import Holders, holders, kind_of, own_cpus, pool_of, visible
from .offers import memory_request
from .placements import Placements, scheduling_class_of
from .remember import Entry, Memory, read
from .request import Request, request_of
from .setting import Setting
from .words import home_of, outcome_of


def adopt(setting: Setting, held: Sequence[Held], values: Optional[Mapping[str, Any]]) -> Adoption:
    """See the module; *values* is what ``remembered`` made, maybe of an older version."""
    memory = read(setting, values)
    requests = {one.ask.container_id: request_of(setting, one.ask, demands=False) for one in held}
    draft = _Draft(setting, requests, holders(held), memory)
    unknown = [one for one in held if not draft.believe(one)]
    # Those who own CPUs come first: what is left decides whose set the others share.
    unknown.sort(key=lambda one: requests[one.ask.container_id].full == 0)
    newcomers = [one for one in unknown if not draft.make_out(one)]
    newcomers.sort(key=lambda one: _urgency(requests[one.ask.container_id]))
    return _adoption(draft.books, held, memory, tuple(one.ask.container_id for one in newcomers))


def _urgency(request: Request) -> tuple[int, bool, int]:
    return (-request.full, request.ask.qos_class != GUARANTEED, request.ask.order)


class _Draft:
    """Books that grow; *holding* tells who holds which CPUs."""

    def __init__(
        self,
        setting: Setting,
        requests: Mapping[str, Request],
        holding: Holders,
        memory: Memory,
    ) -> None:
        self.books = Books.empty(setting)
        self._setting = setting
        self._requests = requests
        self._holding = holding
        self._memory = memory

    def believe(self, one: Held) -> bool:
        """Book what is remembered, where it can still be true."""
        entry = self._memory.entries.get(one.ask.container_id)
        if entry is None or not self._agrees(one, entry):
            return False
        memory_zone = entry.memory_zone
        if one.placement.mems and not one.ask.intent.preserve_memory:
            memory_zone = self._there(one.placement.mems) or memory_zone
        booked = hold(self.books.memory, entry.memory, memory_zone)
        self._book(
            one, entry.pool_id, entry.kind, entry.exclusive, entry.millis, entry.cold, booked
        )
        return True

    def _agrees(self, one: Held, entry: Entry) -> bool:
        live, own = one.placement.cpus, entry.exclusive
        if self._pins(entry.kind):
            if live is None and self._memory.same_cpus:
                return False  # somebody took its set away
            if live is not None and not visible(self._setting, one.ask, own) <= live:
                return False
        return own <= self._free() and self._has_cpus(entry.pool_id, entry.kind, own)

    def _has_cpus(self, pool_id: int, kind: str, own: CpuSet) -> bool:
        """Whether a pool that lost CPUs has any left to share, for who has to.

        Under the same configuration it may have none: then the pool above helps out.
        """
        if self._memory.same_cpus or kind != NORMAL:
            return True
        return bool(own or self._setting.capacities[pool_id].sharable)

    def make_out(self, one: Held) -> bool:
        """Book what it must have been granted; False for who was never placed, or cannot stay."""
        request = self._requests[one.ask.container_id]
        kind = kind_of(self._setting, one, request)
        if self._pins(kind):
            never_placed = one.placement.cpus is None
        else:
            never_placed = one.placement.mems is None and one.before is None
        own = own_cpus(self._setting, one, request, self._holding)
        if never_placed or (kind == NORMAL and not own <= self._free()):
            return False
        if request.full and not own:
            request = request.shared()
        own = own & self._free()
        pool_id = pool_of(self.books, one, kind, own)
        if not self._has_cpus(pool_id, kind, own):
            return False
        pool = self._setting.tree.pools[pool_id]
        near = pool.memory(request.memory_types) or self._setting.layout.with_memory
        memory_zone = self._there(one.placement.mems or NO_NODES) or near
        booked = hold(self.books.memory, memory_request(request, near), memory_zone)
        dram = self._setting.layout.nodes_of((DRAM,))
        cold = request.cold and not memory_zone & dram
        self._book(one, pool_id, kind, own, request.millis, cold, booked)
        return True

    def _pins(self, kind: str) -> bool:
        return self._setting.config.pin_cpu and kind in (NORMAL, RESERVED)

    def _free(self) -> CpuSet:
        root = self.books.supplies[-1]
        return root.isolated | root.sharable

    def _there(self, mems: NodeSet) -> NodeSet:
        return mems & self._setting.layout.with_memory

    def _book(
        self,
        one: Held,
        pool_id: int,
        kind: str,
        own: CpuSet,
        millis: int,
        cold: bool,
        memory: MemoryBooks,
    ) -> None:
        request = self._requests[one.ask.container_id]
        outcome = outcome_of(kind, own, millis)
        grant = Grant(
            ask=one.ask,
            pool_id=pool_id,
            kind=kind,
            decision=_decision(self._setting, one, request.wanted_cpus, pool_id, outcome, own),
            exclusive=own,
            millis=millis,
            cpu_class=request.cpu_class if own else "",
            scheduling_class=scheduling_class_of(self._setting.config, one.ask),
            cold=cold,
        )
        self.books = self.books.with_grant(one.ask.container_id, grant, memory)


def _decision(
    setting: Setting, one: Held, wanted_cpus: int, pool_id: int, outcome: str, own: CpuSet
) -> Decision:
    """The one of before, where it led to this."""
    pool, before = setting.tree.pools[pool_id], one.before
    if before is not None and before.place == pool.name and before.decision.outcome == outcome:
        return before.decision
    home = home_of(setting, own or pool.cpus)
    return Decision(outcome, "it was running there already", wanted_cpus, home, adopted=True)


def _adoption(
    books: Books, held: Sequence[Held], memory: Memory, newcomers: tuple[str, ...]
) -> Adoption:
    placements = Placements(books)
    owned = NO_CPUS
    for grant in books.grants.values():
        owned = owned | grant.exclusive
    placed: dict[str, Placed] = {}
    changed: dict[str, Placed] = {}
    outdated = set()
    for one in held:
        key = one.ask.container_id
        if key not in books.grants:
            continue
        wanted = placements.placed(books.grants[key])
        now = _as_it_is(one.placement, wanted.placement)
        placed[key] = wanted
        if now == wanted.placement:
            continue
        placed[key] = wanted.at(now)
        if memory.same_cpus and _may_stay(books, books.grants[key], now, owned):
            outdated.add(key)
        else:
            changed[key] = wanted
    return Adoption(
        replace(books, outdated=frozenset(outdated)), placed, newcomers, memory.problems, changed
    )


def _as_it_is(live: Placement, wanted: Placement) -> Placement:
    """What it has, of what is ours to say."""
    return Placement(
        None if wanted.cpus is None else live.cpus, None if wanted.mems is None else live.mems
    )


def _may_stay(books: Books, grant: Grant, now: Placement, owned: CpuSet) -> bool:
    """Whether CPUs that are not what they should be take from nobody; *owned* are everybody's."""
    cpus, setting = now.cpus, books.setting
    if cpus is None or grant.kind not in (NORMAL, RESERVED):
        return True
    allowed = setting.reserved if grant.kind == RESERVED else setting.allowed
    own = visible(setting, grant.ask, grant.exclusive)
    return own <= cpus and cpus <= allowed and not (cpus - grant.exclusive) & owned
