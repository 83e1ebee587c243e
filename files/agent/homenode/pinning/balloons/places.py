# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Balloons as reports and topology exports show them. Out of scope: what they are for."""

from __future__ import annotations

from homenode.intent.policy_config import UNLIMITED
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.policy import Place
from model.cpuset import CpuSet

from .instances import Balloon, Holdings
from .setting import Setting
from .share_idle import shared_cpus
from .sizing import most_millis


def places(
    setting: Setting, layout: MemoryLayout, holdings: Holdings, idle_at_start: CpuSet
) -> tuple[Place, ...]:
    """Every balloon, types in their order, instances by number."""
    order = {name: place for place, name in enumerate(setting.types.by_name)}
    ordered = sorted(holdings.balloons, key=lambda one: (order[one.type_name], one.number))
    return tuple(_place(setting, layout, holdings, one, len(idle_at_start)) for one in ordered)


def _place(
    setting: Setting,
    layout: MemoryLayout,
    holdings: Holdings,
    balloon: Balloon,
    idle_at_start: int,
) -> Place:
    """*cpu_allocatable* is the largest request that would fit if there were no containers."""
    spec = setting.type_of(balloon).spec
    largest = idle_at_start + (spec.min_cpus if spec.min_balloons else 0)
    if spec.max_cpus != UNLIMITED:
        largest = min(largest, spec.max_cpus)
    shared = shared_cpus(setting, holdings, balloon)
    return Place(
        balloon.name,
        balloon.cpus,
        excess=f"{balloon.free}m",
        kind="balloon",
        shared=shared,
        mems=layout.for_cpus(balloon.cpus | shared),
        cpu_capacity=1000 * len(setting.topology.online),
        cpu_allocatable=1000 * largest,
        cpu_available=most_millis(setting, balloon, len(holdings.idle)) - balloon.requested,
        containers=tuple(balloon.members),
    )
