# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cgroup says beside what was granted: a difference is said, and repaired or respected.

Whoever goes on writing wins: after MAX_FIGHTS repairs within FIGHT_S seconds the container is left
as it is until the difference is gone, so that two never fight for ever.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Union

from homenode.world.ledger import Grant
from homenode.world.record import Record
from homenode.world.world import World
from model.cpuset import CpuSet, NodeSet
from model.events import CgroupRead, ContainerUpdate
from model.problem import Problem
from model.workload import Placement

MAX_FIGHTS = 3
FIGHT_S = 600.0

Part = Optional[Union[CpuSet, NodeSet]]


def verify(
    world: World, event: CgroupRead, now: float
) -> tuple[World, tuple[ContainerUpdate, ...], tuple[Record, ...]]:
    """The next world, what repairs, and what to record: a difference is said once."""
    key = event.container_id
    grant, container = world.ledger.get(key), world.containers.get(key)
    if grant is None or container is None:
        return world, (), ()
    if event.granted is not None and event.granted is not grant.placement:
        return world, (), ()  # what was read is of before: it will be read again
    differing = _differing(world, grant.placement, event.placement)
    fights = _recent(world.fights.get(key, ()), now)
    repairs = bool(differing) and world.repairs_drift
    yields = repairs and len(fights) >= MAX_FIGHTS
    updates: tuple[ContainerUpdate, ...] = ()
    if repairs and not yields:
        fights = (*fights, now)
        world = replace(world, fights={**world.fights, key: fights})
        updates = (ContainerUpdate(key, grant.placement),)
    before = world.problems.get(key, ())
    others = tuple(problem for problem in before if problem.source != "cgroup")
    found = others + tuple(_problem(*part, len(fights) if yields else 0) for part in differing)
    if found != before:
        world = replace(world, problems={**world.problems, key: found})
    if len(found) == len(others) or not (updates or found != before):
        return world, updates, ()
    reason = "; ".join(str(problem) for problem in found[len(others) :])
    record = _record(world, grant, event, "repaired" if updates else "problem", reason, now)
    return world, updates, (record,)


def _record(
    world: World, grant: Grant, event: CgroupRead, kind: str, reason: str, now: float
) -> Record:
    name = world.full_name(world.containers[event.container_id])
    return Record(now, kind, name, reason, event.placement, grant.placement, event.container_id)


def _recent(fights: tuple[float, ...], now: float) -> tuple[float, ...]:
    """The repairs of the last FIGHT_S seconds; a clock that jumped back forgets the others."""
    return tuple(at for at in fights if now - FIGHT_S < at <= now)


def _differing(world: World, wanted: Placement, seen: Placement) -> list[tuple[str, Part, Part]]:
    """(file, granted, seen) of the parts that are ours and differ.

    A kernel with cgroup v1 takes CPUs that went offline out of every cpuset by itself.
    """
    online = None if wanted.cpus is None else wanted.cpus & world.machine.online
    cpus = wanted.cpus in (None, seen.cpus) or (seen.cpus is not None and seen.cpus == online)
    mems = wanted.mems in (None, seen.mems)
    parts: list[tuple[str, Part, Part]] = []
    if not cpus:
        parts.append(("cpuset.cpus", wanted.cpus, seen.cpus))
    if not mems:
        parts.append(("cpuset.mems", wanted.mems, seen.mems))
    return parts


def _problem(name: str, granted: Part, seen: Part, repaired: int) -> Problem:
    why = f"is not the granted {granted}"
    if repaired:
        why += f"; repaired {repaired} times in {FIGHT_S / 60:g} minutes, it is left alone now"
    return Problem(
        name,
        "" if seen is None else str(seen),
        why,
        "find who else writes it: another NRI plugin, or somebody by hand",
        "cgroup",
    )
