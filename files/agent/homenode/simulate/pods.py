# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods of a scenario: names, labels, annotations, and what their containers ask for, exactly.

Out of scope: resources other than CPU and memory; they are read and left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.asked import (
    CPU,
    MEMORY,
    Amount,
    AskedAmounts,
    asked_amount,
    millis,
    qos_class,
    read_amounts,
)
from model.fields import Fields
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED

__all__ = ["CPU", "MEMORY", "AskedAmounts", "millis", "read_amounts"]

MAX_CONTAINERS = 1000


@dataclass(frozen=True)
class ScenarioContainer:
    """One container; *devices* and *mounts* are paths of which some may be near to a NUMA node."""

    name: str
    amounts: AskedAmounts
    devices: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()

    def amount(self, resource: str) -> Amount:
        """What is asked of *resource*."""
        return asked_amount(self.amounts, resource)


@dataclass(frozen=True)
class ScenarioPod:
    """One pod; *qos_class* is the one given, or that of Kubernetes' rule."""

    name: str
    namespace: str
    qos_class: str
    init_containers: tuple[ScenarioContainer, ...]
    containers: tuple[ScenarioContainer, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def read_pod(fields: Fields) -> ScenarioPod:
    """A pod to be created. Raises HomenodeProblem for two containers of one name, or for none."""
    name, namespace = _name(fields, "name"), _name(fields, "namespace", "default")
    given = fields.scalar("qos", "")
    init_containers = _read_containers(fields, "init_containers")
    containers = _read_containers(fields, "containers")
    if not containers:
        raise fields.wrong("containers", "there is none", "give one at least")
    names = [one.name for one in init_containers + containers]
    if len({*names}) < len(names):
        raise fields.wrong("containers", "two have the same name", "give each its own")
    if given not in ("", GUARANTEED, BURSTABLE, BEST_EFFORT):
        remedy = f"use {GUARANTEED}, {BURSTABLE} or {BEST_EFFORT}, or leave it out"
        raise fields.wrong("qos", "is no QoS class", remedy)
    pod = ScenarioPod(
        name=name,
        namespace=namespace,
        qos_class=given or qos_class(one.amounts for one in init_containers + containers),
        init_containers=init_containers,
        containers=containers,
        labels=_read_texts(fields, "labels"),
        annotations=_read_texts(fields, "annotations"),
    )
    fields.refuse_unknown()
    return pod


def _read_containers(fields: Fields, key: str) -> tuple[ScenarioContainer, ...]:
    return tuple(_read_container(one) for one in fields.sections(key, most=MAX_CONTAINERS))


def _read_container(fields: Fields) -> ScenarioContainer:
    container = ScenarioContainer(
        name=_name(fields, "name"),
        amounts=read_amounts(fields),
        devices=fields.texts("devices", most=MAX_CONTAINERS),
        mounts=fields.texts("mounts", most=MAX_CONTAINERS),
    )
    fields.refuse_unknown()
    return container


def _read_texts(fields: Fields, key: str) -> dict[str, str]:
    """Labels or annotations; YAML's booleans are taken for the texts that they were meant to be."""
    listed = fields.section(key)
    return {} if listed is None else {name: listed.scalar(name, "") for name in listed.names()}


def _name(fields: Fields, key: str, default: str = "") -> str:
    name = fields.scalar(key, default)
    if not name or "/" in name:
        raise fields.wrong(key, "is no name", "give one without a slash")
    return name
