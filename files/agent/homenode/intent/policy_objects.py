# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``TopologyAwarePolicy`` and ``BalloonsPolicy`` objects as people write them, into typed values.

Strict: an unknown key, a wrong type, a value out of bounds refuses the whole object. What is
accepted and not obeyed becomes a note. Defaults are those that a cluster fills in. Out of scope:
reading files, and whatever only a machine can refute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Union

from model.fields import Fields
from model.problem import HomenodeProblem, Problem

from .balloons_object import BALLOONS
from .common_object import AGENT, CONTROL
from .object_tables import Table, read_object
from .policy_config import BalloonsConfig, CpuAmount, CpuClass, TopologyAwareConfig
from .topology_aware_object import TOPOLOGY_AWARE

PolicyConfig = Union[TopologyAwareConfig, BalloonsConfig]

TOPOLOGY_AWARE_KIND, BALLOONS_KIND = "TopologyAwarePolicy", "BalloonsPolicy"
API_VERSION = "config.nri/v1alpha1"

_TABLES: Mapping[str, Table] = {TOPOLOGY_AWARE_KIND: TOPOLOGY_AWARE, BALLOONS_KIND: BALLOONS}
_IGNORED = ("metadata", "status")

MAX_NOTES = 16
"""More settings that are not obeyed are counted: the status must not grow with the object."""


def parse_policy(value: object, *, source: str) -> PolicyConfig:
    """The configuration in a whole object. Raises HomenodeProblem for the first thing wrong."""
    top = Fields(value, source=source)
    top.text("apiVersion", API_VERSION, choices=(API_VERSION,))
    kind = top.text("kind", "", choices=tuple(_TABLES))
    for key in _IGNORED:
        top.section(key)
    spec = top.section("spec")
    top.refuse_unknown()
    if spec is None:
        raise top.wrong("spec", "is missing", "write the policy's settings there")
    return _config(kind, spec)


def parse_spec(kind: str, spec: object, *, source: str, path: str = "") -> PolicyConfig:
    """The configuration in the spec of an object of *kind*, TOPOLOGY_AWARE_KIND or BALLOONS_KIND.

    *path* is where it stands in *source*. Raises HomenodeProblem for the first thing wrong.
    """
    return _config(kind, Fields(spec, source=source, path=path))


def _config(kind: str, spec: Fields) -> PolicyConfig:
    values = read_object(spec, _TABLES[kind])
    control = values.pop(CONTROL, {})
    notes = [note for key in ("rdt", "blockio") for note in control.get(key, ())]
    notes += [note for key in ("log", "instrumentation") for note in values.pop(key, ())]
    if AGENT in values:
        values.update({"node_resource_topology": False, **values.pop(AGENT)})
    if values.get("reserved", CpuAmount()) == CpuAmount():
        raise HomenodeProblem(
            spec.name("reservedResources.cpu"),
            "",
            "cannot start without CPU reservation",
            "write a number of CPUs such as 750m, or cpuset:LIST",
            source=spec.source,
        )
    notes += _beyond_us(values.get("cpu_classes", ()), spec)
    if kind == TOPOLOGY_AWARE_KIND:
        values["reserved_cpu_class"] = values.get("reserved_cpu_class") or values.get(
            "shared_cpu_class", ""
        )
        return TopologyAwareConfig(**values, notes=_bounded(notes))
    config = BalloonsConfig(**values)
    config = _with_deprecated_classes(config, control.get("cpu", {}))
    return replace(config, notes=_bounded([*notes, *_undefined_classes(config, spec)]))


def _bounded(notes: list[Problem]) -> tuple[Problem, ...]:
    if len(notes) <= MAX_NOTES:
        return tuple(notes)
    left = str(len(notes) - MAX_NOTES)
    more = Problem("pinning", left, "more settings are not obeyed", "mend the others, then look")
    return (*notes[:MAX_NOTES], more)


def _beyond_us(classes: Iterable[CpuClass], spec: Fields) -> Iterator[Problem]:
    """Settings that only Intel's own tools can make, so far."""
    for one in classes:
        keys = {
            "pctPriority": one.pct_priority,
            "sstClosID": one.sst_clos_id is not None,
            "uncoreMinFreq": one.uncore_min_freq,
            "uncoreMaxFreq": one.uncore_max_freq,
        }
        said = ", ".join(key for key, value in keys.items() if value)
        if said:
            why = "is read and not applied: it needs a device that homenode does not touch"
            yield Problem(
                spec.name(f"cpuClasses.{one.name}"), said, why, "set it by hand", spec.source
            )


def _with_deprecated_classes(config: BalloonsConfig, cpu: Mapping[str, Any]) -> BalloonsConfig:
    """``control.cpu.classes`` count where ``cpuClasses`` has none of that name."""
    defined = {one.name for one in config.cpu_classes}
    older = tuple(one for one in cpu.get("classes", ()) if one.name not in defined)
    return replace(config, cpu_classes=config.cpu_classes + older)


def _undefined_classes(config: BalloonsConfig, spec: Fields) -> Iterator[Problem]:
    defined = {one.name for one in config.cpu_classes}
    used = {f"balloonTypes.{one.name}.cpuClass": one.cpu_class for one in config.balloon_types}
    for key, name in {**used, "idleCPUClass": config.idle_cpu_class}.items():
        if name and name not in defined:
            why = "is not defined in cpuClasses, so its CPUs are left as they are"
            yield Problem(spec.name(key), name, why, "define the class", spec.source)
