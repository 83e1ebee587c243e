# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the guest's container runtime that plays the kubelet; it runs on the host.

The runtime's socket comes here through ssh, so that Python's gRPC costs the slow guest nothing.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from lab.cri_schema import METHODS, PACKAGE, message_class
from lab.guest import Guest
from lab.pods import Container, Pod, container_config, sandbox_config
from lab.problem import LabProblem

SOCKET = "/run/containerd/containerd.sock"
LIMIT = 120.0  # seconds for one call


@dataclass(frozen=True)
class ExecResult:
    """What a command in a container left."""

    exit_status: int
    stdout: str
    stderr: str


class Cri:
    """The runtime interface. Messages are given as dicts; answers are protobuf messages."""

    def __init__(self, guest: Guest, socket: str = SOCKET) -> None:
        self._guest = guest
        self._channel = grpc.insecure_channel(
            f"unix://{guest.forward(socket)}",
            options=[("grpc.default_authority", "localhost")],
        )
        self._capacity = 0

    def __enter__(self) -> Cri:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def call(self, method: str, **fields: Any) -> Any:
        """Call one method of METHODS. Raises LabProblem with the runtime's own words."""
        if method not in METHODS:
            raise LabProblem(f"the lab's table has no method {method}")
        request = message_class(f"{method}Request")(**fields)
        answer = message_class(f"{method}Response")
        function = self._channel.unary_unary(
            f"/{PACKAGE}.RuntimeService/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return function(request, timeout=LIMIT, wait_for_ready=True)
        except grpc.RpcError as error:
            raise LabProblem(
                f"{method}: {error.code().name}: {error.details()}",
                f"python3 -m lab ssh {self._guest.name} journalctl -u containerd",
            ) from None

    def version(self) -> str:
        """The runtime's version, e.g. `1.7.24`."""
        return str(self.call("Version").runtime_version)

    def sandboxes(self) -> list[Any]:
        """All pod sandboxes."""
        return list(self.call("ListPodSandbox").items)

    def containers(self) -> list[Any]:
        """All containers."""
        return list(self.call("ListContainers").containers)

    def status(self, container_id: str) -> Any:
        """A container's status, with the resources that the runtime believes it has."""
        return self.call("ContainerStatus", container_id=container_id).status

    def update(self, container_id: str, **resources: Any) -> None:
        """Change a running container, as the kubelet does; e.g. `cpuset_cpus="0-1"`."""
        self.call("UpdateContainerResources", container_id=container_id, linux=resources)

    def execute(self, container_id: str, command: Sequence[str]) -> ExecResult:
        """Run a command in a container."""
        done = self.call("ExecSync", container_id=container_id, cmd=command, timeout=60)
        return ExecResult(done.exit_code, done.stdout.decode(), done.stderr.decode())

    def create_pod(
        self,
        name: str,
        *,
        containers: Sequence[Container] = (),
        namespace: str = "default",
        uid: str = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        qos: str = "",
        **single: Any,
    ) -> RunningPod:
        """Start a pod and wait until its containers run.

        Give `containers`, or the fields of one Container, e.g. `cpu="2", memory="64Mi"`. Without
        limits of its own such a container has its requests as limits; `qos="Burstable"` leaves
        the limits away.
        """
        if not containers:
            containers = [single_container(qos, **single)]
        pod = Pod(
            name, uid or str(uuid.uuid4()), containers, namespace, labels or {}, annotations or {}
        )
        if qos and pod.qos != qos:
            raise LabProblem(f"{name}: these resources make a {pod.qos} pod, not {qos}")
        folders = [f"{pod.log_directory}/{container.name}" for container in containers]
        self._guest.run("mkdir -p " + " ".join(folders))
        running = RunningPod(self, pod)
        try:
            running.start()
        except BaseException:
            with contextlib.suppress(LabProblem):  # what went wrong first is what to tell
                running.remove()
            raise
        return running

    @property
    def capacity(self) -> int:
        """The guest's memory in bytes."""
        if not self._capacity:
            total = self._guest.run("grep MemTotal: /proc/meminfo").split()[1]
            self._capacity = int(total) * 1024
        return self._capacity


def single_container(qos: str, **fields: Any) -> Container:
    """A pod's only container: limits are the requests unless given or not wanted."""
    limited = {"cpu_limit", "memory_limit"} & set(fields)
    if not limited and qos in ("", "Guaranteed"):
        fields["cpu_limit"] = fields.get("cpu", "")
        fields["memory_limit"] = fields.get("memory", "")
    return Container(**fields)


class RunningPod:
    """A pod and its containers, from start to removal."""

    def __init__(self, cri: Cri, pod: Pod) -> None:
        self.cri = cri
        self.pod = pod
        self.sandbox_id = ""
        self.container_ids: dict[str, str] = {}

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return self.pod.uid

    @property
    def container_id(self) -> str:
        """The first container's id."""
        return next(iter(self.container_ids.values()))

    @property
    def cgroup_path(self) -> str:
        """The first container's cgroup folder in the guest."""
        return self.pod.cgroup_path(self.container_id)

    def cgroup_path_of(self, container: str) -> str:
        """The cgroup folder of the container of that name."""
        return self.pod.cgroup_path(self.container_ids[container])

    def start(self) -> None:
        """Make the sandbox, then each container in turn."""
        config = sandbox_config(self.pod)
        self.sandbox_id = self.cri.call("RunPodSandbox", config=config).pod_sandbox_id
        for container in self.pod.containers:
            made = self.cri.call(
                "CreateContainer",
                pod_sandbox_id=self.sandbox_id,
                config=container_config(self.pod, container, self.cri.capacity),
                sandbox_config=config,
            )
            self.container_ids[container.name] = made.container_id
            self.cri.call("StartContainer", container_id=made.container_id)

    def execute(self, *command: str) -> ExecResult:
        """Run a command in the first container."""
        return self.cri.execute(self.container_id, command)

    def remove(self) -> None:
        """Stop and remove the pod at once."""
        for container_id in self.container_ids.values():
            self.cri.call("StopContainer", container_id=container_id, timeout=0)
            self.cri.call("RemoveContainer", container_id=container_id)
        if self.sandbox_id:
            self.cri.call("StopPodSandbox", pod_sandbox_id=self.sandbox_id)
            self.cri.call("RemovePodSandbox", pod_sandbox_id=self.sandbox_id)
        self.container_ids, self.sandbox_id = {}, ""
