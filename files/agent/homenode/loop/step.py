# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One event in, the next world and its effects out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from homenode.intent.config import PinningConfig
from homenode.intent.nri_plugins import tenant_intent
from homenode.pinning import POLICIES
from homenode.pinning.offer import commit
from homenode.world.adopt import adopt, current_placement
from homenode.world.decision import SHARED
from homenode.world.ledger import Grant
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
    ContainerUpdate,
    ContainerUpdating,
    Event,
    PodRemoved,
    Reply,
    Synchronized,
)
from model.problem import Problem
from model.workload import NOT_OURS, Container, Placement, Pod

MAX_FAILED = 64


@dataclass(frozen=True)
class Effects:
    """What has to happen: the runtime's *reply*, and *records* for the journal."""

    reply: Reply = NO_CHANGE
    records: tuple[Record, ...] = ()


def step(world: World, event: Event, now: float) -> tuple[World, Effects]:
    """Apply one event. *now* is seconds since the epoch, for the records alone."""
    if isinstance(event, CgroupRead):
        return _verify(merge(world, event), event, now)
    if isinstance(event, Synchronized):
        return _synchronize(world, event, now)
    if isinstance(event, ContainerCreating):
        return _create(world, event, now)
    if isinstance(event, ContainerUpdating):
        return _override(merge(world, event), event, now)
    if isinstance(event, ContainerStarted):
        return _started(merge(world, event), event.container_id), Effects()
    if isinstance(event, (ContainerStopped, ContainerRemoved)):
        return _release(world, event, {event.container_id}, now)
    if isinstance(event, PodRemoved):
        gone = {key for key, item in world.containers.items() if item.pod_id == event.pod_id}
        return _release(world, event, gone, now)
    return merge(world, event), Effects()


def _create(world: World, event: ContainerCreating, now: float) -> tuple[World, Effects]:
    world = merge(world, event)
    if world.pinning is None:
        return world, Effects()
    world, grant = _place(world, world.pinning, event.pod, event.container)
    record = _placed(world, event.container, NOT_OURS, grant, "placed", now)
    world, updates, resized = _resize_shared(world, event.container.id, now)
    return world, Effects(Reply(_adjustment(grant.placement), updates), (record, *resized))


def _place(
    world: World, config: PinningConfig, pod: Pod, container: Container
) -> tuple[World, Grant]:
    """Let the policy offer, and commit the offer."""
    intent = tenant_intent(pod.annotations, container.name)
    offer = POLICIES[config.policy](world, pod, container, intent)
    problems = world.problems
    if intent.problems:
        problems = {**problems, container.id: intent.problems}
    return replace(world, ledger=commit(world.ledger, offer), problems=problems), offer.grant


def _adjustment(placement: Placement) -> Optional[Placement]:
    return None if placement == NOT_OURS else placement


def _resize_shared(
    world: World, creating: str, now: float
) -> tuple[World, tuple[ContainerUpdate, ...], tuple[Record, ...]]:
    """Give every container of the shared set the set as it is now.

    The container that is being created is left out: its own adjustment says it already.
    """
    shared = world.shared_cpus()
    outdated = [
        grant
        for grant in world.ledger.grants.values()
        if grant.decision.outcome == SHARED
        and grant.placement.cpus is not None
        and grant.placement.cpus != shared
        and grant.container_id != creating
    ]
    if not outdated:
        return world, (), ()
    before, after = outdated[0].placement, Placement(shared)
    ledger = world.ledger.with_grants(replace(grant, placement=after) for grant in outdated)
    updates = tuple(ContainerUpdate(grant.container_id, after) for grant in outdated)
    reason = "the CPUs that nobody owns changed"
    record = Record(now, "resized", "(shared)", reason, before, after, "", len(outdated))
    return replace(world, ledger=ledger), updates, (record,)


def _synchronize(world: World, event: Synchronized, now: float) -> tuple[World, Effects]:
    previous = world.ledger
    world = merge(world, event)
    if world.pinning is None:
        return world, Effects()
    ledger, newcomers = adopt(world, previous)
    world = replace(world, ledger=ledger)
    records: list[Record] = []
    updates: list[ContainerUpdate] = []
    for container in _exclusive_first(world, newcomers):
        pod = world.pods[container.pod_id]
        before = current_placement(world, container)
        world, grant = _place(world, world.pinning or PinningConfig(), pod, container)
        records.append(_placed(world, container, before, grant, "adopted", now))
        if grant.placement != NOT_OURS:
            updates.append(ContainerUpdate(container.id, grant.placement))
    world, resized, resize_records = _resize_shared(world, "", now)
    changed = {update.container_id for update in resized}
    kept = tuple(update for update in updates if update.container_id not in changed)
    return world, Effects(Reply(None, kept + resized), (*records, *resize_records))


def _exclusive_first(world: World, newcomers: tuple[str, ...]) -> list[Container]:
    """Late containers in the order of placing: those that want own CPUs before the rest."""
    containers = [world.containers[key] for key in newcomers]
    return sorted(containers, key=lambda item: (item.resources.quota or 0) <= 0)


def _override(world: World, event: ContainerUpdating, now: float) -> tuple[World, Effects]:
    """Somebody else's update keeps its figures, but not its cpuset where that one is ours."""
    grant = world.ledger.get(event.container.id)
    if grant is None or grant.placement == NOT_OURS:
        return world, Effects()
    reply = Reply(None, (ContainerUpdate(grant.container_id, grant.placement),))
    asked = current_placement(
        replace(world, observed={}), replace(event.container, resources=event.resources)
    )
    record = _placed(world, event.container, asked, grant, "followed", now)
    return world, Effects(reply, (record,) if asked != NOT_OURS else ())


def _release(world: World, event: Event, gone: set[str], now: float) -> tuple[World, Effects]:
    failed = _failures(world, event, gone)
    names = {key: world.full_name(world.containers[key]) for key in gone & set(world.containers)}
    released = [grant for key in gone if (grant := world.ledger.get(key)) is not None]
    world = replace(merge(world, event), failed=failed)
    if not released:
        return world, Effects()
    world = replace(world, ledger=world.ledger.without(gone))
    records = tuple(
        Record(
            now,
            "released",
            names.get(grant.container_id, grant.name),
            "the container ended",
            grant.placement,
            NOT_OURS,
            grant.container_id,
        )
        for grant in released
    )
    world, updates, resized = _resize_shared(world, "", now)
    return world, Effects(Reply(None, updates), records + resized)


def _failures(world: World, event: Event, gone: set[str]) -> dict[str, Problem]:
    """Note containers that end without ever having started, forget those of a removed pod.

    A runtime tells no plugin that a creation failed; it only takes the container away again.
    """
    failed = dict(world.failed)
    for key in gone:
        container = world.containers.get(key)
        if container is None or container.state == "running":
            continue
        grant = world.ledger.get(key)
        if grant is not None and grant.placement != NOT_OURS and len(failed) < MAX_FAILED:
            failed[world.full_name(container)] = Problem(
                "cpuset",
                str(grant.placement.cpus or grant.placement.mems),
                "was answered, but the container went away before it started",
                "see the runtime's log; where it says that two plugins set CPU pinning, set "
                "pinning.pin_cpu to false or take the other plugin's pinning away",
                "CreateContainer",
            )
    pod = world.pods.get(event.pod_id) if isinstance(event, PodRemoved) else None
    if pod is not None:
        return {k: v for k, v in failed.items() if not k.startswith(pod.full_name + "/")}
    return failed


def _started(world: World, container_id: str) -> World:
    container = world.containers.get(container_id)
    if container is None or world.full_name(container) not in world.failed:
        return world
    name = world.full_name(container)
    return replace(world, failed={k: v for k, v in world.failed.items() if k != name})


def _verify(world: World, event: CgroupRead, now: float) -> tuple[World, Effects]:
    """Compare what a cgroup says with what was granted; say so once where they differ."""
    grant = world.ledger.get(event.container_id)
    if grant is None:
        return world, Effects()
    before = world.problems.get(event.container_id, ())
    others = tuple(problem for problem in before if problem.source != "cgroup")
    found = others + _differences(grant.placement, event.placement)
    if found == before:
        return world, Effects()
    world = replace(world, problems={**world.problems, event.container_id: found})
    if len(found) <= len(others):
        return world, Effects()
    container = world.containers[event.container_id]
    record = replace(
        _placed(world, container, event.placement, grant, "problem", now),
        reason=str(found[-1]),
    )
    return world, Effects(NO_CHANGE, (record,))


def _differences(wanted: Placement, seen: Placement) -> tuple[Problem, ...]:
    pairs = (("cpuset.cpus", wanted.cpus, seen.cpus), ("cpuset.mems", wanted.mems, seen.mems))
    return tuple(
        Problem(
            name,
            "" if there is None else str(there),
            f"is not the granted {grant}",
            "find who else writes it: another NRI plugin, or somebody by hand",
            "cgroup",
        )
        for name, grant, there in pairs
        if grant is not None and grant != there
    )


def _placed(
    world: World, container: Container, before: Placement, grant: Grant, kind: str, now: float
) -> Record:
    return Record(
        now,
        kind,
        world.full_name(container),
        grant.decision.reason,
        before,
        grant.placement,
        container.id,
    )
