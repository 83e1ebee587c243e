# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes what a request asks for out of a pool: CPUs of its own, a part of the shared ones, memory.

Whatever fails, fails before anything is booked. A container that only shares never fails for lack
of CPUs: where no pool has what it asks for, it shares the widest. Out of scope: words about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Optional

from homenode.pinning.cpus.allocator import allocate
from homenode.pinning.memory.allocator import hold
from homenode.pinning.memory.books import MemoryBooks
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.problem import HomenodeProblem

from .affinity import affinity_scores
from .books import KUBELETS, NORMAL, RESERVED, Books
from .demands import check_hints, check_isolated
from .hints import cpus_of, pod_resource_hints
from .offers import MemoryOffers, memory_request
from .pools import TopologyPool
from .request import Request
from .rules import Ranking, ranked
from .scores import scores_of


@dataclass(frozen=True)
class Taken:
    """What a request gets, before it is booked.

    *memory* are the memory books with it, *moved* the new zones of others. *ranking* is None where
    there was no choice. *lacks* says that the shared (or reserved) CPUs do not have what it asks.
    """

    pool: TopologyPool
    kind: str
    memory: MemoryBooks
    exclusive: CpuSet = NO_CPUS
    moved: Mapping[str, NodeSet] = field(default_factory=dict)
    ranking: Optional[Ranking] = None
    lacks: bool = False
    stays: bool = False


class TooFewCpus(HomenodeProblem):
    """No pool can spare the CPUs that a container asks for itself."""


def take(books: Books, request: Request, near: Optional[int] = None) -> Taken:
    """What *request* gets; from the pool *near* where it has been before and can stay.

    Raises TooFewCpus for CPUs of its own, HomenodeProblem where memory or a strict demand cannot
    be served.
    """
    offers = MemoryOffers(books.setting, books.memory, request)
    if request.kind == KUBELETS:
        return _follow(books, request, offers)
    if request.kind != NORMAL:
        return _at_root(books, request, offers)
    affinity = affinity_scores(books, request.ask)
    ranking = ranked(request, scores_of(books, request, offers, affinity))
    exclusive = NO_CPUS
    if request.full:
        pool, exclusive = _owner(books, request, ranking, near)
    else:
        pool = _sharer(books, request, ranking, near)
    offer = offers.demand(pool)
    lacks = not request.full and books.allocatable[pool.id] < request.millis
    stays = pool.id == near
    taken = Taken(pool, NORMAL, offer.books, exclusive, offer.moved, ranking, lacks, stays)
    _check(books, request, taken)
    return taken


def _owner(
    books: Books, request: Request, ranking: Ranking, near: Optional[int]
) -> tuple[TopologyPool, CpuSet]:
    """The pool, and the CPUs of its own there. Raises TooFewCpus.

    The best pool may have CPUs and yet none to spare: then the next that seems to have enough is
    tried (upstream gives up).
    """
    best = books.setting.tree.pools[near] if near is not None else ranking.scores[0].pool
    try:
        return best, _own_cpus(books, request, best)
    except TooFewCpus as problem:
        if near is None:
            for score in ranking.scores[1:]:
                if score.shared >= 0 and score.memory_nodes:
                    with suppress(TooFewCpus):
                        return score.pool, _own_cpus(books, request, score.pool)
        raise problem


def _sharer(books: Books, request: Request, ranking: Ranking, near: Optional[int]) -> TopologyPool:
    """The pool *near*, or the best, if it has what is asked; else the widest."""
    best = ranking.scores[0].pool
    if near is not None and books.allocatable[near] >= request.millis:
        return books.setting.tree.pools[near]
    if books.allocatable[best.id] >= request.millis:
        return best
    with_memory = [score.pool for score in ranking.scores if score.memory_nodes] or [best]
    widest = max(
        with_memory, key=lambda pool: (len(books.supplies[pool.id].sharable), pool.depth, -pool.id)
    )
    return widest if books.supplies[widest.id].sharable else best


def _at_root(books: Books, request: Request, offers: MemoryOffers) -> Taken:
    """Reserved CPUs are the root's; where they do not suffice, so are the shared ones instead."""
    root = books.setting.tree.root
    lacks = request.kind == RESERVED and books.allocatable_reserved < request.millis
    offer = offers.demand(root)
    kind = NORMAL if lacks else request.kind
    taken = Taken(root, kind, offer.books, moved=offer.moved, lacks=lacks)
    _check(books, request, taken)
    return taken


def _follow(books: Books, request: Request, offers: MemoryOffers) -> Taken:
    """The kubelet's managers have chosen; what they gave to one alone is nobody else's."""
    setting, given = books.setting, request.ask.given
    cpus = given.cpus or NO_CPUS
    pool = next((each for each in setting.tree.pools if cpus <= each.cpus), setting.tree.root)
    exclusive = NO_CPUS
    if request.ask.cpu_request == 1000 * len(cpus):
        exclusive = cpus & (books.supplies[-1].sharable | books.supplies[-1].isolated)
    mems = (given.mems or NodeSet()) & setting.layout.with_memory
    if mems:
        memory = hold(books.memory, memory_request(request, mems), mems)
        return Taken(pool, KUBELETS, memory, exclusive)
    offer = offers.demand(pool)
    return Taken(pool, KUBELETS, offer.books, exclusive, offer.moved)


def _own_cpus(books: Books, request: Request, pool: TopologyPool) -> CpuSet:
    """The CPUs of its own. Raises TooFewCpus where the pool cannot spare them."""
    supply, allocatable = books.supplies[pool.id], books.allocatable[pool.id]
    if request.isolate and len(supply.isolated) >= request.full:
        source, left = supply.isolated, allocatable
    else:
        source, left = sliceable(books, pool), allocatable - 1000 * request.full
        if left < 0 or len(source) < request.full:
            raise _lack(
                f"{pool.name}: can't slice {request.full} exclusive CPUs from {source},"
                f" {allocatable}m available",
                request,
            )
    if left < request.millis:
        raise _lack(
            f"{pool.name}: not enough {request.millis}m sharable CPU, {left}m available", request
        )
    return _by_hints(books, request, source) or allocate(
        books.setting.topology, source, request.full, request.priority
    )


def sliceable(books: Books, pool: TopologyPool) -> CpuSet:
    """The CPUs that can become somebody's own without taking from what a pool below has granted."""
    found = NO_CPUS
    for number in pool.below or (pool.id,):
        sharable = books.supplies[number].sharable
        spare = max(books.allocatable[number] // 1000, 0)
        found = found | allocate(books.setting.topology, sharable, spare)
    return found


def _by_hints(books: Books, request: Request, source: CpuSet) -> CpuSet:
    """As many CPUs near each hint, where they are to be picked by hints; none where that fails."""
    hints = pod_resource_hints(request.ask) if request.ask.intent.hints.pick else ()
    if not 0 < len(hints) <= request.full:
        return NO_CPUS
    each, rest = divmod(request.full, len(hints))
    each = each if not rest else 1
    topology, machine = books.setting.topology, books.setting.machine
    picked = NO_CPUS
    try:
        for hint in hints:
            near = (source - picked) & cpus_of(machine, hint)
            picked = picked | allocate(topology, near, each, request.priority)
        missing = request.full - len(picked)
        return picked | allocate(topology, source - picked, missing, request.priority)
    except HomenodeProblem:
        return NO_CPUS


def _check(books: Books, request: Request, taken: Taken) -> None:
    setting, ask = books.setting, request.ask
    isolated = setting.capacities[taken.pool.id].isolated & taken.exclusive
    if request.isolate:
        check_isolated(ask, isolated, request.full)
    part = taken.kind if request.millis else ""
    check_hints(
        setting,
        ask,
        taken.memory.memory_zones[ask.container_id],
        exclusive=taken.exclusive,
        shared=books.supplies[taken.pool.id].sharable - taken.exclusive
        if part == NORMAL
        else NO_CPUS,
        reserved=setting.reserved if part == RESERVED else NO_CPUS,
    )


def _lack(why: str, request: Request) -> TooFewCpus:
    return TooFewCpus(
        "cpu",
        f"{request.ask.cpu_request}m",
        why,
        "ask for fewer CPUs, or free some on this node",
    )
