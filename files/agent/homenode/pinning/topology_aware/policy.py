# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy itself: place, resize, release, and what reports want to know.

See the package for the idea, and ``pinning.policy`` for what each method promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from homenode.intent.policy_config import TopologyAwareConfig
from homenode.intent.tenant import DRAM
from homenode.pinning.memory.allocator import free, grow, release
from homenode.pinning.policy import Adoption, Ask, Hardware, Held, Outcome, Place
from model.cpuset import NO_NODES
from model.interrupts import Interrupt
from model.machine import Machine

from .adopt import adopt
from .books import Books, Grant
from .hardware import hardware
from .placements import Placements, changed, scheduling_class_of
from .remember import remembered
from .request import request_of
from .setting import Setting
from .take import TooFewCpus, take
from .words import decision_of


@dataclass(frozen=True)
class TopologyAware:
    """The policy for one machine and configuration; see the module."""

    setting: Setting

    def __init__(
        self,
        machine: Machine,
        config: TopologyAwareConfig,
        memory_types: Optional[Mapping[int, str]] = None,
        interrupts: Sequence[Interrupt] = (),
    ) -> None:
        """*memory_types* by NUMA node are the operator's word; *interrupts* are the machine's.

        Raises HomenodeProblem where *config* cannot be satisfied.
        """
        setting = Setting.of(machine, config, memory_types or {}, interrupts)
        object.__setattr__(self, "setting", setting)

    def start(self) -> Books:
        """Nobody has anything."""
        return Books.empty(self.setting)

    def place(self, books: Books, ask: Ask) -> Outcome:
        """Place a container; one that is known already is placed anew, anywhere."""
        return self._place(books, ask, None)

    def resize(self, books: Books, ask: Ask) -> Outcome:
        """Place a known container anew in its pool, unless it only shares and finds no room there.

        Raises HomenodeProblem where its pool cannot serve it; it keeps what it has of its own then.
        """
        before = books.grants.get(ask.container_id)
        if before is None:
            return self._place(books, ask, None)
        if _amounts(before.ask) == _amounts(ask):
            return Outcome(books, Placements(books).placed(before))
        return self._place(books, ask, before.pool_id)

    def _place(self, books: Books, ask: Ask, near: Optional[int]) -> Outcome:
        key = ask.container_id
        request = request_of(self.setting, ask)
        without = _without(books, key)
        try:
            taken = take(without, request, near)
        except TooFewCpus:
            if near is not None or not request.may_share:
                raise
            request = request.shared()  # a pod that shares is better than one that does not start
            taken = take(without, request)
        grant = Grant(
            ask=ask,
            pool_id=taken.pool.id,
            kind=taken.kind,
            decision=decision_of(self.setting, request, taken),
            exclusive=taken.exclusive,
            millis=request.millis,
            cpu_class=request.cpu_class,
            scheduling_class=scheduling_class_of(self.setting.config, ask),
            cold=request.cold,
        )
        after = without.with_grant(key, grant, taken.memory)
        others = changed(books, after, taken.moved, besides=key)
        return Outcome(after, Placements(after).placed(grant), others)

    def release(self, books: Books, container_id: str) -> Outcome:
        """Take a container out; those who share get what it had for itself."""
        if container_id not in books.grants:
            return Outcome(books)
        after = _without(books, container_id)
        return Outcome(after, None, changed(books, after, (), besides=container_id))

    def warm(self, books: Books, container_id: str) -> Outcome:
        """The cold start of a container is over: from now on its memory may come from DRAM too."""
        grant = books.grants.get(container_id)
        if grant is None or not grant.cold:
            return Outcome(books)
        grown = grow(self.setting.layout, books.memory, container_id, NO_NODES, {DRAM})
        warmed = replace(grant, cold=False)
        after = replace(
            books,
            grants={**books.grants, container_id: warmed},
            memory=grown.books,
            outdated=frozenset(),
        )
        others = changed(books, after, grown.moved, besides=container_id)
        return Outcome(after, Placements(after).placed(warmed), others)

    def adopt(self, held: Sequence[Held], memory: Optional[Mapping[str, Any]]) -> Adoption:
        """Account for what runs, moving nobody."""
        return adopt(self.setting, held, memory)

    def remember(self, books: Books) -> dict[str, Any]:
        """What a later adoption wants to know, JSON-clean."""
        return remembered(books)

    def hardware(self, books: Books) -> Hardware:
        """Classes of CPUs, and interrupts."""
        return hardware(books)

    def places(self, books: Books) -> tuple[Place, ...]:
        """Every pool, by its number."""
        setting = self.setting
        containers: dict[int, list[str]] = {}
        for key, grant in books.grants.items():
            containers.setdefault(grant.pool_id, []).append(key)
        found = []
        for pool, capacity, supply in zip(setting.tree.pools, setting.capacities, books.supplies):
            mems = pool.memory(pool.memory_types)
            found.append(
                Place(
                    name=pool.name,
                    cpus=pool.cpus & setting.allowed,
                    kind=pool.kind,
                    parent=setting.tree.pools[pool.above[0]].name if pool.above else "",
                    shared=supply.sharable,
                    reserved=capacity.reserved,
                    isolated=supply.isolated,
                    mems=mems,
                    cpu_capacity=1000 * len(capacity.sharable | capacity.reserved),
                    cpu_allocatable=1000 * len(capacity.sharable | capacity.reserved),
                    cpu_available=books.allocatable[pool.id],
                    memory_capacity=setting.layout.capacity(mems),
                    memory_available=free(setting.layout, books.memory, mems),
                    containers=tuple(containers.get(pool.id, ())),
                )
            )
        return tuple(found)


def _without(books: Books, container_id: str) -> Books:
    if container_id not in books.grants:
        return books
    return books.without(container_id, release(books.memory, container_id))


def _amounts(ask: Ask) -> tuple[object, ...]:
    return (
        ask.cpu_request, ask.cpu_limit, ask.memory_request, ask.memory_limit, ask.given,
    )  # fmt: skip
