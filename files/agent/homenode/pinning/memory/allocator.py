# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Book memory, release it, widen what is booked: books in, books out.

Out of scope: making room where too much is booked (``overcommit``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from homenode.intent.tenant import MEMORY_TYPES
from model.cpuset import NodeSet
from model.problem import HomenodeProblem

from .books import Draft, MemoryBooks, Request
from .layout import MemoryLayout
from .overcommit import NoMemory, make_room

__all__ = ["Allocation", "NoMemory", "allocate", "free", "grow", "hold", "release"]


class Allocation(NamedTuple):
    """The next books, the zone of the request, and the new zones of others by request id."""

    books: MemoryBooks
    memory_zone: NodeSet
    moved: Mapping[str, NodeSet] = MappingProxyType({})


def allocate(layout: MemoryLayout, books: MemoryBooks, request: Request) -> Allocation:
    """Book *request* near its affinity, moving others where it has to.

    Raises NoMemory where it cannot be had, HomenodeProblem where its id is booked already.
    """
    if request.id in books.requests:
        raise HomenodeProblem("memory request", request.id, "is booked already", "release it first")
    if not request.affinity or not request.affinity <= layout.numa_nodes:
        raise _none(request, "its affinity is to no NUMA node of the machine")
    settled = replace(request, types=_settled_types(layout, request))
    return _settle(layout, books, *_with_normal_memory(layout, settled, _first(layout, settled)))


def grow(
    layout: MemoryLayout,
    books: MemoryBooks,
    request_id: str,
    numa_nodes: NodeSet,
    types: Collection[str] = (),
) -> Allocation:
    """Widen a request's zone by those of *numa_nodes* that are of *types* and by the closest more.

    Without *types* those of *numa_nodes* count. A zone that has it all already stays as it is.
    Raises NoMemory where there is nothing to widen by (upstream: even if only the closest more are
    missing) or no room, KeyError for an id that is not booked.
    """
    request, memory_zone = books.requests[request_id], books.memory_zones[request_id]
    wanted = frozenset(types)
    has_types = not wanted or wanted <= layout.types_of(memory_zone)
    if has_types and numa_nodes <= memory_zone:
        return Allocation(books, memory_zone)
    if request.affinity == numa_nodes and request.wanted == wanted:
        return Allocation(books, memory_zone)
    if wanted:
        numa_nodes = numa_nodes & layout.nodes_of(wanted)
    else:
        wanted = layout.types_of(numa_nodes)
    added = layout.expand(memory_zone | numa_nodes, wanted)
    if not added:
        raise _none(request, f"failed to reallocate, can't find new {_names(wanted)} nodes")
    grown = replace(request, types=request.wanted | layout.types_of(added))
    return _settle(layout, books, grown, memory_zone | numa_nodes | added)


def hold(books: MemoryBooks, request: Request, memory_zone: NodeSet) -> MemoryBooks:
    """Book *request* in exactly *memory_zone*, whatever else is booked there: it runs there now."""
    draft = Draft(books)
    draft.book(request, memory_zone)
    return draft.books()


def release(books: MemoryBooks, request_id: str) -> MemoryBooks:
    """Take a request out; an id that is not booked changes nothing. Nobody moves back."""
    if request_id not in books.requests:
        return books
    draft = Draft(books)
    draft.remove(request_id)
    return draft.books()


def free(layout: MemoryLayout, books: MemoryBooks, memory_zone: NodeSet) -> int:
    """Bytes of *memory_zone* that nobody inside it has; negative where it is overcommitted."""
    return layout.capacity(memory_zone) - books.usage(memory_zone)


def _settle(
    layout: MemoryLayout, books: MemoryBooks, request: Request, memory_zone: NodeSet
) -> Allocation:
    """The allocation after *request* was booked in *memory_zone* and room was made."""
    draft = Draft(books)
    draft.book(request, memory_zone)
    others = make_room(layout, draft, memory_zone) - {request.id}
    moved = {other: draft.memory_zones[other] for other in sorted(others)}
    return Allocation(draft.books(), draft.memory_zones[request.id], moved)


def _settled_types(layout: MemoryLayout, request: Request) -> frozenset[str]:
    """The types that the request will be judged by from now on."""
    missing = request.wanted - layout.available_types
    if missing and request.strict:
        raise _none(request, f"unavailable types requested ({_names(missing)})")
    return request.wanted - missing or layout.types_of(request.affinity)


def _first(layout: MemoryLayout, request: Request) -> NodeSet:
    """The affinity, with the closest NUMA nodes of types that it lacks, without those unwanted."""
    wanted = request.wanted
    lacking = wanted - layout.types_of(request.affinity)
    memory_zone = request.affinity | layout.expand(request.affinity, lacking)
    preferred = memory_zone & layout.nodes_of(wanted)
    if not request.strict:
        return preferred or memory_zone
    lacking = wanted - layout.types_of(preferred)
    if lacking:
        raise _none(request, f"no initial nodes of type {_names(lacking)}")
    return preferred


def _with_normal_memory(
    layout: MemoryLayout, request: Request, memory_zone: NodeSet
) -> tuple[Request, NodeSet]:
    """The zone widened until it has memory that is not movable-only, which the kernel needs."""
    if memory_zone & layout.normal:
        return request, memory_zone
    have = layout.types_of(layout.normal)
    types = request.wanted & have
    if not types and not request.strict:
        types = frozenset([each for each in MEMORY_TYPES if each in have][:1])
    while not memory_zone & layout.normal:
        added = layout.expand(memory_zone, types)
        if not added:
            raise _none(request, f"no normal memory (of any type {_names(types)})")
        memory_zone = memory_zone | added
    return replace(request, types=request.wanted | types), memory_zone


def _names(types: Collection[str]) -> str:
    return ",".join(sorted(types))


def _none(request: Request, why: str) -> NoMemory:
    return NoMemory(
        "memory request", request.id, why, "ask for memory types and NUMA nodes that there are"
    )
