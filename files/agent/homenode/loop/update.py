# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody, usually the kubelet, asks the runtime for other resources of a container.

Its figures hold, its cpuset does not where that one is ours; a container whose figures really
change is placed anew, nearby if possible. Out of scope: refusing, because an update that fails is
tried again for ever.
"""

from __future__ import annotations

from homenode.pinning.policy import Placed
from homenode.world.adopt import current_placement, given_placement
from homenode.world.decision import KUBELET
from homenode.world.ledger import Grant
from homenode.world.merge import merge
from homenode.world.record import Record
from homenode.world.world import World
from model.events import NO_CHANGE, ContainerUpdate, ContainerUpdating, Reply
from model.problem import HomenodeProblem
from model.settings import NO_SETTINGS
from model.workload import NOT_OURS, Container, Placement

from .ask import ask_of
from .given import given_by
from .settings import settings_of
from .turn import Turn


def update(
    world: World, event: ContainerUpdating, now: float
) -> tuple[World, Reply, tuple[Record, ...]]:
    """The next world, the answer, and what to record."""
    key = event.container.id
    known, grant = world.containers.get(key), world.ledger.get(key)
    world = merge(world, event)
    if world.policy is None:
        return world, NO_CHANGE, ()
    turn = Turn(world, now)
    try:
        if known is None or grant is None:
            placed = _place(turn, event, given_placement(event.container.resources))
        else:
            placed = _again(turn, event, known, grant)
    except HomenodeProblem as error:
        turn.problems(key, (error.problem,))
        if grant is None:
            return turn.world, NO_CHANGE, ()
        placed = grant.placed
    own, settings = placed.placement, settings_of(placed)
    turn.updates.pop(key, None)
    updates = tuple(turn.updates.values())
    if own != NOT_OURS or settings is not NO_SETTINGS:
        updates = (ContainerUpdate(key, own, settings), *updates)
    return turn.world, Reply(None, updates), tuple(turn.records)


def _place(turn: Turn, event: ContainerUpdating, stored: Placement) -> Placed:
    """Place a container whose creation was missed; *stored* is the runtime's word for it."""
    asked = given_by(turn.world, event.resources)
    given = Placement(asked.cpus or stored.cpus, asked.mems or stored.mems)
    container = turn.world.containers[event.container.id]
    before = current_placement(turn.world, event.container)
    return turn.place(container, ask_of(turn.world, event.pod, container, given), "placed", before)


def _again(turn: Turn, event: ContainerUpdating, known: Container, grant: Grant) -> Placed:
    """Answer for a container that has its place."""
    container = turn.world.containers[known.id]
    asked = given_by(turn.world, event.resources)
    if grant.decision.outcome == KUBELET and asked.cpus:
        given = Placement(asked.cpus, grant.given.mems)
        ask = ask_of(turn.world, event.pod, container, given)
        return turn.place(container, ask, "placed", grant.placement)
    was = ask_of(turn.world, event.pod, known, grant.given)
    ask = ask_of(turn.world, event.pod, container, grant.given)
    if was != ask:
        return turn.resize(container, ask, grant.placement)
    if asked != NOT_OURS and grant.placement != NOT_OURS:
        name, reason = turn.world.full_name(container), grant.decision.reason
        turn.record("followed", name, reason, asked, grant.placement, known.id)
    return grant.placed
