# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus text exposition, computed from the status at the moment of the scrape.

Nothing is kept by deltas: a gauge is what the cgroups say now. Format: the Prometheus text
format 0.0.4. Out of scope: serving it (``daemon.metrics_server``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.cpuset import CpuSet

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def exposition(current: Mapping[str, Any], counters: Mapping[str, int]) -> str:
    """The whole page, from a status with live readings and the runtime room's counters."""
    containers = current["containers"]
    connected = 1 if current["agent"].get("connected") else 0
    families: list[tuple[str, str, str, Sequence[Sample]]] = [
        (
            "homenode_up",
            "gauge",
            "1 while the agent is connected to the runtime.",
            [({}, connected)],
        ),
        (
            "homenode_container_exclusive_cpus",
            "gauge",
            "CPUs that belong to the container alone.",
            [(_labels(item), _count(item["exclusive"])) for item in containers],
        ),
        (
            "homenode_container_cpus",
            "gauge",
            "CPUs in the container's cpuset, as its cgroup shows them.",
            [(_labels(i), _count(i["actual"]["cpus"])) for i in containers if i.get("actual")],
        ),
        (
            "homenode_container_verified",
            "gauge",
            "1 where the cgroup shows what was granted, 0 where it differs.",
            [
                (_labels(item), 1 if item["verified"] else 0)
                for item in containers
                if item.get("verified") is not None
            ],
        ),
        (
            "homenode_container_memory_bytes",
            "gauge",
            "Memory charged to the container, by NUMA node.",
            [
                ({**_labels(item), "numa_node": str(node)}, size)
                for item in containers
                for node, size in sorted(item.get("numa_bytes", {}).items())
            ],
        ),
        (
            "homenode_problems",
            "gauge",
            "Problems that the status shows.",
            [({}, _problems(current))],
        ),
    ]
    families += [
        (
            f"homenode_runtime_{name}_total",
            "counter",
            f"{name}, since the agent started.",
            [({}, n)],
        )
        for name, n in sorted(counters.items())
    ]
    return "".join(family(*each) for each in families)


def family(name: str, kind: str, text: str, samples: Sequence[Sample]) -> str:
    """All series of one metric, as a page shows them; each label set once."""
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        lines.append(f"{name}{{{inner}}} {value}" if inner else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _labels(container: Mapping[str, Any]) -> Labels:
    namespace, pod, name = container["name"].split("/", 2)
    return {"namespace": namespace, "pod": pod, "container": name}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _count(cpus: str) -> int:
    return len(CpuSet.parse(cpus))


def _problems(current: Mapping[str, Any]) -> int:
    inside = sum(len(container["problems"]) for container in current["containers"])
    return inside + len(current["failed"]) + len(current["agent"].get("problems", ()))
