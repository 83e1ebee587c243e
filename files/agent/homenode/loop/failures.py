# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creations that failed: refused by us, or given up by the runtime after our answer.

The latter are seen only by what does not happen next.
"""

from __future__ import annotations

from dataclasses import replace

from homenode.world.world import World
from model.events import Event, PodRemoved
from model.problem import Problem
from model.workload import NOT_OURS

MAX_FAILED = 64


def failures(world: World, event: Event, gone: set[str]) -> dict[str, Problem]:
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


def refused(world: World, name: str, problem: Problem) -> World:
    """Note a creation that we refused, under the container's full *name*."""
    if len(world.failed) >= MAX_FAILED and name not in world.failed:
        return world
    return replace(world, failed={**world.failed, name: problem})


def started(world: World, container_id: str) -> World:
    container = world.containers.get(container_id)
    if container is None or world.full_name(container) not in world.failed:
        return world
    name = world.full_name(container)
    return replace(world, failed={k: v for k, v in world.failed.items() if k != name})
