# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one owner of the World: every fact goes through ``handle``, one at a time.

The world is a frozen value, so whoever only looks takes no lock. Out of scope: the threads that
call, and what becomes of the records.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Callable, Optional

from homenode.enforce.readback import read_cgroups
from homenode.enforce.undo import BeforeValue, UndoLog
from homenode.intent.config import PinningConfig
from homenode.linux.cgroup import CgroupTree
from homenode.loop import Reconfigured, reconfigure, step
from homenode.loop.cold_start import warm
from homenode.loop.rebalance import make_move
from homenode.pinning import NOTHING_AROUND, Surroundings
from homenode.world.adopt import current_placement
from homenode.world.record import Record
from homenode.world.world import World
from model.cgroup_path import cgroup_path
from model.events import (
    NO_CHANGE,
    CgroupRead,
    ContainerCreating,
    ContainerUpdate,
    Event,
    Reply,
    Synchronized,
)
from model.machine import Machine
from model.workload import NOT_OURS, Container, Placement, Pod

from .nearness import Nearness

Changed = Callable[[Sequence[Record]], None]


class Owner:
    """See the module; *changed* is called after each commit, with its records, outside the lock."""

    def __init__(
        self,
        world: World,
        tree: CgroupTree,
        undo: UndoLog,
        changed: Changed,
        nearness: Optional[Nearness] = None,
    ) -> None:
        self._world = world
        self._nearness = nearness
        self._tree = tree
        self._undo = undo
        self._changed = changed
        self._lock = threading.Lock()
        self._booked: Optional[Event] = None
        self.undo_error = ""

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self._world

    def handle(self, event: Event, deadline: float) -> Reply:
        """Decide about one event by *deadline* (monotonic seconds), or answer "no change".

        A decision that comes too late is not committed, so nothing is booked that nobody was told.
        """
        told = event
        if isinstance(event, Synchronized):
            event = self._with_cgroups(event)
        elif isinstance(event, ContainerCreating):
            event = replace(event, container=self._located(event.pod, event.container))
        if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return NO_CHANGE
        try:
            world, effects = step(self._world, event, time.time())
            if time.monotonic() > deadline:
                return NO_CHANGE
            self._remember(world, event, effects.reply)
            self._world = world
            if not isinstance(event, CgroupRead):
                self._booked = told
        finally:
            self._lock.release()
        self._changed(effects.records)
        return effects.reply

    def book_late(self, event: Event) -> None:
        """Book an event whose answer was late, unless it was booked in time and only told late.

        A creation can then be applied another way; an end that was not booked would keep CPUs for
        ever, and a synchronization would leave what runs unknown. *event* is the last that came
        from the runtime.
        """
        if event is not self._booked:
            self.handle(event, time.monotonic() + 60)

    def reconfigure(
        self,
        machine: Machine,
        pinning: Optional[PinningConfig],
        around: Surroundings = NOTHING_AROUND,
        *,
        dry: bool = False,
    ) -> Reconfigured:
        """Change machine or configuration, unless somebody is in the way or *dry* is asked.

        Tried without the lock first, so that creations do not wait for it. Whoever calls applies
        the answer's updates. Raises HomenodeProblem where the machine cannot satisfy *pinning*.
        """
        world = self._world
        tried = reconfigure(world, machine, pinning, time.time(), around)
        if dry or tried.obstacles:
            return tried
        with self._lock:
            if self._world is not world:
                tried = reconfigure(self._world, machine, pinning, time.time(), around)
            if tried.obstacles:
                return tried
            touched = [one.container_id for one in tried.effects.reply.updates]
            self._note(self._undo.remember(self._before_now(self._world, touched)))
            self._world = tried.world
        self._changed(tried.effects.records)
        return tried

    def move(self, container_id: str) -> tuple[ContainerUpdate, ...]:
        """Place a container again; whoever calls applies the updates. None where nothing changed.

        Its before-value is known already: only what we placed is moved.
        """
        with self._lock:
            world, effects = make_move(self._world, container_id, time.time())
            self._world = world
        self._changed(effects.records)
        return effects.reply.updates

    def warm(self, container_id: str) -> tuple[ContainerUpdate, ...]:
        """End a container's cold start; whoever calls applies the updates."""
        with self._lock:
            world, effects = warm(self._world, container_id, time.time())
            self._world = world
        self._changed(effects.records)
        return effects.reply.updates

    def still_there(self, timeout: float) -> bool:
        """Whether the lock can be had within *timeout* seconds: the watchdog's question."""
        if not self._lock.acquire(timeout=timeout):
            return False
        self._lock.release()
        return True

    def _with_cgroups(self, event: Synchronized) -> Synchronized:
        seen = read_cgroups(self._tree, event.containers)
        pods = {pod.id: pod for pod in event.pods}
        containers = tuple(
            self._located(pods[one.pod_id], one) if one.pod_id in pods else one
            for one in event.containers
        )
        observed = {fact.container_id: fact.placement for fact in seen}
        return replace(event, containers=containers, observed=observed)

    def _located(self, pod: Pod, container: Container) -> Container:
        """With what its mounts and devices are near, where the policy heeds that."""
        pinning = self._world.pinning
        if self._nearness is None or pinning is None or pinning.spec is None:
            return container
        near = self._nearness.of(pod, container, ask_kubelet=pinning.spec.pod_resources)
        return replace(container, near=near) if near else container

    def _remember(self, world: World, event: Event, reply: Reply) -> None:
        """Write the before-values of whatever the reply touches for the first time."""
        values = []
        if isinstance(event, ContainerCreating) and reply.adjust is not None:
            before = current_placement(world, event.container)
            values.append(self._before(world, event.container, before))
        if isinstance(event, Synchronized):
            values += self._before_synchronized(world, reply)
        if values or isinstance(event, Synchronized):
            error = self._undo.remember(values)
            if isinstance(event, Synchronized):
                error = self._undo.keep_only(world.containers) or error
            else:
                error = self._undo.let_go(world.containers) or error
            self._note(error)

    def _note(self, error: Optional[OSError]) -> None:
        self.undo_error = "" if error is None else str(error)

    def _before_now(self, world: World, touched: Sequence[str]) -> list[BeforeValue]:
        """What each has now; who has a before-value keeps that one."""
        return [
            self._before(world, one, current_placement(world, one))
            for key in touched
            if (one := world.containers.get(key)) is not None
        ]

    def _before_synchronized(self, world: World, reply: Reply) -> list[BeforeValue]:
        """What was adopted had "inherit" before us, what is placed late has what is seen now."""
        late = {update.container_id for update in reply.updates}
        values = []
        for grant in world.ledger.grants.values():
            container = world.containers[grant.container_id]
            if grant.placement == NOT_OURS:
                continue
            fresh = grant.container_id in late and not grant.decision.adopted
            before = current_placement(world, container) if fresh else NOT_OURS
            values.append(self._before(world, container, before))
        return values

    def _before(self, world: World, container: Container, placement: Placement) -> BeforeValue:
        path = cgroup_path(container.cgroups_path) or ""
        shares = container.resources.shares
        return BeforeValue(container.id, world.full_name(container), path, placement, shares)
