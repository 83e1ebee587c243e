# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One event's bookings, one after the other: the world after them, and what has to be told.

The policy keeps its books and the ledger what everybody was granted; both change here and nowhere
else. Out of scope: which bookings an event asks for (``step``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from homenode.pinning.policy import Ask, Outcome, Placed, Policy
from homenode.world.ledger import Grant
from homenode.world.record import Record
from homenode.world.world import World
from model.cpuset import CpuSet
from model.events import ContainerUpdate
from model.problem import Problem
from model.settings import NO_SETTINGS
from model.workload import NOT_OURS, Container, Placement

from .given import narrows, to_policy
from .settings import changed_settings


class Turn:
    """*world* is the one so far, *updates* and *records* what has to be told of it.

    Only for a world with a policy; a method that asks the policy raises what the policy raises,
    and has booked nothing then.
    """

    def __init__(self, world: World, now: float) -> None:
        self.policy: Policy = world.policy
        books = self.policy.start() if world.books is None else world.books
        self.world = replace(world, books=books)
        self.updates: dict[str, ContainerUpdate] = {}
        self.records: list[Record] = []
        self._now = now

    def place(self, container: Container, ask: Ask, kind: str, before: Placement) -> Placed:
        """Place *container*, whose cpuset was *before*, and record it as *kind*."""
        outcome = self.policy.place(self.world.books, to_policy(self.world, ask))
        return self._own(outcome, container, ask, kind, before)

    def resize(self, container: Container, ask: Ask, before: Placement) -> Placed:
        """Place *container* anew because its resources changed."""
        return self._own(
            self.policy.resize(self.world.books, ask), container, ask, "placed", before
        )

    def release(self, container_id: str, name: str, reason: str) -> None:
        """Take a container out, where it is in."""
        grant = self.world.ledger.get(container_id)
        if grant is None:
            return
        outcome = self.policy.release(self.world.books, container_id)
        ledger = self.world.ledger.without({container_id})
        self.world = replace(self.world, ledger=ledger)
        self.updates.pop(container_id, None)
        was = grant.placement
        self.record("released", name, reason, was, NOT_OURS, container_id)
        self.book(outcome)

    def problems(self, container_id: str, found: tuple[Problem, ...]) -> None:
        """What is wrong with what a container asks for, instead of what was before."""
        before = self.world.problems.get(container_id, ())
        now = found + tuple(problem for problem in before if problem.source == "cgroup")
        if now != before:
            self.world = replace(self.world, problems={**self.world.problems, container_id: now})

    def record(
        self,
        kind: str,
        name: str,
        reason: str,
        before: Placement,
        after: Placement,
        container_id: str = "",
        containers: int = 1,
    ) -> None:
        """One line for the journal."""
        line = Record(self._now, kind, name, reason, before, after, container_id, containers)
        self.records.append(line)

    def _narrowed(self, placed: Placed, given: Placement) -> Placed:
        """Within the CPUs that the kubelet gave, where the operator wants that."""
        cpus = placed.placement.cpus
        if not given.cpus or cpus is None or not narrows(self.world):
            return placed
        both = Placement(cpus & given.cpus or given.cpus, placed.placement.mems)
        return placed.at(both)

    def _own(
        self, outcome: Outcome, container: Container, ask: Ask, kind: str, before: Placement
    ) -> Placed:
        placed = outcome.placed
        assert placed is not None, "a policy places whom it is asked for"
        placed = self._narrowed(placed, ask.given)
        asked_shares = container.resources.shares
        grant = Grant(
            container.id, container.pod_id, container.name, placed, asked_shares, ask.given
        )
        self.world = replace(self.world, ledger=self.world.ledger.with_grants([grant]))
        self.problems(container.id, ask.intent.problems)
        if kind:
            name = self.world.full_name(container)
            after = placed.placement
            self.record(kind, name, placed.decision.reason, before, after, container.id)
        self.book(outcome)
        return placed

    def book(self, outcome: Outcome) -> None:
        """Take over the books, and tell everybody whose placement or settings changed."""
        self.world = replace(self.world, books=outcome.books)
        self.book_changed(outcome.changed)

    def book_changed(self, changed: Mapping[str, Placed]) -> None:
        """Tell everybody of *changed*, and give them what they have now."""
        held = self.world.ledger.grants
        grants: list[Grant] = []
        groups: dict[tuple[str, Optional[CpuSet]], list[Grant]] = {}
        for key, told in changed.items():
            grant = held.get(key)
            if grant is None:
                continue
            was = grant.placed
            placed = self._narrowed(told, grant.given) if grant.given.cpus else told
            grants.append(Grant(*grant[:3], placed, *grant[4:]))
            now, before = placed.placement, was.placement
            settings = changed_settings(was, placed)
            same = now.cpus == before.cpus and now.mems == before.mems
            if not same or settings is not NO_SETTINGS:
                self.updates[key] = ContainerUpdate(key, now, settings)
                groups.setdefault((placed.place, now.cpus), []).append(grant)
        if grants:
            self.world = replace(self.world, ledger=self.world.ledger.with_grants(grants))
        for (place, _cpus), members in groups.items():
            first = members[0]
            after = self.updates[first.container_id].placement
            who, what = f"({place or 'shared'})", f"of {place}" if place else "that nobody owns"
            reason = f"the CPUs {what} changed"
            self.record("resized", who, reason, first.placement, after, "", len(members))
