# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Balloon types that contradict themselves or each other are refused, in upstream's words.

Out of scope: the form of the object (``intent.policy_objects``), and the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homenode.intent.policy_config import UNLIMITED, BalloonsConfig, BalloonType
from model.problem import HomenodeProblem

RESERVED, DEFAULT = "reserved", "default"
"""The built-in types."""

ALL, BALANCED = "all", "balance-balloons"
"""The ways to create components."""


def check_types(
    types: Sequence[BalloonType], config: BalloonsConfig, *, near_reserved: bool
) -> None:
    """Raise HomenodeProblem for the first contradiction.

    *near_reserved* says that the reserved type has CPUs listed for it, which no composite can.
    """
    _check_names(types)
    for one in types:
        _check_bounds(one)
        _check_composite(one, near_reserved=near_reserved and one.name == RESERVED)
    loads = {load.name for load in config.load_classes}
    scheduling = {one.name for one in config.scheduling_classes}
    for load in config.load_classes:
        if not load.name or not load.level:
            raise _refused("loadClasses", load.name, "missing or empty name, or missing level")
    for one in types:
        missing = [name for name in one.loads if name not in loads]
        if missing:
            why = f"loads defined in balloonTypes but missing from loadClasses: {missing}"
            raise _refused("loads", one.name, why)
        if one.scheduling_class and one.scheduling_class not in scheduling:
            why = (
                "schedulingClass(es) defined in balloonTypes but missing from schedulingClasses:"
                f" {one.scheduling_class}"
            )
            raise _refused("schedulingClass", one.name, why)
    by_name = {one.name: one for one in types}
    for one in types:
        _check_components(one, by_name)


def _check_names(types: Sequence[BalloonType]) -> None:
    names = [one.name for one in types]
    for name in names:
        if not name:
            raise _refused("name", name, "missing or empty name in a balloon type")
        if names.count(name) > 1:
            raise _refused("name", name, f'two balloon types with the same name: "{name}"')


def _check_bounds(one: BalloonType) -> None:
    for what, least, most in (
        ("Cpus", one.min_cpus, one.max_cpus),
        ("Balloons", one.min_balloons, one.max_balloons),
    ):
        if most != UNLIMITED and least > most:
            why = f'Min{what} ({least}) > Max{what} ({most}) in balloon type "{one.name}"'
            raise _refused(f"max{what}", one.name, why)


def _check_composite(one: BalloonType, *, near_reserved: bool) -> None:
    if not one.components:
        if one.component_creation == BALANCED:
            why = f'ComponentCreation mode "{one.component_creation}" without components'
            raise _refused("componentCreation", one.name, why)
        return
    if one.component_creation not in (ALL, BALANCED):
        raise _refused("componentCreation", one.name, "unknown ComponentCreation mode")
    if one.cpu_class:
        why = f'composite balloon "{one.name}" cannot have CpuClasses'
        raise _refused("cpuClass", one.name, why)
    options = {
        "PreferSpreadOnPhysicalCores": one.prefer_spread_on_physical_cores is not None,
        "AllocatorTopologyBalancing": one.allocator_topology_balancing is not None,
        "PreferCloseToDevices": bool(one.prefer_close_to_devices) or near_reserved,
        "PreferIsolCpus": one.prefer_isol_cpus,
        "PreferCoreType": bool(one.prefer_core_type),
    }
    forbidden = [name for name, given in options.items() if given]
    if forbidden:
        why = (
            f'CPU allocation options not allowed in composite balloons, but "{one.name}" has:'
            f" {', '.join(forbidden)}"
        )
        raise _refused("components", one.name, why)


def _check_components(
    one: BalloonType, types: Mapping[str, BalloonType], above: tuple[str, ...] = ()
) -> None:
    if one.name in above:
        why = f'circular composition detected in composite balloon "{one.name}"'
        raise _refused("components", one.name, why)
    for name in one.components:
        if name not in types:
            why = (
                f'balloon type "{name}" in composite balloon "{one.name}" is not defined in'
                " balloonTypes"
            )
            raise _refused("components", one.name, why)
        _check_components(types[name], types, (*above, one.name))


def _refused(field: str, name: str, why: str) -> HomenodeProblem:
    return HomenodeProblem(
        f"balloonTypes.{field}", name, f"invalid configuration: {why}", "correct the balloon type"
    )
