# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet tells the runtime of a pod: QoS class, cgroup parent, CPU and memory settings.

Pure. The rules are the kubelet's, with the systemd cgroup driver. Out of scope: huge pages,
swap, init containers, overhead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.problem import LabProblem

PERIOD = 100_000  # microseconds
CGROUPS = "/sys/fs/cgroup"
SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
HOST_NAMESPACE = 2  # of the runtime interface's NamespaceMode
CONTAINER_NAMESPACE = 1


@dataclass(frozen=True)
class Container:
    """One container of a pod, resources as in a manifest: `cpu="1500m"`, `memory="64Mi"`.

    `cpuset_cpus` and `cpuset_mems` are what a static CPU or memory manager would set.
    """

    name: str = "main"
    cpu: str = ""
    memory: str = ""
    cpu_limit: str = ""
    memory_limit: str = ""
    command: Sequence[str] = ("sleep", "inf")
    image: str = "localhost/busybox:lab"
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)  # path in the container: host path
    devices: Sequence[str] = ()
    privileged: bool = False
    cpuset_cpus: str = ""
    cpuset_mems: str = ""

    @property
    def cpu_request_and_limit(self) -> tuple[int, int]:
        """In thousandths of a CPU; a request that is not given is the limit."""
        limit = millicpus(self.cpu_limit)
        return millicpus(self.cpu) or limit, limit

    @property
    def memory_request_and_limit(self) -> tuple[int, int]:
        """In bytes; a request that is not given is the limit."""
        limit = quantity(self.memory_limit)
        return quantity(self.memory) or limit, limit


@dataclass(frozen=True)
class Pod:
    """A pod as the kubelet knows it before it starts."""

    name: str
    uid: str
    containers: Sequence[Container]
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def qos(self) -> str:
        """Guaranteed, Burstable or BestEffort."""
        pairs = [c.cpu_request_and_limit for c in self.containers]
        pairs += [c.memory_request_and_limit for c in self.containers]
        if not any(request or limit for request, limit in pairs):
            return "BestEffort"
        if all(limit and request == limit for request, limit in pairs):
            return "Guaranteed"
        return "Burstable"

    @property
    def cgroup_parent(self) -> str:
        """The pod's slice with the slices above it."""
        names = ["kubepods"] if self.qos == "Guaranteed" else ["kubepods", self.qos.lower()]
        names.append("pod" + self.uid.replace("-", "_"))
        slices = ["-".join(names[:depth]) + ".slice" for depth in range(1, len(names) + 1)]
        return "/" + "/".join(slices)

    @property
    def log_directory(self) -> str:
        """Where the runtime writes the pod's logs."""
        return f"/var/log/pods/{self.namespace}_{self.name}_{self.uid}"

    def cgroup_path(self, container_id: str) -> str:
        """The container's cgroup, on cgroup v2 and containerd."""
        return f"{CGROUPS}{self.cgroup_parent}/cri-containerd-{container_id}.scope"


def millicpus(text: str) -> int:
    """Thousandths of a CPU from a quantity such as `2`, `0.5` or `500m`; rounded up."""
    if text.endswith("m"):
        return int(text[:-1])
    return math.ceil(float(text) * 1000) if text else 0


def quantity(text: str) -> int:
    """Bytes from a quantity such as `64Mi`."""
    match = re.fullmatch(r"(\d+)(Ki|Mi|Gi|k|M|G|)", text or "0")
    if not match:
        raise LabProblem(f"{text!r} is no amount of memory", "write it like 64Mi")
    return int(match[1]) * SUFFIXES[match[2]]


def cpu_shares(millis: int) -> int:
    """The weight of a CPU request."""
    return max(2, min(262_144, millis * 1024 // 1000))


def oom_score_adj(qos: str, memory_request: int, capacity: int) -> int:
    """How willing the kernel is to kill this container; never as the outer two classes."""
    if qos == "Guaranteed":
        return -997
    if qos == "BestEffort":
        return 1000
    return min(max(3, 1000 - 1000 * memory_request // capacity), 999)


def container_resources(container: Container, qos: str, capacity: int) -> dict[str, Any]:
    """A container's settings; `capacity` is the machine's memory in bytes."""
    cpu, cpu_limit = container.cpu_request_and_limit
    memory, memory_limit = container.memory_request_and_limit
    return {
        "cpu_shares": cpu_shares(cpu),
        "cpu_quota": max(1000, cpu_limit * PERIOD // 1000) if cpu_limit else 0,
        "cpu_period": PERIOD,
        "memory_limit_in_bytes": memory_limit,
        "oom_score_adj": oom_score_adj(qos, memory, capacity),
        "cpuset_cpus": container.cpuset_cpus,
        "cpuset_mems": container.cpuset_mems,
    }


def sandbox_config(pod: Pod) -> dict[str, Any]:
    """The request for the pod's sandbox; pods of the lab use the guest's own network."""
    cpus = [container.cpu_request_and_limit for container in pod.containers]
    limits = [container.memory_request_and_limit[1] for container in pod.containers]
    cpu_limits = [limit for _request, limit in cpus]
    namespaces = {"network": HOST_NAMESPACE, "pid": CONTAINER_NAMESPACE}
    return {
        "metadata": {"name": pod.name, "uid": pod.uid, "namespace": pod.namespace},
        "log_directory": pod.log_directory,
        "labels": {**pod.labels, **_labels(pod)},
        "annotations": {"kubernetes.io/config.source": "api", **pod.annotations},
        "linux": {
            "cgroup_parent": pod.cgroup_parent,
            "security_context": {
                "namespace_options": namespaces,
                "privileged": any(container.privileged for container in pod.containers),
            },
            "resources": {
                "cpu_shares": cpu_shares(sum(request for request, _limit in cpus)),
                "cpu_quota": sum(cpu_limits) * PERIOD // 1000 if all(cpu_limits) else 0,
                "cpu_period": PERIOD,
                "memory_limit_in_bytes": sum(limits) if all(limits) else 0,
            },
        },
    }


def container_config(pod: Pod, container: Container, capacity: int) -> dict[str, Any]:
    """The request for one container of the pod."""
    return {
        "metadata": {"name": container.name},
        "image": {"image": container.image},
        "command": list(container.command),
        "envs": [{"key": key, "value": value} for key, value in container.env.items()],
        "mounts": [
            {"container_path": inside, "host_path": outside}
            for inside, outside in container.mounts.items()
        ],
        "devices": [
            {"container_path": path, "host_path": path, "permissions": "rwm"}
            for path in container.devices
        ],
        "labels": {**_labels(pod), "io.kubernetes.container.name": container.name},
        "annotations": {"io.kubernetes.container.restartCount": "0"},
        "log_path": f"{container.name}/0.log",
        "linux": {
            "resources": container_resources(container, pod.qos, capacity),
            "security_context": {
                "namespace_options": {"network": HOST_NAMESPACE, "pid": CONTAINER_NAMESPACE},
                "privileged": container.privileged,
            },
        },
    }


def _labels(pod: Pod) -> dict[str, str]:
    return {
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
    }
