# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle CPUs that containers of a balloon may use beside their own, until somebody takes them.

As in nri-plugins this is kept up step by step: CPUs that become idle are offered, CPUs that are
taken are withdrawn; the CPUs of a balloon that is removed are offered with the next change.
Isolated CPUs are never shared. Out of scope: who takes and gives.
"""

from __future__ import annotations

from dataclasses import replace

from model.cpuset import CpuSet

from .instances import Balloon, Holdings
from .setting import Setting


def share_idle(setting: Setting, holdings: Holdings, add: CpuSet, remove: CpuSet) -> Holdings:
    """*holdings* after the CPUs *add* became idle (or were so), and those of *remove* ceased to."""
    offered = add - setting.topology.machine.isolated
    balloons = [_shared(setting, one, offered, remove) for one in holdings.balloons]
    return Holdings(tuple(balloons), holdings.idle)


def _shared(setting: Setting, balloon: Balloon, add: CpuSet, remove: CpuSet) -> Balloon:
    shared = balloon.shared - remove
    level = setting.type_of(balloon).spec.share_idle_cpus_in_same
    if level and add and balloon.cpus:
        shared = shared | (setting.topology.elements(level, balloon.cpus) & add)
    return balloon if shared == balloon.shared else replace(balloon, shared=shared)
