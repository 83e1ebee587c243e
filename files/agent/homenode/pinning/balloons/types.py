# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Balloon types as they are in effect: the operator's, the built-in two, and what follows.

Rules and words are those of nri-plugins' balloons policy. One number is put right: a type whose
minBalloons is above maxBalloons is told of its balloons, not of its CPUs. Out of scope: instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Optional

from homenode.intent.policy_config import UNLIMITED, BalloonsConfig, BalloonType, LoadClass
from homenode.pinning.cpus.priority import HIGH, LOW, NONE, NORMAL
from model.cpuset import NO_CPUS, CpuSet
from model.problem import HomenodeProblem

from .devices import RESERVED_CPUS, far_devices, near_devices
from .validation import DEFAULT, RESERVED, check_types

SYSTEM_NAMESPACE = "kube-system"

CREATION_ORDER = (HIGH, NORMAL, LOW, NONE)


@dataclass(frozen=True)
class EffectiveType:
    """A type with everything decided: *near* and *far* name devices, most important first."""

    spec: BalloonType
    balancing: bool
    spread: bool
    pin_memory: bool
    near: tuple[str, ...]
    far: tuple[str, ...]
    loads: tuple[LoadClass, ...]

    @property
    def name(self) -> str:
        """As the operator calls it."""
        return self.spec.name

    @property
    def overloads(self) -> bool:
        """Whether its CPUs load each other."""
        return any(load.overloads_level_in_balloon for load in self.loads)


@dataclass(frozen=True)
class Types:
    """All types by name, in the order in which they are matched; *reserved* CPUs, if listed."""

    by_name: Mapping[str, EffectiveType]
    reserved: CpuSet


def effective_types(config: BalloonsConfig, allowed: CpuSet, isolated: CpuSet) -> Types:
    """The types of *config* on a machine. Raises HomenodeProblem for what cannot be."""
    listed = _with_built_in(config.balloon_types)
    reserved = _reserved_cpus(config, allowed)
    near_reserved = reserved is not None
    specs = [
        _reserved_type(one, config, reserved) if one.name == RESERVED else one for one in listed
    ]
    check_types(specs, config, near_reserved=near_reserved)
    near = {one.name: near_devices(one) for one in specs}
    if near_reserved:
        near[RESERVED] = (RESERVED_CPUS, *near[RESERVED])
    loads = {load.name: load for load in config.load_classes}
    types = {
        one.name: EffectiveType(
            spec=one,
            balancing=_either(
                one.allocator_topology_balancing, config.allocator_topology_balancing
            ),
            spread=_either(
                one.prefer_spread_on_physical_cores, config.prefer_spread_on_physical_cores
            ),
            pin_memory=_either(one.pin_memory, config.pin_memory),
            near=near[one.name],
            far=far_devices(one.name, near, isolated),
            loads=tuple(loads[name] for name in dict.fromkeys(one.loads)),
        )
        for one in specs
    }
    return Types(types, reserved or NO_CPUS)


def _either(own: Optional[bool], general: bool) -> bool:
    return general if own is None else own


def _with_built_in(types: tuple[BalloonType, ...]) -> tuple[BalloonType, ...]:
    """The built-in types first and last, unless the operator has put them somewhere."""
    names = {one.name for one in types}
    first, last = BalloonType(RESERVED), BalloonType(DEFAULT, min_balloons=1, max_balloons=1)
    before = () if RESERVED in names else (replace(first, allocator_priority=LOW),)
    after = () if DEFAULT in names else (replace(last, allocator_priority=LOW),)
    return (*before, *types, *after)


def _reserved_cpus(config: BalloonsConfig, allowed: CpuSet) -> Optional[CpuSet]:
    """The reserved CPUs where they are listed; None where only their number is given."""
    amount = config.reserved
    if amount.excluded is not None:
        return allowed - amount.excluded
    if amount.cpus is None:
        return None
    outside = amount.cpus - allowed
    if outside:
        raise HomenodeProblem(
            "reservedResources.cpu",
            str(amount.cpus),
            f"ReservedResources cpus {amount.cpus} contains CPUs not in AllowedResources {allowed},"
            f" namely {outside}: invalid reserved cpuset {amount.cpus}, some CPUs ({outside}) are"
            f" not part of the online allowed cpuset ({allowed})",
            "reserve CPUs that are available",
        )
    return amount.cpus


def _reserved_type(
    spec: BalloonType, config: BalloonsConfig, cpus: Optional[CpuSet]
) -> BalloonType:
    """The type of the one reserved balloon, however many are asked for.

    It is as large as what is reserved. Quirk: where CPUs are listed and maxCPUs is not set, its
    minimum is 0, not their number.
    """
    minimum, priority = spec.min_cpus, spec.allocator_priority
    if cpus is not None:
        minimum, priority = minimum or min(len(cpus), spec.max_cpus), NORMAL
    elif config.reserved.millis is not None:
        count = -(-config.reserved.millis // 1000)
        minimum = minimum or count
        if minimum != count or UNLIMITED < spec.max_cpus < count:
            bound = "minCpus" if minimum != count else "maxCpus"
            value = minimum if minimum != count else spec.max_cpus
            raise HomenodeProblem(
                f"balloonTypes.{RESERVED}",
                str(value),
                f"mismatching reserved balloon {bound}: {value} and ReservedResources cpus:"
                f" {config.reserved.millis} mCPU (implies minCpu {count})",
                f"leave {bound} out, or make it agree",
            )
    namespaces = (*spec.namespaces, SYSTEM_NAMESPACE, *config.reserved_namespaces)
    return replace(
        spec,
        min_cpus=minimum,
        allocator_priority=priority,
        namespaces=namespaces,
        min_balloons=1,
        max_balloons=1,
    )
