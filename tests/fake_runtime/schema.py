# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NRI's messages for the runtime's side, as classes of the ``protobuf`` library.

The field table below is this folder's own, so that the agent's codec is judged by another table
and another library. It also has what the agent skips (env, args, mounts), as real runtimes send
it. Source of the numbers: containerd/nri ``pkg/api/api.proto``; ttrpc ``request.proto``.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TABLE = """
OptionalUInt64: value=1 uint64
OptionalInt64: value=1 int64
OptionalInt: value=1 int64
OptionalString: value=1 string
LinuxCPU: shares=1 OptionalUInt64, quota=2 OptionalInt64, period=3 OptionalUInt64,
    realtime_runtime=4 OptionalInt64, realtime_period=5 OptionalUInt64, cpus=6 string,
    mems=7 string
LinuxMemory: limit=1 OptionalInt64, reservation=2 OptionalInt64, swap=3 OptionalInt64,
    swappiness=6 OptionalUInt64
HugepageLimit: page_size=1 string, limit=2 uint64
LinuxDeviceCgroup: allow=1 bool, type=2 string, major=3 OptionalInt64, minor=4 OptionalInt64,
    access=5 string
LinuxResources: memory=1 LinuxMemory, cpu=2 LinuxCPU, hugepage_limits=3 *HugepageLimit,
    blockio_class=4 OptionalString, rdt_class=5 OptionalString, unified=6 map,
    devices=7 *LinuxDeviceCgroup
LinuxPodSandbox: pod_overhead=1 LinuxResources, pod_resources=2 LinuxResources,
    cgroup_parent=3 string, cgroups_path=4 string
PodSandbox: id=1 string, name=2 string, uid=3 string, namespace=4 string, labels=5 map,
    annotations=6 map, runtime_handler=7 string, linux=8 LinuxPodSandbox, pid=9 uint32,
    ips=10 *string
LinuxNamespace: type=1 string, path=2 string
LinuxDevice: path=1 string, type=2 string, major=3 int64, minor=4 int64
LinuxContainer: namespaces=1 *LinuxNamespace, devices=2 *LinuxDevice, resources=3 LinuxResources,
    oom_score_adj=4 OptionalInt, cgroups_path=5 string
Mount: destination=1 string, type=2 string, source=3 string, options=4 *string
Container: id=1 string, pod_sandbox_id=2 string, name=3 string, state=4 int32, labels=5 map,
    annotations=6 map, args=7 *string, env=8 *string, mounts=9 *Mount, linux=11 LinuxContainer,
    pid=12 uint32, created_at=14 int64
LinuxIOPriority: class=1 int32, priority=2 int32
LinuxScheduler: policy=1 int32, nice=2 int32, priority=3 int32, flags=4 bytes, runtime=5 uint64,
    deadline=6 uint64, period=7 uint64
PackedFlags: flags=4 *int32
LinuxContainerAdjustment: resources=2 LinuxResources, cgroups_path=3 string,
    oom_score_adj=4 OptionalInt, io_priority=5 LinuxIOPriority, scheduler=10 LinuxScheduler
ContainerAdjustment: annotations=2 map, linux=6 LinuxContainerAdjustment
LinuxContainerUpdate: resources=1 LinuxResources
ContainerUpdate: container_id=1 string, linux=2 LinuxContainerUpdate, ignore_failure=3 bool
RegisterPluginRequest: plugin_name=1 string, plugin_idx=2 string, NRI_version=3 string
ConfigureRequest: config=1 string, runtime_name=2 string, runtime_version=3 string,
    registration_timeout=4 int64, request_timeout=5 int64, NRI_version=6 string
ConfigureResponse: events=2 int32
SynchronizeRequest: pods=1 *PodSandbox, containers=2 *Container, more=3 bool
SynchronizeResponse: update=1 *ContainerUpdate, more=2 bool
PodRequest: pod=1 PodSandbox
ContainerRequest: pod=1 PodSandbox, container=2 Container
CreateContainerResponse: adjust=1 ContainerAdjustment, update=2 *ContainerUpdate
UpdateContainerRequest: pod=1 PodSandbox, container=2 Container, linux_resources=3 LinuxResources
UpdateList: update=1 *ContainerUpdate
UpdateContainersResponse: failed=1 *ContainerUpdate
StateChangeEvent: event=1 int32, pod=2 PodSandbox, container=3 Container
Empty:
KeyValue: key=1 string, value=2 string
TtrpcRequest: service=1 string, method=2 string, payload=3 bytes, timeout_nano=4 int64,
    metadata=5 *KeyValue
Status: code=1 int32, message=2 string
TtrpcResponse: status=1 Status, payload=2 bytes
"""

_PACKAGE = "fake_runtime"
_SCALARS = {
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
}


def _add_field(message: descriptor_pb2.DescriptorProto, text: str) -> None:
    name, rest = text.split("=")
    number, kind = rest.split()
    field = message.field.add(name=name, number=int(number))
    field.label = field.LABEL_OPTIONAL
    if kind.startswith("*"):
        field.label, kind = field.LABEL_REPEATED, kind[1:]
    if kind == "map":
        entry = message.nested_type.add(name=name[0].upper() + name[1:] + "Entry")
        entry.options.map_entry = True
        _add_field(entry, "key=1 string")
        _add_field(entry, "value=2 string")
        field.label, field.type = field.LABEL_REPEATED, field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{message.name}.{entry.name}"
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="fake_runtime.proto", package=_PACKAGE, syntax="proto3"
    )
    for line in TABLE.replace("\n    ", " ").strip().splitlines():
        name, fields = line.split(":")
        message = file.message_type.add(name=name)
        for text in filter(None, (part.strip() for part in fields.split(","))):
            _add_field(message, text)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        message.name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{message.name}")
        )
        for message in file.message_type
    }


MESSAGES: dict[str, Any] = _classes()
"""Message classes by name; ``Any`` because they are made at run time."""
