# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is booked in which memory zone, and how much of every zone that makes.

Out of scope: how much a zone holds, and which one a request should get (``allocator``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from model.cpuset import NodeSet

BEST_EFFORT, BURSTABLE, GUARANTEED = 0, 1024, 16384
PRESERVED = 32766
"""Above all containers: moves only if nothing else helps."""
RESERVATION = 32767
"""Never moves."""


@dataclass(frozen=True)
class Request:
    """*size* bytes of memory near *affinity*, of *types*; None is "of the affinity's types".

    A *strict* request gets those types and no others. Of two with the same *priority* and size the
    younger one, of the larger *order*, moves first.
    """

    id: str
    size: int
    affinity: NodeSet
    types: Optional[frozenset[str]] = None
    strict: bool = False
    priority: int = BEST_EFFORT
    order: int = 0

    @property
    def wanted(self) -> frozenset[str]:
        """Its types; the empty set where it names none."""
        return self.types or frozenset()


@dataclass(frozen=True)
class ZoneUse:
    """How many requests are booked in exactly one zone, and their bytes.

    *usage* adds the bytes of those whose zone lies inside it.
    """

    users: int = 0
    size: int = 0
    usage: int = 0


@dataclass(frozen=True)
class MemoryBooks:
    """*requests* and their *memory_zones* by request id, and every zone's *uses*."""

    requests: Mapping[str, Request] = field(default_factory=dict)
    memory_zones: Mapping[str, NodeSet] = field(default_factory=dict)
    uses: Mapping[NodeSet, ZoneUse] = field(default_factory=dict)

    def usage(self, memory_zone: NodeSet) -> int:
        """Bytes booked in zones inside this one."""
        return sum(use.size for inner, use in self.uses.items() if inner <= memory_zone)


class Draft:
    """Books while an operation changes them. A zone that was left empty stays until ``books``."""

    def __init__(self, books: MemoryBooks) -> None:
        self.requests = dict(books.requests)
        self.memory_zones = dict(books.memory_zones)
        self.uses = dict(books.uses)

    def book(self, request: Request, memory_zone: NodeSet) -> None:
        """Book *request* in a zone, and nowhere else."""
        self.remove(request.id)
        self.requests[request.id] = request
        self.memory_zones[request.id] = memory_zone
        if memory_zone not in self.uses:
            inside = sum(use.size for zone, use in self.uses.items() if zone <= memory_zone)
            self.uses[memory_zone] = ZoneUse(usage=inside)
        self._count(memory_zone, 1, request.size)

    def remove(self, request_id: str) -> None:
        """Take a request out; one that is not there changes nothing."""
        request = self.requests.pop(request_id, None)
        if request is not None:
            self._count(self.memory_zones.pop(request_id), -1, -request.size)

    def books(self) -> MemoryBooks:
        """The books as they are now."""
        uses = {zone: use for zone, use in self.uses.items() if use.users}
        return MemoryBooks(self.requests, self.memory_zones, uses)

    def _count(self, memory_zone: NodeSet, users: int, size: int) -> None:
        for zone, use in self.uses.items():
            if zone == memory_zone:
                self.uses[zone] = ZoneUse(use.users + users, use.size + size, use.usage + size)
            elif memory_zone <= zone:
                self.uses[zone] = ZoneUse(use.users, use.size, use.usage + size)
