# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One event in, the next world and its effects out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from homenode.intent.policy_config import SchedulingClass
from homenode.world.merge import merge
from homenode.world.record import Record
from homenode.world.world import World
from model.events import (
    NO_CHANGE,
    CgroupRead,
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdating,
    Event,
    PodRemoved,
    Reply,
    Synchronized,
)
from model.problem import HomenodeProblem, Problem
from model.workload import NOT_OURS, Container, Pod

from .ask import ask_of
from .failures import failures, refused, started
from .given import given_by, refuse_given
from .settings import creation_settings
from .synchronize import synchronize
from .turn import Turn
from .update import update
from .verify import verify


@dataclass(frozen=True)
class Effects:
    """What has to happen: the runtime's *reply*, and *records* for the journal."""

    reply: Reply = NO_CHANGE
    records: tuple[Record, ...] = ()


def step(world: World, event: Event, now: float) -> tuple[World, Effects]:
    """Apply one event. *now* is seconds since the epoch, for the records alone."""
    if isinstance(event, CgroupRead):
        world, updates, records = verify(merge(world, event), event, now)
        return world, Effects(Reply(None, updates), records)
    if isinstance(event, Synchronized):
        world, reply, records = synchronize(world, event, now)
        return world, Effects(reply, records)
    if isinstance(event, ContainerCreating):
        return _create(world, event, now)
    if isinstance(event, ContainerUpdating):
        world, reply, records = update(world, event, now)
        return world, Effects(reply, records)
    if isinstance(event, ContainerStarted):
        return started(merge(world, event), event.container_id), Effects()
    if isinstance(event, (ContainerStopped, ContainerRemoved)):
        return _release(world, event, {event.container_id}, now)
    if isinstance(event, PodRemoved):
        gone = {key for key, item in world.containers.items() if item.pod_id == event.pod_id}
        return _release(world, event, gone, now)
    return merge(world, event), Effects()


def _create(world: World, event: ContainerCreating, now: float) -> tuple[World, Effects]:
    merged = merge(world, event)
    if merged.policy is None:
        return merged, Effects()
    turn = Turn(merged, now)
    container = merged.containers[event.container.id]
    for twin in _twins(merged, event.pod, container):
        turn.release(twin.id, merged.full_name(twin), "a newer one takes its place")
    try:
        ask = ask_of(merged, event.pod, container, given_by(merged, container.resources))
        refuse_given(merged, ask)
        placed = turn.place(container, ask, "placed", NOT_OURS)
    except HomenodeProblem as error:
        return _refuse(world, event, error.problem, now)
    turn.updates.pop(container.id, None)  # the runtime fails a creation that updates itself
    adjust = None if placed.placement == NOT_OURS else placed.placement
    settings = creation_settings(placed, _scheduling_classes(merged))
    reply = Reply(adjust, tuple(turn.updates.values()), settings)
    return turn.world, Effects(reply, tuple(turn.records))


def _refuse(
    world: World, event: ContainerCreating, problem: Problem, now: float
) -> tuple[World, Effects]:
    """The creation fails with the reason, and nothing is booked; the pod stays known."""
    pods = {**world.pods, event.pod.id: event.pod}
    name = f"{event.pod.full_name}/{event.container.name}"
    record = Record(now, "refused", name, str(problem), container_id=event.container.id)
    reply = Reply(refusal=problem)
    return refused(replace(world, pods=pods), name, problem), Effects(reply, (record,))


def _twins(world: World, pod: Pod, container: Container) -> list[Container]:
    """Older instances of the same namespace, pod and name that still hold something.

    A restart may be told before the end of what it replaces; nri-plugins counts the newer alone.
    """
    name, known, pods = container.name, world.containers, world.pods
    return [
        known[grant.container_id]
        for grant in world.ledger.grants.values()
        if grant.name == name
        and grant.container_id != container.id
        and grant.container_id in known
        and (other := pods.get(grant.pod_id)) is not None
        and (other.name, other.namespace) == (pod.name, pod.namespace)
    ]


def _scheduling_classes(world: World) -> tuple[SchedulingClass, ...]:
    spec = world.pinning.spec if world.pinning else None
    return () if spec is None else spec.scheduling_classes


def _release(world: World, event: Event, gone: set[str], now: float) -> tuple[World, Effects]:
    failed = failures(world, event, gone)
    names = {key: world.full_name(world.containers[key]) for key in gone & set(world.containers)}
    released = [grant for key in gone if (grant := world.ledger.get(key)) is not None]
    world = replace(merge(world, event), failed=failed)
    if not released or world.policy is None:
        return world, Effects()
    turn = Turn(world, now)
    for grant in released:
        name = names.get(grant.container_id, grant.name)
        turn.release(grant.container_id, name, "the container ended")
    return turn.world, Effects(Reply(None, tuple(turn.updates.values())), tuple(turn.records))
