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
from homenode.world.decision import KUBELET, SHARED
from homenode.world.ledger import Grant
from homenode.world.merge import merge
from homenode.world.record import Record
from homenode.world.world import World
from model.cpuset import CpuSet
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
from model.workload import NOT_OURS, Container, Placement, Pod

from .failures import failures, started
from .verify import verify


@dataclass(frozen=True)
class Effects:
    """What has to happen: the runtime's *reply*, and *records* for the journal."""

    reply: Reply = NO_CHANGE
    records: tuple[Record, ...] = ()


def step(world: World, event: Event, now: float) -> tuple[World, Effects]:
    """Apply one event. *now* is seconds since the epoch, for the records alone."""
    if isinstance(event, CgroupRead):
        world, records = verify(merge(world, event), event, now)
        return world, Effects(NO_CHANGE, records)
    if isinstance(event, Synchronized):
        return _synchronize(world, event, now)
    if isinstance(event, ContainerCreating):
        return _create(world, event, now)
    if isinstance(event, ContainerUpdating):
        return _update(merge(world, event), event, now)
    if isinstance(event, ContainerStarted):
        return started(merge(world, event), event.container_id), Effects()
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
    shared = world.shared_cpus()
    world, grant = _place(world, world.pinning, event.pod, event.container)
    record = _placed(world, event.container, NOT_OURS, grant, "placed", now)
    world, updates, resized = _resize_shared(world, shared, event.container.id, now)
    return world, Effects(Reply(_adjustment(grant.placement), updates), (record, *resized))


def _place(
    world: World, config: PinningConfig, pod: Pod, container: Container
) -> tuple[World, Grant]:
    """Let the policy offer, and commit the offer; what the container had counts as free."""
    if container.id in world.ledger.grants:
        world = replace(world, ledger=world.ledger.without({container.id}))
    intent = tenant_intent(pod.annotations, container.name)
    offer = POLICIES[config.policy](world, pod, container, intent)
    problems = world.problems
    if intent.problems:
        problems = {**problems, container.id: intent.problems}
    return replace(world, ledger=commit(world.ledger, offer), problems=problems), offer.grant


def _adjustment(placement: Placement) -> Optional[Placement]:
    return None if placement == NOT_OURS else placement


def _resize_shared(
    world: World, before: Optional[CpuSet], creating: str, now: float
) -> tuple[World, tuple[ContainerUpdate, ...], tuple[Record, ...]]:
    """Give every container of the shared set the set as it is now.

    Nothing is to do where it is as *before* (None: not known). The container that is being
    created is left out: its own adjustment says it already.
    """
    shared = world.shared_cpus()
    if shared == before:
        return world, (), ()
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
    was, after = outdated[0].placement, Placement(shared)
    ledger = world.ledger.with_grants(
        [Grant(*grant[:3], after, *grant[4:]) for grant in outdated]  # _replace is 3 times slower
    )
    updates = tuple(ContainerUpdate(grant.container_id, after) for grant in outdated)
    reason = "the CPUs that nobody owns changed"
    record = Record(now, "resized", "(shared)", reason, was, after, "", len(outdated))
    return replace(world, ledger=ledger), updates, (record,)


def _synchronize(world: World, event: Synchronized, now: float) -> tuple[World, Effects]:
    previous = world.ledger
    world = merge(world, event)
    if world.pinning is None:  # what was granted before is nobody's business any more
        return replace(world, ledger=previous.without(previous.grants)), Effects()
    config = world.pinning
    ledger, newcomers = adopt(world, previous)
    world = replace(world, ledger=ledger)
    records: list[Record] = []
    updates: list[ContainerUpdate] = []
    for container in _exclusive_first(world, newcomers):
        pod = world.pods[container.pod_id]
        before = current_placement(world, container)
        world, grant = _place(world, config, pod, container)
        records.append(_placed(world, container, before, grant, "adopted", now))
        if grant.placement != NOT_OURS:
            updates.append(ContainerUpdate(container.id, grant.placement))
    world, resized, resize_records = _resize_shared(world, None, "", now)
    changed = {update.container_id for update in resized}
    kept = tuple(update for update in updates if update.container_id not in changed)
    return world, Effects(Reply(None, kept + resized), (*records, *resize_records))


def _exclusive_first(world: World, newcomers: tuple[str, ...]) -> list[Container]:
    """Late containers in the order of placing: those that want own CPUs before the rest."""
    containers = [world.containers[key] for key in newcomers]
    return sorted(containers, key=lambda item: (item.resources.quota or 0) <= 0)


def _update(world: World, event: ContainerUpdating, now: float) -> tuple[World, Effects]:
    """Somebody else's update keeps its figures, but not its cpuset where that one is ours."""
    grant = world.ledger.get(event.container.id)
    if world.pinning is None:
        return world, Effects()
    kubelets = grant is not None and grant.decision.outcome == KUBELET and event.resources.cpus
    if grant is None or kubelets:
        return _place_again(world, world.pinning, event, now)
    if grant.placement == NOT_OURS:
        return world, Effects()
    reply = Reply(None, (ContainerUpdate(grant.container_id, grant.placement),))
    asked = current_placement(
        replace(world, observed={}), replace(event.container, resources=event.resources)
    )
    record = _placed(world, event.container, asked, grant, "followed", now)
    return world, Effects(reply, (record,) if asked != NOT_OURS else ())


def _place_again(
    world: World, config: PinningConfig, event: ContainerUpdating, now: float
) -> tuple[World, Effects]:
    """Place a container whose creation was missed, or whose CPUs the kubelet chose anew."""
    container = event.container
    before = current_placement(world, container)
    cpus = event.resources.cpus or container.resources.cpus
    mems = "" if world.ledger.get(container.id) else container.resources.mems
    container = replace(container, resources=replace(container.resources, cpus=cpus, mems=mems))
    shared = world.shared_cpus()
    world, grant = _place(world, config, event.pod, container)
    record = _placed(world, container, before, grant, "placed", now)
    world, resized, records = _resize_shared(world, shared, container.id, now)
    own = (ContainerUpdate(container.id, grant.placement),) if grant.placement != NOT_OURS else ()
    return world, Effects(Reply(None, own + resized), (record, *records))


def _release(world: World, event: Event, gone: set[str], now: float) -> tuple[World, Effects]:
    failed = failures(world, event, gone)
    names = {key: world.full_name(world.containers[key]) for key in gone & set(world.containers)}
    released = [grant for key in gone if (grant := world.ledger.get(key)) is not None]
    world = replace(merge(world, event), failed=failed)
    if not released:
        return world, Effects()
    shared = world.shared_cpus()
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
    world, updates, resized = _resize_shared(world, shared, "", now)
    return world, Effects(Reply(None, updates), records + resized)


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
