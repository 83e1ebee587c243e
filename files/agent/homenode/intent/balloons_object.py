# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spec of ``BalloonsPolicy``, key by key (pinning.md §3.1, §3.2).

Out of scope: types that contradict each other (``pinning.balloons.validation``).
"""

from __future__ import annotations

from typing import Any

from model.fields import Fields
from model.problem import HomenodeProblem

from .common_object import COMMON
from .expressions import check_template
from .object_tables import (
    MAX_ENTRIES,
    Table,
    boolean,
    expressions,
    globs,
    one_of,
    read_object,
    text,
    texts,
    whole,
)
from .policy_config import NO_CPUS_AT_ALL, BalloonType, LoadClass
from .tenant import LEVELS, MEMORY_TYPES, PRIORITIES, Expression

CREATIONS = ("all", "balance-balloons")
LOAD_LEVELS = ("l2cache", "core")
SHARE_LEVELS = tuple(level for level in LEVELS if level != "l3cache")
NOT_SHARED = "none"


def _types(fields: Fields, key: str) -> tuple[BalloonType, ...]:
    return tuple(map(_type, fields.sections(key, most=MAX_ENTRIES)))


def _type(entry: Fields) -> BalloonType:
    values = read_object(entry, BALLOON_TYPE)
    if values.get("component_creation") == "":
        del values["component_creation"]
    if "component_creation" in values and not values.get("components"):
        why = (
            f'ComponentCreation mode "{values["component_creation"]}" specified but no components'
            f' defined in balloon type "{values.get("name", "")}"'
        )
        raise entry.wrong("componentCreation", why, "list components, or take it away")
    return BalloonType(**{"name": "", **values})


def _components(fields: Fields, key: str) -> tuple[str, ...]:
    names = []
    for entry in fields.sections(key, most=MAX_ENTRIES):
        name = read_object(entry, {"balloonType": ("name", text)}).get("name")
        if not name:
            why = "missing or empty component balloonType name"
            raise entry.wrong("balloonType", why, "name the type of the component")
        names.append(name)
    return tuple(names)


def _group_by(fields: Fields, key: str) -> str:
    template = text(fields, key)
    try:
        check_template(template)
    except HomenodeProblem as error:
        raise fields.wrong(key, error.problem.why, error.problem.remedy) from None
    return template


def _memory_types(fields: Fields, key: str) -> frozenset[str]:
    types = [name.upper() for name in texts(fields, key)]
    for name in types:
        if name not in MEMORY_TYPES:
            why = f"invalid memory type: {name}, expected DRAM, HBM, or PMEM"
            raise fields.wrong(key, why, "use some of: " + ", ".join(MEMORY_TYPES))
    return frozenset(types)


def _priority(fields: Fields, key: str) -> str:
    """By name; CRI-RM counts them from 0."""
    said = text(fields, key).lower()
    priority = PRIORITIES[int(said)] if said in ("0", "1", "2", "3") else said
    if priority not in PRIORITIES:
        raise fields.wrong(key, "is not a known choice", "use one of: " + ", ".join(PRIORITIES))
    return priority


def _shared_level(fields: Fields, key: str) -> str:
    level = one_of("", NOT_SHARED, *SHARE_LEVELS)(fields, key)
    return "" if level == NOT_SHARED else str(level)


def _preserve(fields: Fields, key: str) -> tuple[Expression, ...]:
    section = fields.section(key)
    if section is None:
        return ()
    found: dict[str, Any] = read_object(section, {"matchExpressions": ("preserve", expressions)})
    return tuple(found.get("preserve", ()))


def _load_classes(fields: Fields, key: str) -> tuple[LoadClass, ...]:
    found = []
    for entry in fields.sections(key, most=MAX_ENTRIES):
        values = read_object(entry, _LOAD_CLASS)
        if not values.get("name"):
            raise entry.wrong("name", "missing or empty name of a load class", "give it one")
        if "level" not in values:
            why = f'missing or invalid level in load class "{values["name"]}"'
            raise entry.wrong("level", why, "use one of: " + ", ".join(LOAD_LEVELS))
        found.append(LoadClass(**values))
    return tuple(found)


_LOAD_CLASS: Table = {
    "name": ("name", text),
    "level": ("level", one_of(*LOAD_LEVELS)),
    "overloadsLevelInBalloon": ("overloads_level_in_balloon", boolean),
}

BALLOON_TYPE: Table = {
    "name": ("name", text),
    "components": ("components", _components),
    "componentCreation": ("component_creation", one_of("", *CREATIONS)),
    "namespaces": ("namespaces", globs),
    "matchExpressions": ("match_expressions", expressions),
    "groupBy": ("group_by", _group_by),
    "minCPUs": ("min_cpus", whole(0)),
    "maxCPUs": ("max_cpus", whole(NO_CPUS_AT_ALL)),
    "minBalloons": ("min_balloons", whole(0)),
    "maxBalloons": ("max_balloons", whole(0)),
    "allocatorPriority": ("allocator_priority", _priority),
    "preferNewBalloons": ("prefer_new_balloons", boolean),
    "preferSpreadingPods": ("prefer_spreading_pods", boolean),
    "preferPerNamespaceBalloon": ("prefer_per_namespace_balloon", boolean),
    "shareIdleCPUsInSame": ("share_idle_cpus_in_same", _shared_level),
    "hideHyperthreads": ("hide_hyperthreads", boolean),
    "allocatorTopologyBalancing": ("allocator_topology_balancing", boolean),
    "preferSpreadOnPhysicalCores": ("prefer_spread_on_physical_cores", boolean),
    "preferCloseToDevices": ("prefer_close_to_devices", texts),
    "preferIsolCpus": ("prefer_isol_cpus", boolean),
    "preferCoreType": ("prefer_core_type", one_of("", "efficient", "performance")),
    "memoryTypes": ("memory_types", _memory_types),
    "pinMemory": ("pin_memory", boolean),
    "cpuClass": ("cpu_class", text),
    "schedulingClass": ("scheduling_class", text),
    "loads": ("loads", texts),
    "showContainersInNrt": ("show_containers_in_nrt", boolean),
    "irqClaim": ("irq_claim", globs),
    "irqMode": ("irq_mode", one_of("", "sink", "isolate")),
}

BALLOONS: Table = {
    **COMMON,
    "idleCPUClass": ("idle_cpu_class", text),
    "allocatorTopologyBalancing": ("allocator_topology_balancing", boolean),
    "preferSpreadOnPhysicalCores": ("prefer_spread_on_physical_cores", boolean),
    "balloonTypes": ("balloon_types", _types),
    "preserve": ("preserve", _preserve),
    "showContainersInNrt": ("show_containers_in_nrt", boolean),
    "loadClasses": ("load_classes", _load_classes),
    "turboDomain": ("turbo_domain", one_of("package", "system")),
}
