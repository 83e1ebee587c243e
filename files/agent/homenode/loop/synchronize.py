# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs is taken over as it is, whoever restarted; who was never placed is placed now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

from homenode.pinning.policy import Adoption, Held, Placed
from homenode.world.adopt import current_placement, held_placement, live
from homenode.world.decision import KUBELET
from homenode.world.ledger import Grant, Ledger
from homenode.world.merge import merge
from homenode.world.record import Record
from homenode.world.world import World
from model.events import NO_CHANGE, ContainerUpdate, Reply, Synchronized
from model.problem import HomenodeProblem
from model.settings import NO_SETTINGS
from model.workload import NOT_OURS, Container, Placement

from .ask import ask_of
from .given import given_by, to_policy
from .settings import settings_of
from .turn import Turn


def synchronize(
    world: World, event: Synchronized, now: float
) -> tuple[World, Reply, tuple[Record, ...]]:
    """The next world, the answer, and what to record."""
    previous = world.ledger
    world = _with_asked_shares(merge(world, event), previous)
    if world.policy is None:  # what was granted before is nobody's business any more
        return replace(world, ledger=previous.without(previous.grants)), NO_CHANGE, ()
    known = world.books is not None
    memory = world.policy.remember(world.books) if known else world.remembered
    turn = take_over(world, _held(world, previous), memory, now)
    return turn.world, Reply(None, tuple(turn.updates.values())), tuple(turn.records)


def take_over(
    world: World, held: Sequence[Held], memory: Optional[Mapping[str, Any]], now: float
) -> Turn:
    """Let the policy of *world* account for what is *held*, then place who never was.

    Who cannot be placed runs on as it is, and is told among the problems.
    """
    before = {one.ask.container_id: one for one in held}
    asked = [replace(one, ask=to_policy(world, one.ask)) for one in held]
    adoption: Adoption = world.policy.adopt(asked, memory)
    grants = [
        _grant(world.containers[key], _as_remembered(placed, before[key].before), before[key])
        for key, placed in adoption.placed.items()
    ]
    ledger = Ledger(world.ledger.version).with_grants(grants)
    turn = Turn(replace(world, ledger=ledger, books=adoption.books, remembered=None), now)
    turn.world = replace(turn.world, warnings=adoption.problems)
    turn.book_changed(adoption.changed)
    for key in adoption.placed:
        turn.problems(key, before[key].ask.intent.problems)
    for key in adoption.newcomers:
        _place_late(turn, world.containers[key], before[key])
    return turn


def _with_asked_shares(world: World, previous: Ledger) -> World:
    """A runtime tells the cpu.shares that we set: the kubelet's own are in the ledger."""
    told = {}
    for key, grant in previous.grants.items():
        container = world.containers.get(key)
        ours = grant.placed.shares
        if container is not None and ours is not None and container.resources.shares == ours:
            resources = replace(container.resources, shares=grant.asked_shares)
            told[key] = replace(container, resources=resources)
    return replace(world, containers={**world.containers, **told}) if told else world


def _held(world: World, previous: Ledger) -> list[Held]:
    found = []
    for container in live(world):
        grant = previous.get(container.id)
        before = None if grant is None else grant.placed
        placement = held_placement(world, container, before)
        given = NOT_OURS if grant is None else grant.given
        if before is not None and before.decision.outcome == KUBELET:
            given = Placement(placement.cpus, given.mems)  # it may have chosen anew meanwhile
        ask = ask_of(world, world.pods[container.pod_id], container, given)
        found.append(Held(ask, placement, before))
    return found


def _grant(container: Container, placed: Placed, held: Held) -> Grant:
    shares, given = container.resources.shares, held.ask.given
    return Grant(container.id, container.pod_id, container.name, placed, shares, given)


def _as_remembered(placed: Placed, before: Optional[Placed]) -> Placed:
    """The decision of before, with its candidates, where it led to just this."""
    if before is None or before == placed:
        return placed
    same = before._replace(decision=placed.decision) == placed
    return before if same and placed.decision.adopted else placed


def _place_late(turn: Turn, container: Container, held: Held) -> None:
    """Place who was never placed, or not by this policy; who cannot be runs on, and is told.

    What a runtime tells of one that was placed is what we set, and not the kubelet's choice.
    """
    known = held.before is not None
    ask = held.ask if known else replace(held.ask, given=given_by(turn.world, container.resources))
    before = current_placement(turn.world, container)
    try:
        placed = turn.place(container, ask, "adopted", before)
    except HomenodeProblem as error:
        turn.problems(container.id, (*ask.intent.problems, error.problem))
        return
    settings = settings_of(placed)
    turn.updates.pop(container.id, None)
    if placed.placement != NOT_OURS or settings is not NO_SETTINGS:
        turn.updates[container.id] = ContainerUpdate(container.id, placed.placement, settings)
