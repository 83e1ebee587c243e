# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which devices and memory the kubelet gave to whom, and where they are near: podresources.

Optional: without the kubelet's socket nothing is known. Out of scope: what a policy makes of it.
Source: kubelet ``pkg/apis/podresources/v1`` (api.proto); List needs no feature gate since 1.20.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.cpuset import NodeSet

from .codec import INT64, MESSAGE, STRING, Field, Message, Table, child, children, text
from .codec import number as integer
from .grpc_unary import call
from .wire import WireProblem

SOCKET = "/var/lib/kubelet/pod-resources/kubelet.sock"
TIMEOUT_S = 1.0
MAX_NODE = 1023

_NUMA_NODE = Table("NUMANode", {1: Field("id", INT64)})
_TOPOLOGY = Table("TopologyInfo", {1: Field("nodes", MESSAGE, _NUMA_NODE, repeated=True)})
_DEVICES = Table(
    "ContainerDevices",
    {1: Field("resource_name", STRING), 3: Field("topology", MESSAGE, _TOPOLOGY)},
)
_CONTAINER = Table(
    "ContainerResources",
    {1: Field("name", STRING), 2: Field("devices", MESSAGE, _DEVICES, repeated=True)},
)
_POD = Table(
    "PodResources",
    {
        1: Field("name", STRING),
        2: Field("namespace", STRING),
        3: Field("containers", MESSAGE, _CONTAINER, repeated=True),
    },
)
_LIST = Table("ListPodResourcesResponse", {1: Field("pods", MESSAGE, _POD, repeated=True)})


@dataclass(frozen=True)
class DeviceShare:
    """Devices of one resource that a container was given, and the NUMA nodes they are near."""

    namespace: str
    pod: str
    container: str
    resource: str
    numa_nodes: NodeSet


def device_shares(socket: str = SOCKET) -> tuple[DeviceShare, ...]:
    """Everything that device plugins gave to containers, where its topology is told.

    Raises OSError where no kubelet answers, WireProblem for an answer that is none.
    """
    answer = _LIST.decode(call(socket, "/v1.PodResourcesLister/List", b"", TIMEOUT_S))
    found = []
    for pod in children(answer, "pods"):
        for container in children(pod, "containers"):
            for devices in children(container, "devices"):
                numa_nodes = _numa_nodes(child(devices, "topology"))
                if numa_nodes:
                    names = (text(pod, "namespace"), text(pod, "name"), text(container, "name"))
                    resource = text(devices, "resource_name")
                    found.append(DeviceShare(*names, resource, numa_nodes))
    return tuple(found)


def _numa_nodes(topology: Message) -> NodeSet:
    ids = [integer(numa_node, "id") for numa_node in children(topology, "nodes")]
    if any(not 0 <= number <= MAX_NODE for number in ids):
        raise WireProblem(
            "topology", ids, "names a NUMA node that cannot be", source="podresources"
        )
    return NodeSet(ids)
