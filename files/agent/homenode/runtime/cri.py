# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runtime's own interface (CRI) as a source of what bypass cannot see: names and annotations.

Read only, and optional: without its socket, or with a runtime that refuses, nothing is known.
Out of scope: creating, stopping, changing anything. Source: kubernetes/cri-api ``runtime/v1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .codec import INT32, INT64, MAP, MESSAGE, STRING, Field, Table, child, children, mapping, text
from .codec import number as integer
from .grpc_unary import call
from .wire import WireProblem

SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/run/dockershim.sock",
)
"""Where runtimes listen, the usual first."""

SERVICES = ("runtime.v1.RuntimeService", "runtime.v1alpha2.RuntimeService")
TIMEOUT_S = 1.0
CREATED, RUNNING = 0, 1

_METADATA = Table(
    "metadata", {1: Field("name", STRING), 2: Field("uid", STRING), 3: Field("namespace", STRING)}
)
_SANDBOX = Table(
    "PodSandbox",
    {
        1: Field("id", STRING),
        2: Field("metadata", MESSAGE, _METADATA),
        3: Field("state", INT32),
        5: Field("labels", MAP),
        6: Field("annotations", MAP),
    },
)
_CONTAINER_METADATA = Table("metadata", {1: Field("name", STRING)})
_CONTAINER = Table(
    "Container",
    {
        1: Field("id", STRING),
        2: Field("pod_sandbox_id", STRING),
        3: Field("metadata", MESSAGE, _CONTAINER_METADATA),
        6: Field("state", INT32),
        7: Field("created_at", INT64),
    },
)
_SANDBOXES = Table("ListPodSandboxResponse", {1: Field("items", MESSAGE, _SANDBOX, repeated=True)})
_CONTAINERS = Table(
    "ListContainersResponse", {1: Field("containers", MESSAGE, _CONTAINER, repeated=True)}
)


@dataclass(frozen=True)
class CriSandbox:
    """A pod sandbox as CRI lists it."""

    id: str
    name: str
    namespace: str
    uid: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class CriContainer:
    """A container as CRI lists it; *running* is False while it is only created, or has ended."""

    id: str
    sandbox_id: str
    name: str
    running: bool


def sandboxes(socket: str) -> tuple[CriSandbox, ...]:
    """All pod sandboxes. Raises OSError where nobody answers, WireProblem for a refusal."""
    answer = _SANDBOXES.decode(_call(socket, "ListPodSandbox"))
    found = []
    for item in children(answer, "items"):
        metadata = child(item, "metadata")
        found.append(
            CriSandbox(
                text(item, "id"),
                text(metadata, "name"),
                text(metadata, "namespace"),
                text(metadata, "uid"),
                mapping(item, "labels"),
                mapping(item, "annotations"),
            )
        )
    return tuple(found)


def containers(socket: str) -> tuple[CriContainer, ...]:
    """All containers. Raises OSError where nobody answers, WireProblem for a refusal."""
    answer = _CONTAINERS.decode(_call(socket, "ListContainers"))
    return tuple(
        CriContainer(
            text(item, "id"),
            text(item, "pod_sandbox_id"),
            text(child(item, "metadata"), "name"),
            integer(item, "state") == RUNNING,
        )
        for item in children(answer, "containers")
    )


def _call(socket: str, method: str) -> bytes:
    """The newer service first: a runtime that only knows the older one refuses it."""
    try:
        return call(socket, f"/{SERVICES[0]}/{method}", b"", TIMEOUT_S)
    except WireProblem:
        return call(socket, f"/{SERVICES[1]}/{method}", b"", TIMEOUT_S)
