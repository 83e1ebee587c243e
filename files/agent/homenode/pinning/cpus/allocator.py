# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs of a set to take, and which to keep: one pass after the other, coarse to fine.

The rules, and so the choices, are those of nri-plugins' CPU allocator, except where it does not
do what it says it does: see ``cache_groups``. Pure and deterministic: no choice depends on an
earlier one. Out of scope: which CPUs may be taken at all.
"""

from __future__ import annotations

from model.cpuset import CpuSet
from model.problem import HomenodeProblem

from .caches import parts_of_cache_groups
from .clusters import idle_clusters
from .draft import Draft
from .priority import NONE
from .topology import CpuTopology
from .whole_elements import idle_cores, idle_packages, idle_threads

PASSES = (idle_packages, idle_clusters, parts_of_cache_groups, idle_cores, idle_threads)


def allocate(topology: CpuTopology, source: CpuSet, count: int, priority: str = NONE) -> CpuSet:
    """*count* CPUs out of *source*, those that sit together best.

    *priority* is one of ``priority.PRIORITIES`` or NONE, "nothing is preferred". Raises
    HomenodeProblem where *source* has fewer than *count* CPUs that are online.
    """
    usable = source & topology.online
    if len(usable) < count:
        raise HomenodeProblem(
            "cpus",
            str(source),
            f"not enough CPUs: {str(usable)!r} does not have {count} CPUs",
            "ask for fewer CPUs, or free some",
        )
    if len(usable) == count:
        return usable
    draft = Draft(topology, priority, usable, count)
    for take in PASSES:
        if draft.missing > 0:
            draft = take(draft)
    return draft.taken


def keep(topology: CpuTopology, source: CpuSet, count: int, priority: str = NONE) -> CpuSet:
    """The *count* CPUs of *source* to keep when the others are given back: the best ones.

    Raises HomenodeProblem where *source* has fewer than *count* CPUs that are online.
    """
    return allocate(topology, source, count, priority)
