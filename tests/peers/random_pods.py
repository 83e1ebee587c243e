# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random pods: steps that create and delete, with annotations of both policies."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Optional

DOMAIN = ".resource-policy.nri.io"
BALLOON = f"balloon.balloons{DOMAIN}"

CPUS = ("100m", "250m", "500m", "750m", "1", "1", "1500m", "2", "2", "2500m", "3", "4", "5", "7")
MEMORY = ("50M", "100M", "200M", "400M", "700M", "1200M", "2G")
NAMESPACES = ("default", "default", "default", "kube-system", "blue", "green")
LABELS: tuple[dict[str, str], ...] = ({}, {}, {"app": "db"}, {"app": "web"})

WORDS = {
    "prefer-shared-cpus": ("true", "false"),
    "prefer-isolated-cpus": ("true", "false"),
    "require-isolated-cpus": ("false", "true"),
    "prefer-reserved-cpus": ("true", "false"),
    "prefer-cpu-priority": ("high", "normal", "low", "none"),
    "hide-hyperthreads": ("true", "false"),
    "cpu.preserve": ("true",),
    "memory.preserve": ("true",),
    "unlimited-burstable": ("system", "package", "die", "numa", "l3cache"),
    "test.topologyhints": (
        '{ a: { Provider: a, NUMAs: "0" } }',
        '{ a: { Provider: a, NUMAs: "1" } }',
        '{ a: { Provider: a, CPUs: "2-3" } }',
        '{ a: { Provider: a, Sockets: "0" } }',
    ),
    "strict.topologyhints": ("true",),
}
"""What annotations may say, by key."""

AFFINITY = """{name}c0:
- scope: {{key: namespace, operator: AlwaysTrue}}
  match: {{key: pod/labels/app, operator: Equals, values: [{app}]}}
  weight: {weight}
"""


@dataclass(frozen=True)
class Surroundings:
    """What pods may name: balloon *types* (none under topology-aware), kinds of memory."""

    types: tuple[str, ...]
    memory_types: tuple[str, ...]


def random_steps(
    chance: random.Random, around: Surroundings, count: int = 14
) -> list[dict[str, Any]]:
    """*count* steps: pods come and go."""
    alive: list[str] = []
    steps: list[dict[str, Any]] = []
    for number in range(count):
        what = chance.random()
        if alive and what < 0.22:
            steps.append({"delete": alive.pop(chance.randrange(len(alive)))})
            continue
        pod = random_pod(chance, f"p{number}", around)
        alive.append(f"{pod.get('namespace', 'default')}/{pod['name']}")
        steps.append({"create": pod})
    return steps


def random_pod(chance: random.Random, name: str, around: Surroundings) -> dict[str, Any]:
    """One pod of up to three containers."""
    pod: dict[str, Any] = {"name": name}
    namespace = chance.choice(NAMESPACES)
    if namespace != "default":
        pod["namespace"] = namespace
    labels = chance.choice(LABELS)
    if labels:
        pod["labels"] = dict(labels)
    annotations = _annotations(chance, name, around)
    if annotations:
        pod["annotations"] = annotations
    kind = chance.choice(("guaranteed", "guaranteed", "burstable", "besteffort"))
    containers = []
    for number in range(chance.choice((1, 1, 1, 2, 3))):
        containers.append({"name": f"{name}c{number}", **_resources(chance, kind)})
    pod["containers"] = containers
    return pod


def _annotations(chance: random.Random, name: str, around: Surroundings) -> dict[str, str]:
    found = {}
    if around.types and chance.random() < 0.7:
        found[BALLOON] = chance.choice(around.types)
    if chance.random() < 0.15:
        several = chance.sample(around.memory_types, chance.randint(1, len(around.memory_types)))
        found[f"memory-type{DOMAIN}/pod"] = ",".join(several)
    for _number in range(chance.choice((0, 0, 0, 1, 2))):
        key = chance.choice(sorted(WORDS))
        scope = chance.choice(("", "/pod", f"/container.{name}c0"))
        found[f"{key}{DOMAIN}{scope}"] = chance.choice(WORDS[key])
    if not around.types and chance.random() < 0.15:
        key = chance.choice(("affinity", "anti-affinity"))
        found[f"resource-policy.nri.io/{key}"] = AFFINITY.format(
            name=name, app=chance.choice(("db", "web")), weight=chance.choice((1, 3, 20))
        )
    return found


def _resources(chance: random.Random, kind: str) -> dict[str, Any]:
    if kind == "besteffort":
        return {}
    cpu, memory = chance.choice(CPUS), chance.choice(MEMORY)
    if kind == "guaranteed":
        return {"limits": {"cpu": cpu, "memory": memory}}
    limit: Optional[str] = chance.choice((None, None, "2", "4", "8"))
    limits = {} if limit is None or _millis(limit) < _millis(cpu) else {"cpu": limit}
    if chance.random() < 0.5:
        limits["memory"] = "3G"
    found: dict[str, Any] = {"requests": {"cpu": cpu, "memory": memory}}
    return {**found, "limits": limits} if limits else found


def _millis(text: str) -> int:
    return int(text[:-1]) if text.endswith("m") else 1000 * int(text)
