# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass that takes whole clusters, on machines with performance and efficiency cores.

Source: nri-plugins' CPU allocator. Out of scope: machines with one kind of cores, where clusters
tell no more than caches do.
"""

from __future__ import annotations

from collections import Counter

from .draft import Draft
from .groups import CpuGroup
from .priority import LOW


def of_wanted_kind(draft: Draft, group: CpuGroup) -> bool:
    """Where cores differ: efficiency cores for low priority, performance cores for all others."""
    return not draft.topology.has_core_kinds or group.efficient == (draft.priority == LOW)


def idle_clusters(draft: Draft) -> Draft:
    """Clusters that are free as a whole, until the next one is larger than what is missing.

    First the tightest cluster that satisfies alone, then those of the tightest such die, then of
    the tightest such package. If the first is too large, none is taken.
    """
    if not draft.topology.has_core_kinds:
        return draft
    idle = [
        (place, group)
        for place, group in enumerate(draft.topology.clusters)
        if of_wanted_kind(draft, group) and group.cpus <= draft.free
    ]
    dies: Counter[tuple[int, int]] = Counter()
    packages: Counter[int] = Counter()
    for _place, group in idle:
        dies[group.package, group.die] += len(group.cpus)
        packages[group.package] += len(group.cpus)

    def order(item: tuple[int, CpuGroup]) -> tuple[int, int, int]:
        place, group = item
        sizes = len(group.cpus), dies[group.package, group.die], packages[group.package]
        for preference, size in enumerate(sizes):
            if size >= missing:
                return preference, size, place
        return len(sizes), 0, place

    missing = draft.missing
    for _place, group in sorted(idle, key=order):
        if len(group.cpus) > draft.missing:
            break
        draft = draft.take(group.cpus)
    return draft
