# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the specs of both policy objects have in common (pinning.md §2.1).

Accepted and not obeyed: logging, instrumentation, and the configuration of RDT and block I/O;
whoever sets them is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.fields import Fields
from model.problem import Problem

from .class_objects import cpu_classes, cpu_classes_by_name, scheduling_classes
from .cpu_amount import cpu_amount
from .object_tables import Read, Table, boolean, globs, read_object

CONTROL, AGENT = "control", "agent"
"""Attributes that are no field of a configuration yet: ``policy_objects`` takes them apart."""


def _not_obeyed(why: str, remedy: str) -> Read:
    def read(fields: Fields, key: str) -> tuple[Problem, ...]:
        section = fields.section(key)
        names = section.names() if section is not None else ()
        return (Problem(fields.name(key), ", ".join(names), why, remedy, fields.source),)

    return read


def _section(table: Table) -> Read:
    def read(fields: Fields, key: str) -> Mapping[str, Any]:
        section = fields.section(key)
        return {} if section is None else read_object(section, table)

    return read


_CONTROL: Table = {
    "cpu": ("cpu", _section({"classes": ("classes", cpu_classes_by_name)})),
    "rdt": (
        "rdt",
        _not_obeyed(
            "is not obeyed: classes are passed to the runtime, which has to know them",
            "define the classes in the runtime's RDT configuration",
        ),
    ),
    "blockio": (
        "blockio",
        _not_obeyed(
            "is not obeyed: classes are passed to the runtime, which has to know them",
            "define the classes in the runtime's block I/O configuration",
        ),
    ),
}

_AGENT: Table = {
    "nodeResourceTopology": ("node_resource_topology", boolean),
    "podResourceAPI": ("pod_resources", boolean),
}

COMMON: Table = {
    "pinCPU": ("pin_cpu", boolean),
    "pinMemory": ("pin_memory", boolean),
    "availableResources": ("available", cpu_amount("available")),
    "reservedResources": ("reserved", cpu_amount("reserved")),
    "reservedPoolNamespaces": ("reserved_namespaces", globs),
    "schedulingClasses": ("scheduling_classes", scheduling_classes),
    "cpuClasses": ("cpu_classes", cpu_classes),
    "controllableInterrupts": ("controllable_interrupts", globs),
    "control": (CONTROL, _section(_CONTROL)),
    "agent": (AGENT, _section(_AGENT)),
    "log": (
        "log",
        _not_obeyed("is not obeyed: homenode has a journal", "see homenode status and its journal"),
    ),
    "instrumentation": (
        "instrumentation",
        _not_obeyed("is not obeyed: homenode's own metrics stand", "set metrics.listen instead"),
    ),
}
