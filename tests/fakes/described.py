# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines by the names that pinning.md gives them, and containers on them, for tests of policies.

The machines are those of ``tests/peers/machines.yaml``. Out of scope: the words of annotations;
what a container wants is given as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from homenode.intent.policy_config import CpuAmount, TopologyAwareConfig
from homenode.intent.tenant import NO_INTENT, TenantIntent
from homenode.pinning.policy import Ask, Hint, Outcome, Placed
from homenode.pinning.topology_aware.books import Books
from homenode.pinning.topology_aware.policy import TopologyAware
from homenode.simulate.machine import read_machine
from model.fields import Fields
from model.machine import Machine
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED, NOT_OURS, Placement, Pod

MIB, GIB = 1 << 20, 1 << 30
_MACHINES = Path(__file__).parents[1] / "peers" / "machines.yaml"


@cache
def described(name: str) -> Machine:
    """A machine by its name."""
    return machine(yaml.safe_load(_MACHINES.read_text(encoding="utf-8"))[name])


def machine(content: Mapping[str, Any]) -> Machine:
    """A machine as ``homenode simulate`` takes it."""
    return read_machine(Fields(content, source="machine"))


def config(**values: Any) -> TopologyAwareConfig:
    """As in upstream's tests: 750m are reserved, nothing is preferred."""
    values.setdefault("reserved", CpuAmount(millis=750))
    values.setdefault("prefer_isolated_cpus", False)
    return TopologyAwareConfig(**values)


def guaranteed(name: str, millis: int, **values: Any) -> Ask:
    """Requests are limits."""
    values.setdefault("memory", 100 * MIB)
    return ask(name, GUARANTEED, cpu=millis, limit=millis, **values)


def burstable(name: str, millis: int, limit: int = 0, **values: Any) -> Ask:
    """No memory limit, unless given."""
    return ask(name, BURSTABLE, cpu=millis, limit=limit, **values)


def best_effort(name: str, **values: Any) -> Ask:
    """Asks for nothing."""
    return ask(name, BEST_EFFORT, **values)


def ask(
    name: str,
    qos_class: str,
    *,
    cpu: int = 0,
    limit: int = 0,
    memory: int = 0,
    memory_limit: int = -1,
    namespace: str = "default",
    pod: str = "",
    intent: TenantIntent = NO_INTENT,
    hints: tuple[Hint, ...] = (),
    order: int = 0,
    given: Placement = NOT_OURS,
) -> Ask:
    """A container whose id is its name, alone in a pod of the same name, unless *pod* is named."""
    if memory_limit < 0:
        memory_limit = memory if qos_class == GUARANTEED else 0
    pod = pod or f"pod-{name}"
    return Ask(
        container_id=name,
        name=name,
        pod=Pod(f"{namespace}-{pod}", pod, namespace, pod),
        qos_class=qos_class,
        cpu_request=cpu,
        cpu_limit=limit,
        memory_request=memory,
        memory_limit=memory_limit,
        intent=intent,
        hints=hints,
        order=order,
        given=given,
    )


class Node:
    """A machine on which containers are created and deleted, and what each has at the moment."""

    def __init__(self, name: str, **values: Any) -> None:
        self.policy = TopologyAware(described(name), config(**values))
        self.books: Books = self.policy.start()
        self.placed: dict[str, Placed] = {}

    def create(self, *asks: Ask) -> list[str]:
        """The CPUs of each of *asks*, one after the other."""
        return [self._create(each) for each in asks]

    def _create(self, each: Ask) -> str:
        self.after(each.container_id, self.policy.place(self.books, each))
        return self.cpus(each.container_id)

    def delete(self, *names: str) -> None:
        """They end."""
        for name in names:
            del self.placed[name]
            self.after(name, self.policy.release(self.books, name))

    def after(self, name: str, outcome: Outcome) -> None:
        """Take over what came of something that was done about *name*."""
        self.books = outcome.books
        self.placed.update(outcome.changed)
        if outcome.placed is not None:
            self.placed[name] = outcome.placed

    def cpus(self, name: str) -> str:
        """As a list; "" where they are not ours to say."""
        return str(self.placed[name].placement.cpus or "")

    def mems(self, name: str) -> str:
        """As a list; "" where they are not ours to say."""
        return str(self.placed[name].placement.mems or "")
