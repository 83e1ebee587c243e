# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add a fact to the world: what the runtime and the cgroups tell, and nothing derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from model.events import (
    CgroupRead,
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdating,
    Event,
    PodRemoved,
    PodStarted,
    Synchronized,
)
from model.workload import Container, Pod, Resources

from .world import World

Item = TypeVar("Item")


def merge(world: World, event: Event) -> World:
    """The world with the event's facts in it; the ledger is left as it is."""
    if isinstance(event, ContainerCreating):
        return _with_container(world, event.pod, event.container)
    if isinstance(event, CgroupRead):
        if event.container_id not in world.containers:
            return world
        return replace(world, observed=_with(world.observed, event.container_id, event.placement))
    if isinstance(event, ContainerStarted):
        return _with_state(world, event.container_id, "running")
    if isinstance(event, ContainerUpdating):
        return _with_container(world, event.pod, _updated(world, event))
    if isinstance(event, (ContainerStopped, ContainerRemoved)):
        return _without_containers(world, {event.container_id})
    if isinstance(event, PodStarted):
        return replace(world, pods=_with(world.pods, event.pod.id, event.pod))
    if isinstance(event, PodRemoved):
        left = _without_containers(world, _containers_of(world, event.pod_id))
        return replace(left, pods=_without(left.pods, {event.pod_id}))
    return _synchronized(world, event)


def _synchronized(world: World, event: Synchronized) -> World:
    """What is listed, oldest first; of two without an age, the one not yet started is younger."""
    containers: dict[str, Container] = {}
    newest = 0
    for told in sorted(event.containers, key=lambda one: (one.created_at, one.state == "created")):
        newest = max(told.created_at, newest + 1)
        containers[told.id] = replace(told, created_at=newest, undecoded=())
    return replace(
        world,
        pods={pod.id: pod for pod in event.pods},
        containers=containers,
        newest=newest,
        observed=dict(event.observed),
        fights={},
        problems={key: value for key, value in world.problems.items() if key in containers},
    )


def _with_container(world: World, pod: Pod, told: Container) -> World:
    known = world.containers.get(told.id)
    created_at = max(told.created_at, world.newest + 1) if known is None else known.created_at
    return replace(
        world,
        pods=_with(world.pods, pod.id, pod),
        containers=_with(
            world.containers, told.id, replace(told, created_at=created_at, undecoded=())
        ),
        newest=max(world.newest, created_at),
    )


def _updated(world: World, event: ContainerUpdating) -> Container:
    """The container with the figures that it will have; what is not asked for stays."""
    container = world.containers.get(event.container.id, event.container)
    known, asked = container.resources, event.resources
    resources = Resources(
        known.shares if asked.shares is None else asked.shares,
        known.quota if asked.quota is None else asked.quota,
        known.period if asked.period is None else asked.period,
        known.memory_limit_bytes if asked.memory_limit_bytes is None else asked.memory_limit_bytes,
        asked.cpus or known.cpus,
        asked.mems or known.mems,
    )
    return replace(event.container, resources=resources, near=container.near)


def _with_state(world: World, container_id: str, state: str) -> World:
    container = world.containers.get(container_id)
    if container is None:
        return world
    changed = replace(container, state=state)
    return replace(world, containers=_with(world.containers, container_id, changed))


def _containers_of(world: World, pod_id: str) -> set[str]:
    return {key for key, container in world.containers.items() if container.pod_id == pod_id}


def _without_containers(world: World, gone: set[str]) -> World:
    return replace(
        world,
        containers=_without(world.containers, gone),
        observed=_without(world.observed, gone),
        fights=_without(world.fights, gone),
        problems=_without(world.problems, gone),
    )


def _with(items: Mapping[str, Item], key: str, item: Item) -> dict[str, Item]:
    changed = dict(items)
    changed[key] = item
    return changed


def _without(items: Mapping[str, Item], gone: set[str]) -> Mapping[str, Item]:
    if not any(key in items for key in gone):
        return items
    return {key: item for key, item in items.items() if key not in gone}
