# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cgroup says beside what was granted: a difference is said once, and taken back."""

from __future__ import annotations

from dataclasses import replace

from homenode.world.record import Record
from homenode.world.world import World
from model.events import CgroupRead
from model.problem import Problem
from model.workload import Placement


def verify(world: World, event: CgroupRead, now: float) -> tuple[World, tuple[Record, ...]]:
    """Compare what a cgroup says with what was granted; say so once where they differ."""
    grant = world.ledger.get(event.container_id)
    container = world.containers.get(event.container_id)
    if grant is None or container is None:
        return world, ()
    before = world.problems.get(event.container_id, ())
    others = tuple(problem for problem in before if problem.source != "cgroup")
    found = others + _differences(grant.placement, event.placement)
    if found == before:
        return world, ()
    world = replace(world, problems={**world.problems, event.container_id: found})
    if len(found) <= len(others):
        return world, ()
    reason = "; ".join(str(problem) for problem in found[len(others) :])
    name = world.full_name(container)
    seen, wanted = event.placement, grant.placement
    return world, (Record(now, "problem", name, reason, seen, wanted, container.id),)


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
