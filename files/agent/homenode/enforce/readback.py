# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The read-back thread: what the cgroups really say, and a second try where an answer was lost.

Reading 200 containers costs 400 small reads per round. Out of scope: judging a difference, which
the loop does when it gets the fact.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Callable, Optional

from homenode.linux.cgroup import CgroupTree
from homenode.world.world import World
from model.cgroup_path import cgroup_path
from model.events import CgroupRead, ContainerUpdate, Reply
from model.problem import Problem
from model.workload import NOT_OURS, Container, Placement

APPLIED_WITHIN_S = 0.03
"""How long a runtime takes to apply one update of many, seconds: 18 ms are usual."""

Tell = Callable[[CgroupRead], Reply]
Update = Callable[[Sequence[ContainerUpdate]], dict[str, Problem]]


def read_cgroups(tree: CgroupTree, containers: Iterable[Container]) -> list[CgroupRead]:
    """The cpuset of every container whose cgroup can be read."""
    found = []
    for container in containers:
        path = cgroup_path(container.cgroups_path)
        placement = None if path is None else tree.placement(path)
        if placement is not None:
            found.append(CgroupRead(container.id, placement))
    return found


def not_applied(world: World, seen: Sequence[CgroupRead]) -> list[ContainerUpdate]:
    """Grants that no cgroup confirms: those that differ, and those that cannot be read."""
    observed = {fact.container_id: fact.placement for fact in seen}
    return [
        ContainerUpdate(grant.container_id, grant.placement)
        for grant in world.ledger.grants.values()
        if grant.placement != NOT_OURS
        and not _confirmed(grant.placement, observed.get(grant.container_id))
    ]


def _confirmed(wanted: Placement, seen: Optional[Placement]) -> bool:
    """Whether a cgroup shows all parts that are ours."""
    return (
        seen is not None and wanted.cpus in (None, seen.cpus) and wanted.mems in (None, seen.mems)
    )


def _is_news(world: World, fact: CgroupRead) -> bool:
    """Whether the loop does not know yet what this reading means, or may want to repair it."""
    if world.observed.get(fact.container_id) != fact.placement:
        return True
    grant = world.ledger.get(fact.container_id)
    if grant is None:
        return False
    problems = world.problems.get(fact.container_id, ())
    noted = any(problem.source == "cgroup" for problem in problems)
    differs = not _confirmed(grant.placement, fact.placement)
    return differs != noted or (differs and world.repairs_drift)


class ReadBack:
    """Reads every *period* seconds, and soon after ``wake``; after ``repair`` it also applies.

    A difference is told when the very grant has been there for long enough: until then the runtime
    may not have applied it yet, as it takes its time for each of an answer's updates. What the loop
    answers is what repairs it. *each_round* is called before each.
    """

    def __init__(
        self,
        tree: CgroupTree,
        world: Callable[[], World],
        tell: Tell,
        update: Update,
        *,
        each_round: Callable[[], None] = lambda: None,
        period: float = 10.0,
        settle: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tree = tree
        self._world = world
        self._tell = tell
        self._update = update
        self._each_round = each_round
        self._period = period
        self._settle = settle
        self._due = threading.Event()
        self._repair = False
        self._clock = clock
        self._granted: dict[str, tuple[Placement, float]] = {}

    def wake(self) -> None:
        """Something changed: read it back once the runtime had time to apply it."""
        self._due.set()

    def repair(self) -> None:
        """An answer did not reach the runtime: apply what no cgroup confirms."""
        self._repair = True
        self._due.set()

    def run(self, stop: threading.Event) -> None:
        """The thread's body; returns soon after *stop* and ``wake``."""
        while not stop.is_set():
            if self._due.wait(self._period):
                stop.wait(self._settle)
                self._due.clear()
            if not stop.is_set():
                self._each_round()
                self._round()

    def _round(self) -> None:
        world = self._world()
        seen = read_cgroups(self._tree, world.containers.values())
        if self._repair:
            self._repair = False
            self._apply(not_applied(world, seen))
            return
        now = self._clock()
        self._granted = {
            key: _since(self._granted.get(key), grant.placement, now)
            for key, grant in world.ledger.grants.items()
        }
        settled_at = now - self._settle - APPLIED_WITHIN_S * len(self._granted)
        repairs: list[ContainerUpdate] = []
        for fact in seen:
            wanted, since = self._granted.get(fact.container_id, (None, now))
            settled = since <= settled_at
            if not settled and not _confirmed(wanted or NOT_OURS, fact.placement):
                self._due.set()  # the runtime may be about to apply it: look again
            elif _is_news(world, fact):
                repairs += self._tell(replace(fact, granted=wanted)).updates
        if repairs:
            self._apply(repairs)
            self._due.set()  # look whether that helped

    def _apply(self, updates: Sequence[ContainerUpdate]) -> None:
        """One at a time, and each only while it is what is granted: meanwhile others decide too."""
        for update in updates:
            grant = self._world().ledger.get(update.container_id)
            if grant is not None and grant.placement is update.placement:
                self._update([update])


def _since(
    known: Optional[tuple[Placement, float]], granted: Placement, now: float
) -> tuple[Placement, float]:
    """What is granted, and since when it has been there."""
    return known if known is not None and known[0] is granted else (granted, now)
