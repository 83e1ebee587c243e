# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The read-back thread: what the cgroups really say, and a second try where an answer was lost.

Reading 200 containers costs 400 small reads per round. Out of scope: judging a difference, which
the loop does when it gets the fact.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Callable

from homenode.linux.cgroup import CgroupTree
from homenode.world.world import World
from model.cgroup_path import cgroup_path
from model.events import CgroupRead, ContainerUpdate
from model.problem import Problem
from model.workload import NOT_OURS

Tell = Callable[[CgroupRead], None]
Update = Callable[[Sequence[ContainerUpdate]], dict[str, Problem]]


def read_cgroups(tree: CgroupTree, world: World) -> list[CgroupRead]:
    """The cpuset of every container whose cgroup can be read."""
    found = []
    for container in world.containers.values():
        path = cgroup_path(container.cgroups_path)
        placement = None if path is None else tree.placement(path)
        if placement is not None:
            found.append(CgroupRead(container.id, placement))
    return found


def not_applied(world: World, seen: Sequence[CgroupRead]) -> list[ContainerUpdate]:
    """Grants that no cgroup confirms: those that differ, and those that cannot be read."""
    observed = {fact.container_id: fact.placement for fact in seen}
    updates = []
    for grant in world.ledger.grants.values():
        actual = observed.get(grant.container_id)
        wanted = grant.placement
        same = actual is not None and (
            wanted.cpus in (None, actual.cpus) and wanted.mems in (None, actual.mems)
        )
        if wanted != NOT_OURS and not same:
            updates.append(ContainerUpdate(grant.container_id, wanted))
    return updates


class ReadBack:
    """Reads every *period* seconds, and soon after ``wake``; after ``repair`` it also applies."""

    def __init__(
        self,
        tree: CgroupTree,
        world: Callable[[], World],
        tell: Tell,
        update: Update,
        *,
        period: float = 10.0,
        settle: float = 1.0,
    ) -> None:
        self._tree = tree
        self._world = world
        self._tell = tell
        self._update = update
        self._period = period
        self._settle = settle
        self._due = threading.Event()
        self._repair = False

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
                self._round()

    def _round(self) -> None:
        world = self._world()
        seen = read_cgroups(self._tree, world)
        if self._repair:
            self._repair = False
            updates = not_applied(world, seen)
            if updates:
                self._update(updates)
            return
        for fact in seen:
            if world.observed.get(fact.container_id) != fact.placement:
                self._tell(fact)
