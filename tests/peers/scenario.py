# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios in the form of ``homenode simulate``, and what the kubelet would make of their pods.

Quantities are exact. Sources: pinning.md §2.2 for what a runtime is told, KEP-2570 and
pkg/kubelet/cm/helpers_linux.go, pkg/kubelet/qos/policy.go for the numbers. Out of scope: checking
a scenario; it is ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from fake_runtime.kubelet import BEST_EFFORT, BURSTABLE, GUARANTEED, PERIOD_US, Figures
from model.quantity import Quantity

RESOURCES_ANNOTATION = "noderesource.dev/resources"
"""Where the peers take exact requests and limits from, see pinning.md §5.6."""

MAX_SHARES = 1 << 18


@dataclass(frozen=True)
class Container:
    """One container of a pod; quantities as written, limits without requests already set them."""

    name: str
    requests: Mapping[str, str]
    limits: Mapping[str, str]

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Container:
        """From a scenario."""
        limits = {key: str(value) for key, value in (item.get("limits") or {}).items()}
        requests = {key: str(value) for key, value in (item.get("requests") or {}).items()}
        return cls(item.get("name", ""), {**limits, **requests}, limits)


@dataclass(frozen=True)
class Pod:
    """One pod of a scenario."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    qos: str
    init_containers: tuple[Container, ...]
    containers: tuple[Container, ...]

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Pod:
        """From a ``create`` step."""
        first = tuple(map(Container.read, item.get("init_containers") or ()))
        then = tuple(map(Container.read, item["containers"]))
        return cls(
            name=item["name"],
            namespace=item.get("namespace") or "default",
            labels=dict(item.get("labels") or {}),
            annotations={k: str(v) for k, v in (item.get("annotations") or {}).items()},
            qos=item.get("qos") or qos_class(first + then),
            init_containers=first,
            containers=then,
        )

    def annotations_with_resources(self) -> dict[str, str]:
        """The annotations, and the exact resources of every container beside them."""
        exact = {
            one.name: {"requests": dict(one.requests), "limits": dict(one.limits)}
            for one in self.init_containers + self.containers
        }
        text = json.dumps({"initContainers": {}, "containers": exact})
        return {**self.annotations, RESOURCES_ANNOTATION: text}


def qos_class(containers: tuple[Container, ...]) -> str:
    """Kubernetes' rule: who says nothing, who limits all to what it requests, everybody else."""
    amounts = [
        (_value(one.requests, name), _value(one.limits, name))
        for one in containers
        for name in ("cpu", "memory")
    ]
    if not any(request or limit for request, limit in amounts):
        return BEST_EFFORT
    if all(limit and request == limit for request, limit in amounts):
        return GUARANTEED
    return BURSTABLE


def figures(qos: str, container: Container, memory_of_machine: int) -> Figures:
    """The numbers that the kubelet gives the runtime for *container*."""
    request = -(-_value(container.requests, "cpu") // 1_000_000)
    limit = -(-_value(container.limits, "cpu") // 1_000_000)
    memory = _value(container.requests, "memory") // 10**9
    adj = {GUARANTEED: -997, BEST_EFFORT: 1000}.get(qos)
    if adj is None:
        adj = min(999, max(3, 1000 - 1000 * memory // memory_of_machine))
    return Figures(
        shares=min(MAX_SHARES, max(2, request * 1024 // 1000)),
        quota=max(1000, limit * PERIOD_US // 1000) if limit else None,
        period=PERIOD_US,
        memory_limit=_value(container.limits, "memory") // 10**9 or None,
        oom_score_adj=adj,
    )


def full_pod_name(name: str) -> str:
    """A bare name means the default namespace."""
    return name if "/" in name else f"default/{name}"


def full_container_name(name: str) -> str:
    """``[namespace/]pod/container`` in full."""
    return name if name.count("/") == 2 else f"default/{name}"


def _value(amounts: Mapping[str, str], name: str) -> int:
    """In billionths; 0 where there is none."""
    text: Optional[str] = amounts.get(name)
    return 0 if text is None else Quantity.parse(text, field=name).nanos
