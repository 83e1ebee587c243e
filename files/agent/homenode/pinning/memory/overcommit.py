# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Room in overcommitted memory zones: requests of low priority move to wider zones.

Out of scope: which zone a new request starts with (``allocator``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cmp_to_key

from homenode.intent.tenant import MEMORY_TYPES
from model.cpuset import NodeSet
from model.problem import HomenodeProblem

from .books import BURSTABLE, GUARANTEED, PRESERVED, Draft, Request
from .layout import MemoryLayout

PRIORITY_LIMITS = (BURSTABLE, GUARANTEED, PRESERVED)
"""Whoever has at most the first may be moved; if that is not enough, the second, then the third."""


class NoMemory(HomenodeProblem):
    """A request cannot be had, or not without overcommitting a zone."""


def make_room(layout: MemoryLayout, draft: Draft, memory_zone: NodeSet) -> set[str]:
    """Move requests until no zone that shares a NUMA node with *memory_zone* is overcommitted.

    Returns the ids of those that moved. Raises NoMemory where that is not possible.
    """
    spills = overcommitted(layout, draft, memory_zone)
    widenings = _widenings(layout) if spills else ()
    everybody: set[str] = set()
    while spills:
        moved: set[str] = set()
        for limit in PRIORITY_LIMITS:
            for extra in widenings:
                for zone in _in_order(draft, spills):
                    moved |= _shrink(layout, draft, zone, spills[zone], limit, extra)
                spills = overcommitted(layout, draft, memory_zone)
                if not spills:
                    return everybody | moved
        if not moved:
            raise _overcommit(spills)
        everybody |= moved
    return everybody


def overcommitted(
    layout: MemoryLayout, draft: Draft, memory_zone: NodeSet
) -> Mapping[NodeSet, int]:
    """The overcommitted zones that share a NUMA node with *memory_zone*: by how many bytes."""
    return {
        zone: use.usage - layout.capacity(zone)
        for zone, use in draft.uses.items()
        if zone & memory_zone and use.usage > layout.capacity(zone)
    }


def _widenings(layout: MemoryLayout) -> tuple[frozenset[str], ...]:
    """The types to widen a zone by besides its own: none, then one more of the machine's each."""
    types = [each for each in MEMORY_TYPES if each in layout.available_types]
    return tuple(frozenset(types[:count]) for count in range(len(types) + 1))


def _shrink(
    layout: MemoryLayout,
    draft: Draft,
    memory_zone: NodeSet,
    amount: int,
    limit: int,
    extra: frozenset[str],
) -> set[str]:
    """Move requests of *memory_zone* to a wider one until *amount* bytes went; the moved ids."""
    types = layout.types_of(memory_zone)
    added = layout.expand(memory_zone, types | extra)
    if not added:
        return set()
    wider_types = types | layout.types_of(added)
    moved = set()
    for request in _movable(draft, memory_zone, limit):
        if amount <= 0:
            break
        if not request.strict or request.types == wider_types:
            draft.book(request, memory_zone | added)
            moved.add(request.id)
            amount -= request.size
    return moved


def _movable(draft: Draft, memory_zone: NodeSet, limit: int) -> list[Request]:
    """The requests of exactly this zone, in the order to move them.

    Small ones first: upstream says the opposite in a comment, and does this.
    """
    users = (
        draft.requests[request_id]
        for request_id, zone in draft.memory_zones.items()
        if zone == memory_zone
    )
    return sorted(
        (request for request in users if request.priority <= limit),
        key=lambda request: (request.priority, request.size, -request.order),
    )


def _in_order(draft: Draft, spills: Mapping[NodeSet, int]) -> list[NodeSet]:
    """Most users first; a zone before one around it; then the larger one, then higher ids."""

    def compare(one: NodeSet, other: NodeSet) -> int:
        users = draft.uses[other].users - draft.uses[one].users
        if users:
            return users
        if one <= other or other <= one:
            return -1 if one <= other else 1
        return len(other) - len(one) or (-1 if tuple(one)[::-1] > tuple(other)[::-1] else 1)

    return sorted(sorted(spills, key=tuple), key=cmp_to_key(compare))


def _overcommit(spills: Mapping[NodeSet, int]) -> NoMemory:
    zones = ",".join(sorted(f"nodes{{{zone}}}" for zone in spills))
    total = sum(spills.values())
    return NoMemory(
        "memory",
        zones,
        f"failed to resolve overcommit, zones {zones} overcommit by {_readable(total)}",
        "lower the memory requests or limits, or take pods off the machine",
    )


def _readable(size: int) -> str:
    """Bytes in upstream's words: 1536 is "1.5k"."""
    for power, suffix in enumerate("kMGT", 1):
        unit = 1 << (10 * power)
        if unit <= size < unit << 10:
            whole, rest = divmod(size, unit)
            return f"{size / unit:.3f}".rstrip("0") + suffix if rest else f"{whole}{suffix}"
    return str(size)
