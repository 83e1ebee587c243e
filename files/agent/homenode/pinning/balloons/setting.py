# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays as it is while balloons come and go: the machine, the types, the devices.

Out of scope: what is there now (``instances``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from homenode.intent.policy_config import BalloonType
from homenode.pinning.cpus.topology import CpuTopology
from model.cpuset import NO_CPUS, CpuSet

from .cpu_tree import CpuTree, cpu_tree, spread_tree
from .devices import Devices
from .instances import Balloon, Holdings
from .resize import Load, Wishes
from .types import EffectiveType, Types

MOST_KNOWN = 4096


@dataclass(frozen=True)
class Setting:
    """*allowed* are the CPUs that balloons may have, *devices* all that types can name.

    *pin_cpu* says whether containers are told of their CPUs at all, *default_cpu_class* which class
    CPUs of types without one have.
    """

    topology: CpuTopology
    types: Types
    devices: Devices
    allowed: CpuSet
    pin_cpu: bool = True
    default_cpu_class: str = ""
    _known: dict[tuple[str, CpuSet], CpuSet] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def type_of(self, balloon: Balloon) -> EffectiveType:
        """The type of an instance."""
        return self.types.by_name[balloon.type_name]

    def cpu_class(self, spec: BalloonType) -> str:
        """The class of the CPUs of a type's balloons; "" leaves them alone."""
        return spec.cpu_class or self.default_cpu_class

    def around(self, level: str, cpus: CpuSet) -> CpuSet:
        """All CPUs of the parts of the machine, of one *level*, that have some of *cpus*.

        Worked out once, as balloons ask for the same again and again.
        """
        key = level, cpus
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self.topology.elements(level, cpus)
        return self._known[key]

    def wishes(self, holdings: Holdings, balloon: Balloon) -> Wishes:
        """What a balloon wants of its CPUs, beside the others as they are now.

        Only balloons that stand for themselves load CPUs: components and composites do not.
        """
        its = self.type_of(balloon)
        near = [balloon.given.get(one) or self.devices.get(one, ()) for one in its.near]
        levels = dict.fromkeys(load.level for load in its.loads)
        loads = (Load(level, self._loaded(level, holdings)) for level in levels)
        return Wishes(
            self.topology,
            self._spread_tree if its.spread else self.tree,
            balancing=its.balancing,
            spread=its.spread,
            near=tuple(sets for sets in near if sets),
            far=self._far[its.name],
            loads=tuple(loads),
            overloads=its.overloads,
        )

    def _loaded(self, level: str, holdings: Holdings) -> CpuSet:
        cpus = NO_CPUS
        for one in holdings.balloons:
            if not one.components and any(load.level == level for load in self.type_of(one).loads):
                cpus = cpus | one.cpus
        return self.topology.elements(level, cpus)

    @cached_property
    def tree(self) -> CpuTree:
        """The pieces of the machine."""
        return cpu_tree(self.topology)

    @cached_property
    def _spread_tree(self) -> CpuTree:
        return spread_tree(self.topology)

    @cached_property
    def _far(self) -> Mapping[str, tuple[CpuSet, ...]]:
        return {
            name: tuple(cpus for device in its.far for cpus in self.devices.get(device, ()))
            for name, its in self.types.by_name.items()
        }
