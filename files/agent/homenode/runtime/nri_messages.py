# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NRI's messages, services and events as data: the fields we read or write, under NRI's names.

Absent on purpose, so that they are never decoded: ``args``, ``env``, ``hooks``, and the
container's own labels and annotations. Numbers are the same from NRI 0.3 to 0.12; what came later
(scheduler, I/O priority: 0.11) is passed over by runtimes that do not know it.
Out of scope: behaviour. Sources: containerd/nri ``pkg/api/api.proto``, containerd/ttrpc
``request.proto``, googleapis ``status.proto``.
"""

from __future__ import annotations

from collections.abc import Mapping

from .codec import BOOL, BYTES, INT32, INT64, MAP, MESSAGE, STRING, UINT32, UINT64, Field, Table

PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin"
RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime"

RUN_POD_SANDBOX, STOP_POD_SANDBOX, REMOVE_POD_SANDBOX = 1, 2, 3
CREATE_CONTAINER, POST_CREATE_CONTAINER, START_CONTAINER, POST_START_CONTAINER = 4, 5, 6, 7
UPDATE_CONTAINER, POST_UPDATE_CONTAINER, STOP_CONTAINER, REMOVE_CONTAINER = 8, 9, 10, 11

SUBSCRIBED = (
    RUN_POD_SANDBOX,
    REMOVE_POD_SANDBOX,
    CREATE_CONTAINER,
    POST_START_CONTAINER,
    UPDATE_CONTAINER,
    STOP_CONTAINER,
    REMOVE_CONTAINER,
)
EVENT_MASK = sum(1 << event - 1 for event in SUBSCRIBED)
"""Never 0, which means "everything", with a veto that nobody would answer; never a bit above 11,
which older runtimes refuse."""

EVENT_OF_METHOD: Mapping[str, int] = {
    "RunPodSandbox": RUN_POD_SANDBOX,
    "RemovePodSandbox": REMOVE_POD_SANDBOX,
    "PostStartContainer": POST_START_CONTAINER,
    "RemoveContainer": REMOVE_CONTAINER,
}
"""NRI >= 0.12 calls these; before, the same events come as StateChange."""

EMPTY_ANSWERS = frozenset(
    (
        "Shutdown",
        "StopPodSandbox",
        "UpdatePodSandbox",
        "PostUpdatePodSandbox",
        "PostCreateContainer",
        "StartContainer",
        "PostUpdateContainer",
        "ValidateContainerAdjustment",
    )
)
"""Declared methods we do not subscribe to; should one come, an empty answer harms nobody."""

SCHEDULER_POLICIES = ("none", "other", "fifo", "rr", "batch", "iso", "idle", "deadline")
SCHEDULER_FLAGS = (
    "reset-on-fork",
    "reclaim",
    "dl-overrun",
    "keep-policy",
    "keep-params",
    "util-clamp-min",
    "util-clamp-max",
)
IO_CLASSES = ("none", "rt", "be", "idle")
"""Enums of NRI, each value by its place."""

CONTAINER_STATES = ("unknown", "created", "paused", "running", "stopped")


def _message(name: str, table: Table) -> Field:
    return Field(name, MESSAGE, table)


def _list(name: str, table: Table) -> Field:
    return Field(name, MESSAGE, table, repeated=True)


def _undecoded(name: str) -> Field:
    """A list of messages that only few readers look into: their bytes, decoded when asked for."""
    return Field(name, BYTES, repeated=True)


OPTIONAL_UINT64 = Table("OptionalUInt64", {1: Field("value", UINT64)})
OPTIONAL_INT64 = Table("OptionalInt64", {1: Field("value", INT64)})

OPTIONAL_INT = Table("OptionalInt", {1: Field("value", INT64)})
OPTIONAL_STRING = Table("OptionalString", {1: Field("value", STRING)})

LINUX_CPU = Table(
    "LinuxCPU",
    {
        1: _message("shares", OPTIONAL_UINT64),
        2: _message("quota", OPTIONAL_INT64),
        3: _message("period", OPTIONAL_UINT64),
        6: Field("cpus", STRING),
        7: Field("mems", STRING),
    },
)
LINUX_MEMORY = Table("LinuxMemory", {1: _message("limit", OPTIONAL_INT64)})
LINUX_DEVICE_CGROUP = Table(
    "LinuxDeviceCgroup",
    {
        2: Field("type", STRING),
        3: _message("major", OPTIONAL_INT64),
        4: _message("minor", OPTIONAL_INT64),
        5: Field("access", STRING),
    },
)
LINUX_RESOURCES = Table(
    "LinuxResources",
    {
        1: _message("memory", LINUX_MEMORY),
        2: _message("cpu", LINUX_CPU),
        4: _message("blockio_class", OPTIONAL_STRING),
        5: _message("rdt_class", OPTIONAL_STRING),
        7: _undecoded("devices"),
    },
)
LINUX_POD_SANDBOX = Table("LinuxPodSandbox", {3: Field("cgroup_parent", STRING)})
POD_SANDBOX = Table(
    "PodSandbox",
    {
        1: Field("id", STRING),
        2: Field("name", STRING),
        3: Field("uid", STRING),
        4: Field("namespace", STRING),
        5: Field("labels", MAP),
        6: Field("annotations", MAP),
        8: _message("linux", LINUX_POD_SANDBOX),
    },
)
LINUX_DEVICE = Table(
    "LinuxDevice",
    {2: Field("type", STRING), 3: Field("major", INT64), 4: Field("minor", INT64)},
)
LINUX_CONTAINER = Table(
    "LinuxContainer",
    {
        2: _undecoded("devices"),
        3: _message("resources", LINUX_RESOURCES),
        4: _message("oom_score_adj", OPTIONAL_INT),
        5: Field("cgroups_path", STRING),
    },
)
MOUNT = Table(
    "Mount",
    {
        1: Field("destination", STRING),
        3: Field("source", STRING),
        4: Field("options", STRING, repeated=True),
    },
)
CONTAINER = Table(
    "Container",
    {
        1: Field("id", STRING),
        2: Field("pod_sandbox_id", STRING),
        3: Field("name", STRING),
        4: Field("state", INT32),
        9: _undecoded("mounts"),
        11: _message("linux", LINUX_CONTAINER),
        12: Field("pid", UINT32),
        14: Field("created_at", INT64),
    },
)

LINUX_IO_PRIORITY = Table(
    "LinuxIOPriority", {1: Field("class", INT32), 2: Field("priority", INT32)}
)
LINUX_SCHEDULER = Table(
    "LinuxScheduler",
    {
        1: Field("policy", INT32),
        2: Field("nice", INT32),
        3: Field("priority", INT32),
        4: Field("flags", BYTES),
        5: Field("runtime", UINT64),
        6: Field("deadline", UINT64),
        7: Field("period", UINT64),
    },
)
LINUX_CONTAINER_ADJUSTMENT = Table(
    "LinuxContainerAdjustment",
    {
        2: _message("resources", LINUX_RESOURCES),
        5: _message("io_priority", LINUX_IO_PRIORITY),
        10: _message("scheduler", LINUX_SCHEDULER),
    },
)
CONTAINER_ADJUSTMENT = Table(
    "ContainerAdjustment", {6: _message("linux", LINUX_CONTAINER_ADJUSTMENT)}
)
LINUX_CONTAINER_UPDATE = Table("LinuxContainerUpdate", {1: _message("resources", LINUX_RESOURCES)})
CONTAINER_UPDATE = Table(
    "ContainerUpdate",
    {1: Field("container_id", STRING), 2: _message("linux", LINUX_CONTAINER_UPDATE)},
)

REGISTER_PLUGIN_REQUEST = Table(
    "RegisterPluginRequest", {1: Field("plugin_name", STRING), 2: Field("plugin_idx", STRING)}
)
CONFIGURE_REQUEST = Table(
    "ConfigureRequest",
    {
        2: Field("runtime_name", STRING),
        3: Field("runtime_version", STRING),
        5: Field("request_timeout", INT64),
    },
)
CONFIGURE_RESPONSE = Table("ConfigureResponse", {2: Field("events", INT32)})
SYNCHRONIZE_REQUEST = Table(
    "SynchronizeRequest",
    {1: _list("pods", POD_SANDBOX), 2: _list("containers", CONTAINER), 3: Field("more", BOOL)},
)
SYNCHRONIZE_RESPONSE = Table(
    "SynchronizeResponse", {1: _list("update", CONTAINER_UPDATE), 2: Field("more", BOOL)}
)
POD_AND_CONTAINER = Table(
    "request for a pod or container",
    {1: _message("pod", POD_SANDBOX), 2: _message("container", CONTAINER)},
)
"""CreateContainerRequest, StopContainerRequest and the dedicated requests of NRI >= 0.12."""

CREATE_CONTAINER_RESPONSE = Table(
    "CreateContainerResponse",
    {1: _message("adjust", CONTAINER_ADJUSTMENT), 2: _list("update", CONTAINER_UPDATE)},
)
UPDATE_CONTAINER_REQUEST = Table(
    "UpdateContainerRequest",
    {
        1: _message("pod", POD_SANDBOX),
        2: _message("container", CONTAINER),
        3: _message("linux_resources", LINUX_RESOURCES),
    },
)
UPDATES = Table("list of updates", {1: _list("update", CONTAINER_UPDATE)})
"""UpdateContainerResponse, StopContainerResponse and UpdateContainersRequest."""

STATE_CHANGE_EVENT = Table(
    "StateChangeEvent",
    {
        1: Field("event", INT32),
        2: _message("pod", POD_SANDBOX),
        3: _message("container", CONTAINER),
    },
)

TTRPC_REQUEST = Table(
    "ttrpc.Request",
    {
        1: Field("service", STRING),
        2: Field("method", STRING),
        3: Field("payload", BYTES),
        4: Field("timeout_nano", INT64),
    },
)
STATUS = Table("google.rpc.Status", {1: Field("code", INT32), 2: Field("message", STRING)})
TTRPC_RESPONSE = Table(
    "ttrpc.Response", {1: _message("status", STATUS), 2: Field("payload", BYTES)}
)
