# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each pool would suit a request: what would be left, and what comes with it.

Out of scope: which of these figures count more (``rules``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from homenode.pinning.cpus.priority import NONE
from model.cpuset import NO_NODES

from .books import Books
from .hints import hint_scores
from .offers import MemoryOffers
from .pools import TopologyPool
from .request import Request


@dataclass(frozen=True)
class Score:
    """One pool for one request; CPU in thousandths, *isolated* in CPUs, both may be below 0.

    *allocatable* is before the grant, *shared* and *isolated* after it. *priority_room* is what is
    left of the CPUs of the wanted priority. *hinted* is the product of the scores for all hints,
    *hinted_met* that of those which are met at all. *memory_nodes* counts those that it would get,
    0 for none; *memory_capacity*, in bytes, is that of the wanted types in the pool.
    """

    pool: TopologyPool
    allocatable: int
    shared: int
    isolated: int
    priority_room: int
    colocated: int
    affinity: float
    hinted: float
    hinted_met: float
    memory_nodes: int
    memory_matches: bool
    memory_capacity: int


def scores_of(
    books: Books, request: Request, offers: MemoryOffers, affinity: Optional[Sequence[float]]
) -> list[Score]:
    """By pool; *affinity* is what ``affinity_scores`` found."""
    setting = books.setting
    millis = request.millis or (0 if request.full else 1)
    hinted = hint_scores(setting.machine, setting.tree, request.ask.hints)
    wanted = None
    if request.priority != NONE:
        wanted = setting.priority_cpus[request.priority]
    found = []
    for pool, supply in zip(setting.tree.pools, books.supplies):
        offer = offers.of(pool)
        memory_zone = offer.memory_zone if offer else NO_NODES
        isolated = len(supply.isolated) - request.full if request.isolate else 0
        sliced = request.full if isolated < 0 or not request.isolate else 0
        allocatable = books.allocatable[pool.id]
        room = 0
        if wanted is not None:
            room = 1000 * (len(wanted & supply.sharable) - request.full) - millis
        found.append(
            Score(
                pool=pool,
                allocatable=allocatable,
                shared=allocatable - 1000 * sliced - millis,
                isolated=isolated,
                priority_room=room,
                colocated=supply.normal_grants,
                affinity=affinity[pool.id] if affinity else 0.0,
                hinted=hinted[pool.id][0],
                hinted_met=hinted[pool.id][1],
                memory_nodes=len(memory_zone),
                memory_matches=setting.layout.types_of(memory_zone) == request.memory_types,
                memory_capacity=setting.layout.capacity(pool.memory(request.memory_types)),
            )
        )
    return found
