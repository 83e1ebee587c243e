# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container runtime interface's messages, as a table of our own: no generated code.

A field is `name=number:type`; without a type it is a string, with `*` after it repeated. Enums
travel as int32. Only what the lab uses is here; a runtime skips what a client does not know.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "runtime.v1"
FieldProto = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "string": FieldProto.TYPE_STRING,
    "bytes": FieldProto.TYPE_BYTES,
    "bool": FieldProto.TYPE_BOOL,
    "int32": FieldProto.TYPE_INT32,
    "uint32": FieldProto.TYPE_UINT32,
    "int64": FieldProto.TYPE_INT64,
}

# The structures that requests and answers are made of.
STRUCTURES = {
    "PodSandboxMetadata": "name=1 uid=2 namespace=3 attempt=4:uint32",
    "NamespaceOption": "network=1:int32 pid=2:int32 ipc=3:int32",
    "LinuxSandboxSecurityContext": "namespace_options=1:NamespaceOption privileged=6:bool",
    "LinuxPodSandboxConfig": "cgroup_parent=1 security_context=2:LinuxSandboxSecurityContext"
    " overhead=4:LinuxContainerResources resources=5:LinuxContainerResources",
    "PodSandboxConfig": "metadata=1:PodSandboxMetadata hostname=2 log_directory=3"
    " labels=6:map annotations=7:map linux=8:LinuxPodSandboxConfig",
    "PodSandbox": "id=1 metadata=2:PodSandboxMetadata state=3:int32 created_at=4:int64"
    " labels=5:map annotations=6:map",
    "LinuxContainerResources": "cpu_period=1:int64 cpu_quota=2:int64 cpu_shares=3:int64"
    " memory_limit_in_bytes=4:int64 oom_score_adj=5:int64 cpuset_cpus=6 cpuset_mems=7"
    " unified=9:map memory_swap_limit_in_bytes=10:int64",
    "LinuxContainerSecurityContext": "privileged=2:bool namespace_options=3:NamespaceOption",
    "LinuxContainerConfig": "resources=1:LinuxContainerResources"
    " security_context=2:LinuxContainerSecurityContext",
    "ContainerMetadata": "name=1 attempt=2:uint32",
    "ImageSpec": "image=1",
    "KeyValue": "key=1 value=2",
    "Mount": "container_path=1 host_path=2 readonly=3:bool",
    "Device": "container_path=1 host_path=2 permissions=3",
    "ContainerConfig": "metadata=1:ContainerMetadata image=2:ImageSpec command=3* args=4*"
    " working_dir=5 envs=6:KeyValue* mounts=7:Mount* devices=8:Device* labels=9:map"
    " annotations=10:map log_path=11 linux=15:LinuxContainerConfig",
    "Container": "id=1 pod_sandbox_id=2 metadata=3:ContainerMetadata image=4:ImageSpec"
    " state=6:int32 created_at=7:int64 labels=8:map annotations=9:map",
    "ContainerResources": "linux=1:LinuxContainerResources",
    "ContainerStatus": "id=1 metadata=2:ContainerMetadata state=3:int32 created_at=4:int64"
    " started_at=5:int64 finished_at=6:int64 exit_code=7:int32 reason=10 message=11"
    " labels=12:map annotations=13:map log_path=15 resources=16:ContainerResources",
}

# Each method's request and answer.
METHODS = {
    "Version": ("version=1", "version=1 runtime_name=2 runtime_version=3 runtime_api_version=4"),
    "RunPodSandbox": ("config=1:PodSandboxConfig runtime_handler=2", "pod_sandbox_id=1"),
    "StopPodSandbox": ("pod_sandbox_id=1", ""),
    "RemovePodSandbox": ("pod_sandbox_id=1", ""),
    "ListPodSandbox": ("", "items=1:PodSandbox*"),
    "CreateContainer": (
        "pod_sandbox_id=1 config=2:ContainerConfig sandbox_config=3:PodSandboxConfig",
        "container_id=1",
    ),
    "StartContainer": ("container_id=1", ""),
    "StopContainer": ("container_id=1 timeout=2:int64", ""),
    "RemoveContainer": ("container_id=1", ""),
    "ListContainers": ("", "containers=1:Container*"),
    "ContainerStatus": ("container_id=1 verbose=2:bool", "status=1:ContainerStatus info=2:map"),
    "ExecSync": (
        "container_id=1 cmd=2* timeout=3:int64",
        "stdout=1:bytes stderr=2:bytes exit_code=3:int32",
    ),
    "UpdateContainerResources": ("container_id=1 linux=2:LinuxContainerResources", ""),
}


@cache
def message_class(name: str) -> Any:
    """The protobuf class of a message, e.g. `VersionRequest`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="lab.proto", package=PACKAGE, syntax="proto3")
    for name, fields in STRUCTURES.items():
        _add_message(file, name, fields)
    for method, (request, answer) in METHODS.items():
        _add_message(file, f"{method}Request", request)
        _add_message(file, f"{method}Response", answer)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _add_message(file: descriptor_pb2.FileDescriptorProto, name: str, fields: str) -> None:
    message = file.message_type.add(name=name)
    for field in fields.split():
        label, rest = field.split("=")
        number, _colon, kind = rest.rstrip("*").partition(":")
        repeated = rest.endswith("*") or kind == "map"
        added = message.field.add(name=label, number=int(number))
        added.label = FieldProto.LABEL_REPEATED if repeated else FieldProto.LABEL_OPTIONAL
        if kind == "map":
            entry = label.title().replace("_", "") + "Entry"  # protobuf insists on this name
            pair = message.nested_type.add(name=entry)
            pair.options.map_entry = True
            for position, part in enumerate(("key", "value"), start=1):
                pair.field.add(
                    name=part,
                    number=position,
                    label=FieldProto.LABEL_OPTIONAL,
                    type=FieldProto.TYPE_STRING,
                )
            kind = f"{name}.{entry}"
        if scalar := SCALARS.get(kind or "string"):
            added.type = scalar
        else:
            added.type = FieldProto.TYPE_MESSAGE
            added.type_name = f".{PACKAGE}.{kind}"
