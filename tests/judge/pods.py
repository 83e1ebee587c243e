# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of pods as data: on which machine, with which profile, who comes, and what each gets.

A file in ``pods/`` is a list of rows; README.md explains the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import yaml

from judge import build
from judge.topology import Topology, topology
from model.kubelet.split import PROPORTIONAL

FOLDER = Path(__file__).resolve().parent / "pods"
MACHINES = "machines.yaml"
BYSTANDER = "bystander"
VERSIONS = {"new": (build.NEW,), "old": (build.OLD,), "both": (build.NEW, build.OLD)}
ROW_KEYS = {
    "name",
    "machine",
    "profile",
    "set",
    "reserved_cpus",
    "split",
    "by_hand",
    "apart",
    "versions",
    "bystander",
    "steps",
    "variants",
    "warns",
    "metrics",
}
STEP_KEYS = {"pod", "containers", "refused", "remove", "restart_without", "resources", "created"}
KINDS = {"init": False, "sidecar": True}
"""Containers that come first, and whether they stay."""


@dataclass(frozen=True)
class Pod:
    """A static pod. *waits*: it has an init container, which never ends in this runtime."""

    name: str
    manifest: Mapping[str, Any]
    containers: Mapping[str, Mapping[str, Any]]
    refused: Optional[Mapping[str, str]] = None

    @property
    def first(self) -> str:
        """The container that is made first."""
        early = [name for name, told in self.containers.items() if told.get("kind") in KINDS]
        return (early or list(self.containers))[0]

    @property
    def waits(self) -> bool:
        """Whether some containers are never made."""
        return any(told.get("kind") == "init" for told in self.containers.values())


@dataclass(frozen=True)
class Step:
    """A pod comes, or goes, or the kubelet starts again with these state files deleted."""

    pod: Optional[Pod] = None
    remove: str = ""
    restart_without: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """*settings* go over the profile's; *warns* is a part of our warning; *metrics* are rises.

    *by_hand* are shares that the kubelet gets although our plan refuses them. *apart* are
    containers whose CPUs and memory end on different nodes.
    """

    name: str
    version: str
    topology: Topology
    profile: str
    settings: Mapping[str, Any]
    steps: tuple[Step, ...]
    bystander: Pod
    reserved_cpus: int = 0
    split: object = PROPORTIONAL
    by_hand: Mapping[int, str] = field(default_factory=dict)
    apart: Sequence[str] = ()
    warns: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def pods(self) -> dict[str, Pod]:
        """All pods that come, by name."""
        coming = [step.pod for step in self.steps if step.pod is not None]
        return {pod.name: pod for pod in (self.bystander, *coming)}

    @property
    def refusals(self) -> list[Mapping[str, str]]:
        """Reason and message of each pod that is refused."""
        return [pod.refused for pod in self.pods.values() if pod.refused]


def load(folder: Path = FOLDER) -> dict[str, Row]:
    """All rows by version and name. Raises ValueError for keys or names that make no sense."""
    machines = yaml.safe_load((folder / MACHINES).read_text())
    shapes = {name: topology(data) for name, data in machines.items()}
    found: dict[str, Row] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name != MACHINES:
            for item in yaml.safe_load(path.read_text()):
                for row in _rows(item, shapes):
                    name = f"{row.version}: {row.name}"
                    if name in found:
                        raise ValueError(f"two rows are named {name}")
                    found[name] = row
    return found


def _rows(item: Mapping[str, Any], shapes: Mapping[str, Topology]) -> Iterator[Row]:
    unknown = set(item) - ROW_KEYS
    if unknown:
        raise ValueError(f"{item.get('name')}: unknown {', '.join(sorted(unknown))}")
    bystander = item.get("bystander", {"containers": {"main": {"cpu": 1}}})
    for variant, settings in item.get("variants", {"": {}}).items():
        for version in VERSIONS[item.get("versions", "new")]:
            yield Row(
                name=f"{item['name']}{', ' if variant else ''}{variant}",
                version=version,
                topology=shapes[item["machine"]],
                profile=item.get("profile", "latency"),
                settings={**item.get("set", {}), **settings},
                steps=tuple(_step(step) for step in item["steps"]),
                bystander=_pod({"pod": BYSTANDER, **bystander}),
                reserved_cpus=item.get("reserved_cpus", 0),
                split=item.get("split", PROPORTIONAL),
                by_hand=item.get("by_hand", {}),
                apart=item.get("apart", ()),
                warns=item.get("warns", ""),
                metrics=item.get("metrics", {}),
            )


def _step(step: Mapping[str, Any]) -> Step:
    unknown = set(step) - STEP_KEYS
    if unknown:
        raise ValueError(f"{step.get('pod')}: unknown {', '.join(sorted(unknown))}")
    if "pod" in step:
        return Step(pod=_pod(step))
    return Step(remove=step.get("remove", ""), restart_without=step.get("restart_without", ()))


def _pod(data: Mapping[str, Any]) -> Pod:
    containers = {name: dict(told or {}) for name, told in data["containers"].items()}
    spec: dict[str, Any] = {
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 0,
        "containers": [_container(n, c) for n, c in containers.items() if "kind" not in c],
        "initContainers": [_container(n, c) for n, c in containers.items() if "kind" in c],
    }
    if "resources" in data:
        spec["resources"] = data["resources"]
    metadata = {"name": data["pod"], "namespace": "default"}
    if "created" in data:
        metadata["creationTimestamp"] = data["created"]
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return Pod(data["pod"], manifest, containers, data.get("refused"))


def _container(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """``{cpu, memory}`` is request and limit in one; ``request`` and ``limit`` are each alone."""
    requests, limits = dict(told.get("request", {})), dict(told.get("limit", {}))
    if "cpu" in told or "memory" in told:
        both = {"cpu": str(told.get("cpu", 1)), "memory": told.get("memory", "64Mi")}
        requests, limits = {**both, **requests}, {**both, **limits}
    made: dict[str, Any] = {
        "name": name,
        "image": "localhost/nothing:1",
        "imagePullPolicy": "Never",
        "resources": {"requests": requests, "limits": limits},
    }
    if KINDS.get(told.get("kind", "")):
        made["restartPolicy"] = "Always"
    return made
