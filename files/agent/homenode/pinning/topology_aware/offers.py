# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory that a container would get with each pool: an offer, or none.

Out of scope: the allocator itself (``pinning.memory``).
"""

from __future__ import annotations

from typing import Optional, Union

from homenode.pinning.memory.allocator import Allocation, NoMemory, allocate
from homenode.pinning.memory.books import BEST_EFFORT, BURSTABLE, GUARANTEED, MemoryBooks
from homenode.pinning.memory.books import Request as MemoryRequest
from model import workload
from model.cpuset import NO_NODES, NodeSet

from .hints import pod_resource_hints
from .pools import TopologyPool
from .request import Request
from .setting import Setting

PRIORITIES = {
    workload.GUARANTEED: GUARANTEED,
    workload.BURSTABLE: BURSTABLE,
    workload.BEST_EFFORT: BEST_EFFORT,
}


class MemoryOffers:
    """What one request would get out of *books*; pools with the same memory get the same offer."""

    def __init__(self, setting: Setting, books: MemoryBooks, request: Request) -> None:
        self._setting = setting
        self._books = books
        self._request = request
        self._offers: dict[NodeSet, Union[Allocation, NoMemory]] = {}

    def of(self, pool: TopologyPool) -> Optional[Allocation]:
        """What comes with *pool*; None where it has no such memory, or no room."""
        found = self._find(pool)
        return found if isinstance(found, Allocation) else None

    def demand(self, pool: TopologyPool) -> Allocation:
        """What comes with *pool*. Raises NoMemory."""
        found = self._find(pool)
        if isinstance(found, NoMemory):
            raise found
        return found

    def _find(self, pool: TopologyPool) -> Union[Allocation, NoMemory]:
        hinted = self._hinted(pool)
        if hinted:
            found = self._near_to(hinted)
            if isinstance(found, Allocation):
                return found
        return self._near_to(self._near(pool))

    def _near_to(self, affinity: NodeSet) -> Union[Allocation, NoMemory]:
        found = self._offers.get(affinity)
        if found is None:
            request = memory_request(self._request, affinity)
            try:
                found = allocate(self._setting.layout, self._books, request)
            except NoMemory as problem:
                found = problem
            self._offers[affinity] = found
        return found

    def _near(self, pool: TopologyPool) -> NodeSet:
        if self._request.ask.intent.preserve_memory:
            return self._setting.layout.with_memory
        return pool.memory(self._request.memory_types)

    def _hinted(self, pool: TopologyPool) -> NodeSet:
        """The NUMA nodes of the hints, where they are to be picked and have just what is asked."""
        request = self._request
        if not request.ask.intent.hints.pick or request.ask.intent.preserve_memory:
            return NO_NODES
        found = NO_NODES
        for hint in pod_resource_hints(request.ask):
            found = found | hint.nodes
        fits = found <= self._near(pool)
        fits = fits and self._setting.layout.types_of(found) == request.memory_types
        return found if fits else NO_NODES


def memory_request(request: Request, affinity: NodeSet) -> MemoryRequest:
    """What to book for *request* near *affinity*."""
    ask = request.ask
    return MemoryRequest(
        id=ask.container_id,
        size=request.amount,
        affinity=affinity,
        types=request.memory_types or None,
        priority=PRIORITIES.get(ask.qos_class, BEST_EFFORT),
        order=ask.order,
    )
