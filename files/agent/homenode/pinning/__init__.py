# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies: pure functions from books and an ask to a placement with ranked candidates.

``policy.Policy`` is what all of them are to the loop; ``make_policy`` makes the one that the
configuration names, for one machine. Out of scope: cgroups, runtimes, processes; a policy names
CPUs and nodes, never files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from homenode.intent.config import BALLOONS, PinningConfig
from homenode.intent.policy_config import BalloonsConfig, TopologyAwareConfig
from model.cpuset import CpuSet
from model.interrupts import Interrupt
from model.machine import Machine

from .policy import Policy


@dataclass(frozen=True)
class Surroundings:
    """What some policies want to know beside the machine: its *interrupts*, and the CPUs *near*
    each device that the configuration names."""

    interrupts: Sequence[Interrupt] = ()
    near: Mapping[str, tuple[CpuSet, ...]] = field(default_factory=dict)


NOTHING_AROUND = Surroundings()


def is_all_or_nothing(policy: str) -> bool:
    """Whether another configuration is refused under which somebody who runs cannot be placed.

    Balloons leaves such a one as it is, in no balloon, and tells (nri-plugins' documented way).
    """
    return policy != BALLOONS


def make_policy(
    machine: Machine, config: PinningConfig, around: Surroundings = NOTHING_AROUND
) -> Policy:
    """The policy of *config*; the others cost no memory.

    Raises HomenodeProblem where this machine cannot satisfy it.
    """
    if isinstance(config.spec, TopologyAwareConfig):
        from .topology_aware.policy import TopologyAware

        return TopologyAware(machine, config.spec, config.memory_types, around.interrupts)
    if isinstance(config.spec, BalloonsConfig):
        from .balloons.policy import Balloons

        return Balloons(machine, config.spec, around.near, config.memory_types, around.interrupts)
    from .home_node import HomeNode

    return HomeNode(machine, config)
