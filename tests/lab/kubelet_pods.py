# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of a lab cluster: made through the API server or as files, seen in their cgroups.

All of them use the host's network, end at once, and come from the lab's image.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.kubelet_files import MANIFESTS
from lab.kubelet_in_guest import KubeNode
from lab.pods import Container, Pod
from lab.problem import LabProblem

IMAGE = "localhost/busybox:lab"
MIRRORED = "kubernetes.io/config.mirror"


def manifest(
    name: str,
    cpu: str,
    memory: str,
    *,
    limited: bool = True,
    owner: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A pod that sleeps: Guaranteed, or without limits Burstable."""
    requests = {"cpu": cpu, "memory": memory}
    resources = {"requests": requests, **({"limits": requests} if limited else {})}
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sleep", "inf"],
        "resources": resources,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "ownerReferences": [reference(owner)] if owner else [],
        },
        "spec": {
            "hostNetwork": True,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [container],
        },
    }


def owner(kind: str, name: str) -> dict[str, Any]:
    """A DaemonSet or ReplicaSet; nobody here makes its pods, but a drain looks whose they are."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": manifest("", "1m", "1Mi")["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def reference(made: Mapping[str, Any]) -> dict[str, Any]:
    """The owner reference to this object, as the API server has it."""
    metadata = made["metadata"]
    return {
        "apiVersion": made["apiVersion"],
        "kind": made["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }


@dataclass(frozen=True)
class Seen:
    """A pod's only container: its cpuset as set in its cgroup, and who it is."""

    cpus: str
    mems: str
    container: str
    pid: str


class KubePod:
    """A pod on a node, known to the API server."""

    def __init__(self, kube_node: KubeNode, name: str) -> None:
        self.node, self.name = kube_node, name

    def object(self) -> dict[str, Any]:
        """What the API server has; {} where it is gone."""
        found = self.node.plane.kubectl("get", "pod", self.name, "-ojson", "--ignore-not-found")
        return dict(json.loads(found)) if found else {}

    def ended_or_running(self) -> dict[str, Any]:
        """The object, once the kubelet has decided what becomes of it."""
        last: dict[str, Any] = {}

        def decided() -> bool:
            nonlocal last
            last = self.object()
            return last.get("status", {}).get("phase") in ("Running", "Failed")

        self.node.until(decided, f"pod {self.name} is neither running nor refused")
        return last

    def seen(self) -> Seen:
        """What it has now. Raises LabProblem where it does not run."""
        found = self.ended_or_running()
        status = found["status"]
        if status["phase"] != "Running":
            raise LabProblem(f"{self.name}: {status.get('reason')}: {status.get('message')}")
        path = cgroup_path(found)
        text = self.node.guest.run(
            f"cd {path} && cat cpuset.cpus && cat cpuset.mems && cat cgroup.procs"
        )
        cpus, mems, pid = text.split("\n")[:3]
        return Seen(cpus, mems, path.rpartition("-")[2], pid)


def cgroup_path(found: Mapping[str, Any]) -> str:
    """The cgroup of a running pod's only container, from the pod's object."""
    metadata, [container] = found["metadata"], found["status"]["containerStatuses"]
    uid = metadata.get("annotations", {}).get(MIRRORED, metadata["uid"])
    resources = found["spec"]["containers"][0]["resources"]
    requests, limits = resources["requests"], resources.get("limits", {})
    same = Container(
        cpu=requests["cpu"],
        memory=requests["memory"],
        cpu_limit=limits.get("cpu", ""),
        memory_limit=limits.get("memory", ""),
    )
    identifier = container["containerID"].rpartition("/")[2]
    return Pod(metadata["name"], uid, [same]).cgroup_path(identifier)


def start(kube_node: KubeNode, made: Mapping[str, Any]) -> KubePod:
    """Give the node this pod through the API server; it may refuse it."""
    spec = {**made["spec"], "nodeName": kube_node.name}
    kube_node.plane.make({**made, "spec": spec})
    return KubePod(kube_node, made["metadata"]["name"])


def start_static(kube_node: KubeNode, made: Mapping[str, Any]) -> KubePod:
    """Give the node this pod as a file, as kubeadm does with its control plane."""
    name = made["metadata"]["name"]
    kube_node.guest.run(f"cat > {MANIFESTS}/{name}.yaml", stdin=json.dumps(made))
    return KubePod(kube_node, f"{name}-{kube_node.name}")
