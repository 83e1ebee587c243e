# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container must have been granted, made out from what it holds now and what it asks for.

For when nothing is remembered of it. Its CPUs are its own where it holds as many as it asks for and
nobody else does; its pool is the smallest that fits. Out of scope: whoever is remembered
(``adopt``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Optional

from homenode.pinning.cpus.allocator import allocate
from homenode.pinning.policy import Ask, Held
from model.cpuset import NO_CPUS, NO_NODES, CpuSet

from .books import KUBELETS, NORMAL, PRESERVED, RESERVED, Books
from .request import Request
from .setting import Setting


class Holders(NamedTuple):
    """The CPUs that *anybody* holds, and those that one container *alone* does."""

    anybody: CpuSet
    alone: CpuSet


def holders(held: Iterable[Held]) -> Holders:
    """Of all CPUs."""
    once = twice = NO_CPUS
    for one in held:
        cpus = one.placement.cpus or NO_CPUS
        twice, once = twice | (once & cpus), once | cpus
    return Holders(once, once - twice)


def own_cpus(setting: Setting, one: Held, request: Request, holding: Holders) -> CpuSet:
    """The CPUs of its own; none where it has none, whatever it asks for."""
    if request.kind == KUBELETS:
        given = request.ask.given.cpus or NO_CPUS
        return given if request.ask.cpu_request == 1000 * len(given) else NO_CPUS
    live = one.placement.cpus or NO_CPUS
    known = one.before.exclusive if one.before is not None else NO_CPUS
    if known and len(known) == request.full and visible(setting, one.ask, known) <= live:
        return known
    if request.kind != NORMAL or not request.full:
        return NO_CPUS
    mine = live & holding.alone
    if request.ask.intent.hide_hyperthreads and len(mine) < request.full:
        hidden = _siblings(setting, mine) - holding.anybody
        mine = mine | hidden.lowest(request.full - len(mine))
    if len(mine) == request.full and (request.millis or live <= mine):
        return mine
    if len(mine) > request.full and request.millis:
        return allocate(setting.topology, mine, request.full)
    return NO_CPUS


def visible(setting: Setting, ask: Ask, cpus: CpuSet) -> CpuSet:
    """What of *cpus* its set has: one thread of each core, where it wants the others hidden."""
    return setting.topology.single_threads(cpus) if ask.intent.hide_hyperthreads else cpus


def _siblings(setting: Setting, cpus: CpuSet) -> CpuSet:
    found = NO_CPUS
    for cpu in cpus & setting.topology.online:
        found = found | setting.topology.core_of(cpu)
    return found & setting.allowed


def kind_of(setting: Setting, one: Held, request: Request) -> str:
    """Which kind of CPUs it has; who asks for reserved ones may have got others."""
    live = one.placement.cpus or NO_CPUS
    if request.kind == RESERVED and live - setting.reserved:
        return NORMAL
    return request.kind


def pool_of(books: Books, one: Held, kind: str, own: CpuSet) -> int:
    """The id of the pool that it must be in."""
    pools = books.setting.tree.pools
    if kind in (RESERVED, PRESERVED):
        return pools[-1].id
    if one.before is not None and one.before.place in books.setting.tree.ids:
        return books.setting.tree.ids[one.before.place]
    live, mems = one.placement.cpus or NO_CPUS, one.placement.mems or NO_NODES
    fitting = [pool.id for pool in pools if (own or live) <= pool.cpus]
    with_memory = [
        number for number in fitting if mems <= pools[number].memory(pools[number].memory_types)
    ]
    sharing: Iterable[int] = ()
    if not own:
        sharing = (
            number
            for number in (*with_memory, *fitting)
            if visible(books.setting, one.ask, books.shared_cpus[number]) == live
        )
    found: Optional[int] = next(iter((*sharing, *with_memory, *fitting)), None)
    return pools[-1].id if found is None else found
