# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPUs and memory nodes that the kubelet's own managers chose before us, and what becomes of them.

Policies that know of such a choice follow it; the operator may want its shared CPUs narrowed, or
its own ones refused. Out of scope: what following means (each policy).
"""

from __future__ import annotations

from dataclasses import replace

from homenode.intent.config import BALLOONS, NARROW, REFUSE
from homenode.pinning.policy import Ask
from homenode.world.adopt import given_back, given_placement
from homenode.world.world import World
from model.problem import HomenodeProblem
from model.workload import NOT_OURS, Placement, Resources


def given_by(world: World, resources: Resources) -> Placement:
    """What the kubelet's managers chose; what an undo leaves behind is nobody's choice."""
    given = given_placement(resources)
    return NOT_OURS if given_back(world.machine, given) else given


def narrows(world: World) -> bool:
    """Whether we stay within shared CPUs that the kubelet gave."""
    return world.pinning is not None and world.pinning.kubelet_cpus == NARROW


def refuse_given(world: World, ask: Ask) -> None:
    """Raises HomenodeProblem for CPUs that the kubelet gave to one alone, where we must not follow.

    Two that give CPUs away would give the same ones twice.
    """
    if world.pinning is None or world.pinning.kubelet_cpus != REFUSE or not _owns(ask):
        return
    raise HomenodeProblem(
        "cpuset.cpus",
        str(ask.given.cpus),
        "was chosen by the kubelet's CPU manager, which must not choose here",
        "set cpuManagerPolicy: none, or pinning.kubelet_cpus to follow",
        source="kubelet",
    )


def to_policy(world: World, ask: Ask) -> Ask:
    """*ask* as the policy has to see it: without what it may narrow, or left alone."""
    if not ask.given.cpus:
        return ask
    if narrows(world) and not _owns(ask):
        return replace(ask, given=Placement(None, ask.given.mems))
    if world.pinning is not None and world.pinning.policy == BALLOONS:
        return replace(ask, intent=replace(ask.intent, preserve_cpus=True))
    return ask


def _owns(ask: Ask) -> bool:
    """Whether the kubelet gave just as many CPUs as the container may have for itself."""
    return bool(ask.given.cpus) and ask.cpu_request == 1000 * len(ask.given.cpus or ())
