# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass that takes CPUs by cache group, on machines whose dies have several.

Groups that are free as a whole are taken first, and the last of them is split; then those that
are in use already. Whatever is taken is of one package. Source: nri-plugins' CPU allocator; two
things are as its comments say and its code fails to: groups of equal size are looked for, and the
package is never left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from model.cpuset import CpuSet

from .clusters import of_wanted_kind
from .draft import Draft
from .groups import CpuGroup
from .whole_elements import idle_cores, idle_threads


@dataclass(frozen=True)
class Candidate:
    """A cache group with its *free* CPUs; *place* is its rank among all groups."""

    place: int
    group: CpuGroup
    free: CpuSet

    @property
    def die(self) -> tuple[int, int]:
        """Package and die."""
        return self.group.package, self.group.die


def parts_of_cache_groups(draft: Draft) -> Draft:
    """All missing CPUs out of the groups of one package, or the draft as it was.

    For a single CPU no group is opened.
    """
    groups = draft.topology.cache_groups
    if draft.missing < 2 or not groups:
        return draft
    found = [
        Candidate(place, group, free)
        for place, group in enumerate(groups)
        if of_wanted_kind(draft, group) and (free := group.cpus & draft.free)
    ]
    if not found:
        return draft
    idle = [one for one in found if one.free == one.group.cpus]
    used = [one for one in found if one.free != one.group.cpus]
    idle = _ordered_idle(idle, used, draft.missing, len(groups[0].cpus))
    used = _ordered_used(used, bool(idle) and draft.missing >= len(groups[0].cpus), draft.missing)
    package = (idle or used)[0].group.package
    idle = [one for one in idle if one.group.package == package]
    used = [one for one in used if one.group.package == package]
    if sum(len(one.free) for one in idle + used) < draft.missing:
        return draft
    for one in idle:
        draft = _take(draft, one.free)
    return _take_used(draft, used) if draft.missing else draft


def _take(draft: Draft, cpus: CpuSet) -> Draft:
    """All of *cpus*, or as many of them as are missing, by cores and threads."""
    if not draft.missing:
        return draft
    if len(cpus) <= draft.missing:
        return draft.take(cpus)
    inside = Draft(draft.topology, draft.priority, cpus, draft.missing)
    return draft.take(idle_threads(idle_cores(inside)).taken)


def _take_used(draft: Draft, used: list[Candidate]) -> Draft:
    """One group of exactly the missing size; else the fewest of one size; else large ones first.

    Several groups of a single CPU are not worth it.
    """
    by_size: dict[int, list[Candidate]] = {}
    for one in used:
        by_size.setdefault(len(one.free), []).append(one)
    fitting = [
        size
        for size, alike in by_size.items()
        if draft.missing % size == 0
        and draft.missing // size <= len(alike)
        and (size > 1 or draft.missing == 1)
    ]
    for one in by_size[max(fitting)] if fitting else used:
        draft = _take(draft, one.free)
    return draft


def _ordered_idle(
    idle: list[Candidate], used: list[Candidate], missing: int, size: int
) -> list[Candidate]:
    """First of the tightest die with all whole groups idle and the rest in groups in use.

    Then of such a package. Groups are taken to be all of one *size* here.
    """
    rest = missing % size
    whole = missing - rest
    idle_dies, idle_packages = _totals(idle)
    used_dies, used_packages = _totals(used)

    def order(one: Candidate) -> tuple[int, int, int, int]:
        places = (
            (idle_dies[one.die], used_dies[one.die]),
            (idle_packages[one.group.package], used_packages[one.group.package]),
        )
        for preference, (idle_cpus, used_cpus) in enumerate(places):
            if idle_cpus >= whole and used_cpus >= rest:
                return preference, idle_cpus, used_cpus, one.place
        return len(places), 0, 0, one.place

    return sorted(idle, key=order)


def _ordered_used(used: list[Candidate], beside_idle: bool, missing: int) -> list[Candidate]:
    """As they lie in the machine, *beside_idle* groups that are taken whole.

    Else the tightest die that suffices alone first, and the largest first in a die.
    """
    if beside_idle:
        return used
    dies, _packages = _totals(used)

    def order(one: Candidate) -> tuple[int, int, int, int]:
        elsewhere = dies[one.die] < missing
        return elsewhere, 0 if elsewhere else dies[one.die], -len(one.free), one.place

    return sorted(used, key=order)


def _totals(
    candidates: list[Candidate],
) -> tuple[Mapping[tuple[int, int], int], Mapping[int, int]]:
    """Free CPUs by die and by package; 0 for others."""
    dies: Counter[tuple[int, int]] = Counter()
    packages: Counter[int] = Counter()
    for one in candidates:
        dies[one.die] += len(one.free)
        packages[one.group.package] += len(one.free)
    return dies, packages
