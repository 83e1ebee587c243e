# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle CPUs that containers of a balloon may use beside their own, until somebody takes them.

They follow from what is idle now. (Upstream keeps them up step by step, and forgets some: the CPUs
of a balloon that ends, or of a part of the machine that a balloon has left.) Isolated CPUs are
never shared. Out of scope: who takes and gives.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.cpuset import NO_CPUS, CpuSet

from .instances import Balloon, Holdings
from .setting import Setting


def shared_cpus(setting: Setting, holdings: Holdings, balloon: Balloon) -> CpuSet:
    """The idle CPUs in those parts of the machine in which the balloon has CPUs."""
    level = setting.type_of(balloon).spec.share_idle_cpus_in_same
    if not level or not balloon.cpus:
        return NO_CPUS
    idle = holdings.idle - setting.topology.machine.isolated
    return setting.around(level, balloon.cpus) & idle if idle else NO_CPUS


def usable_cpus(setting: Setting, holdings: Holdings, balloon: Balloon) -> CpuSet:
    """All on which its containers may run."""
    return balloon.cpus | shared_cpus(setting, holdings, balloon)


def changed_cpus(
    setting: Setting, before: Holdings, after: Holdings
) -> Iterator[tuple[Balloon, CpuSet]]:
    """The balloons of *after* whose usable CPUs are others than *before*, and which these are.

    One that is the same is looked at only if CPUs came to be idle, or no longer are, around it.
    """
    known = {one.name: one for one in before.balloons}
    turned = (before.idle - after.idle) | (after.idle - before.idle)
    for one in after.balloons:
        was = known.get(one.name)
        if was is None or was.cpus != one.cpus or _is_around(setting, one, turned):
            now = usable_cpus(setting, after, one)
            if was is None or usable_cpus(setting, before, was) != now:
                yield one, now


def _is_around(setting: Setting, balloon: Balloon, idle: CpuSet) -> bool:
    level = setting.type_of(balloon).spec.share_idle_cpus_in_same
    return bool(level and balloon.cpus and idle and setting.around(level, balloon.cpus) & idle)
