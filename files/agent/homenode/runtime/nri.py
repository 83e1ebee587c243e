# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NRI's messages as the model's events, and the model's replies as NRI's messages.

A field is written only where a placement says something, and the container being created is never
named among the updates: each would make the creation fail. Zero in a number that NRI wraps means
"not given". Out of scope: transport (``session``), what to reply.
Source: containerd/nri ``pkg/api/api.proto``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional, cast

from model.events import (
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdate,
    ContainerUpdating,
    Event,
    PodRemoved,
    PodStarted,
    Reply,
)
from model.settings import Settings
from model.workload import NOT_OURS, Container, Device, Mount, Placement, Pod, Resources

from . import nri_messages as nri
from .codec import Message, Table, child, children, mapping, number, raws, text, texts
from .wire import WireProblem

DEVICE_KINDS = {"b": "block", "c": "char", "u": "char"}

EVENT_METHODS = frozenset(
    ("CreateContainer", "UpdateContainer", "StopContainer", "StateChange", *nri.EVENT_OF_METHOD)
)
"""The methods that ``event_of`` reads."""


def event_of(method: str, payload: bytes) -> Optional[Event]:
    """The event that a call of *method* tells of; None for one that we did not ask for.

    Raises WireProblem for a payload that is malformed or lacks the id it is about.
    """
    if method == "CreateContainer":
        message = nri.POD_AND_CONTAINER.decode(payload)
        return ContainerCreating(*_pod_and_container(message, method))
    if method == "UpdateContainer":
        message = nri.UPDATE_CONTAINER_REQUEST.decode(payload)
        asked = _resources(child(message, "linux_resources"))
        return ContainerUpdating(*_pod_and_container(message, method), asked)
    if method == "StateChange":
        message = nri.STATE_CHANGE_EVENT.decode(payload)
        return _state_change(number(message, "event"), message, method)
    message = nri.POD_AND_CONTAINER.decode(payload)
    if method == "StopContainer":
        return ContainerStopped(_id(message, "container", method))
    return _state_change(nri.EVENT_OF_METHOD[method], message, method)


def answer(method: str, event: Event, reply: Reply) -> bytes:
    """The response to *method* that tells the runtime *reply*."""
    if method == "CreateContainer":
        created = cast(ContainerCreating, event).container.id
        linux = _linux(reply.adjust or NOT_OURS, reply.settings)
        linux.update(_at_creation(reply.settings))
        adjust: Message = {"adjust": {"linux": linux}} if linux else {}
        table = nri.CREATE_CONTAINER_RESPONSE
        return table.encode(adjust) + _updates(table, reply.updates, created)
    if method in ("UpdateContainer", "StopContainer"):
        return _updates(nri.UPDATES, reply.updates)
    return b""


def synchronized_part(payload: bytes) -> tuple[list[Pod], list[Container], bool]:
    """Pods, containers and "more follows" of one part of Synchronize. Raises WireProblem."""
    message = nri.SYNCHRONIZE_REQUEST.decode(payload)
    pods = [_pod(part) for part in children(message, "pods")]
    containers = [_container(part) for part in children(message, "containers")]
    return pods, containers, number(message, "more") != 0


def synchronize_answer(reply: Reply, more: bool) -> bytes:
    """The response to a part of Synchronize; *more* repeats what the part said."""
    table = nri.SYNCHRONIZE_RESPONSE
    return _updates(table, reply.updates) + table.encode({"more": more})


def update_request(update: ContainerUpdate) -> bytes:
    """UpdateContainersRequest for one container."""
    return _updates(nri.UPDATES, (update,))


def _updates(table: Table, updates: Iterable[ContainerUpdate], created: str = "") -> bytes:
    """The field ``update`` of *table*, with the last update of each container.

    Hundreds of containers share one placement, so all but the id is encoded once per placement.
    """
    encoded: dict[tuple[int, int, int], tuple[bytes, bytes]] = {}
    parts: dict[str, bytes] = {}
    for update in updates:
        name = update.container_id
        identity = name.encode()
        key = (id(update.placement), id(update.settings), len(identity))
        around = encoded.get(key)
        if around is None:
            around = encoded[key] = _around_id(table, update, len(identity))
        if around[1] and name != created:
            parts[name] = around[0] + identity + around[1]
    return b"".join(parts.values())


def _around_id(table: Table, update: ContainerUpdate, size: int) -> tuple[bytes, bytes]:
    """What stands before and after a container id of *size* bytes; nothing after: no update."""
    linux = _linux(update.placement, update.settings)
    after = nri.CONTAINER_UPDATE.encode({"linux": linux}) if linux else b""
    header = nri.CONTAINER_UPDATE.field_header("container_id", size)
    whole = len(header) + size + len(after)
    return table.field_header("update", whole) + header, after


def _linux(placement: Placement, settings: Settings) -> Message:
    """{resources} of an adjustment or update; empty where nothing is said."""
    cpu: Message = {}
    if placement.cpus:
        cpu["cpus"] = str(placement.cpus)
    if placement.mems:
        cpu["mems"] = str(placement.mems)
    if settings.shares:
        cpu["shares"] = {"value": settings.shares}
    resources: Message = {"cpu": cpu} if cpu else {}
    if settings.rdt_class:
        resources["rdt_class"] = {"value": settings.rdt_class}
    if settings.blockio_class:
        resources["blockio_class"] = {"value": settings.blockio_class}
    return {"resources": resources} if resources else {}


def _at_creation(settings: Settings) -> Message:
    """What only the container that is being created can be given."""
    message: Message = {}
    scheduler, io_priority = settings.scheduler, settings.io_priority
    if scheduler is not None:
        message["scheduler"] = {
            "policy": nri.SCHEDULER_POLICIES.index(scheduler.policy),
            "nice": scheduler.nice,
            "priority": scheduler.priority,
            "flags": bytes(map(nri.SCHEDULER_FLAGS.index, scheduler.flags)),
            "runtime": scheduler.runtime,
            "deadline": scheduler.deadline,
            "period": scheduler.period,
        }
    if io_priority is not None:
        io_class = nri.IO_CLASSES.index(io_priority.io_class)
        message["io_priority"] = {"class": io_class, "priority": io_priority.priority}
    return message


def _state_change(kind: int, message: Message, method: str) -> Optional[Event]:
    if kind == nri.RUN_POD_SANDBOX:
        _id(message, "pod", method)
        return PodStarted(_pod(child(message, "pod")))
    if kind == nri.REMOVE_POD_SANDBOX:
        return PodRemoved(_id(message, "pod", method))
    if kind == nri.POST_START_CONTAINER:
        return ContainerStarted(_id(message, "container", method))
    if kind == nri.STOP_CONTAINER:
        return ContainerStopped(_id(message, "container", method))
    if kind == nri.REMOVE_CONTAINER:
        return ContainerRemoved(_id(message, "container", method))
    return None


def _id(message: Message, name: str, method: str) -> str:
    """The id of the pod or container that *message* is about."""
    found = text(child(message, name), "id")
    if not found:
        raise WireProblem(f"{name}.id", "", "is missing", source=method)
    return found


def _pod_and_container(message: Message, method: str) -> tuple[Pod, Container]:
    _id(message, "container", method)
    return _pod(child(message, "pod")), _container(child(message, "container"))


def _pod(message: Message) -> Pod:
    return Pod(
        id=text(message, "id"),
        name=text(message, "name"),
        namespace=text(message, "namespace"),
        uid=text(message, "uid"),
        cgroup_parent=text(child(message, "linux"), "cgroup_parent"),
        annotations=mapping(message, "annotations"),
        labels=mapping(message, "labels"),
    )


def _container(message: Message) -> Container:
    state = number(message, "state")
    linux = child(message, "linux")
    return Container(
        id=text(message, "id"),
        pod_id=text(message, "pod_sandbox_id"),
        name=text(message, "name"),
        state=nri.CONTAINER_STATES[state] if 0 <= state < len(nri.CONTAINER_STATES) else "unknown",
        resources=_resources(child(linux, "resources")),
        cgroups_path=text(linux, "cgroups_path"),
        pid=number(message, "pid"),
        created_at=number(message, "created_at"),
        oom_score_adj=_optional(linux, "oom_score_adj"),
        undecoded=_undecoded(message, linux),
    )


def _undecoded(message: Message, linux: Message) -> tuple[list[bytes], ...]:
    """The container's mounts, its devices, and the rules for these."""
    mounts, devices = raws(message, "mounts"), raws(linux, "devices")
    if not mounts and not devices:
        return ()
    return mounts, devices, raws(child(linux, "resources"), "devices")


def attached_to(container: Container) -> tuple[list[Mount], list[Device]]:
    """Mounts and devices of a container that NRI told of. Raises WireProblem."""
    if not container.undecoded:
        return [], []
    mounts, devices, rules = container.undecoded
    decoded = [nri.LINUX_DEVICE_CGROUP.decode(rule) for rule in rules] if devices else []
    found = [_device(nri.LINUX_DEVICE.decode(device), decoded) for device in devices]
    return [_mount(nri.MOUNT.decode(mount)) for mount in mounts], [one for one in found if one]


def _mount(message: Message) -> Mount:
    read_only = "ro" in texts(message, "options")
    return Mount(text(message, "source"), text(message, "destination"), read_only)


def _device(message: Message, rules: list[Message]) -> Optional[Device]:
    kind = DEVICE_KINDS.get(text(message, "type"))
    if kind is None:
        return None
    read_only = not _may_write(message, rules)
    return Device(kind, number(message, "major"), number(message, "minor"), read_only)


def _may_write(device: Message, rules: list[Message]) -> bool:
    """The rule for just this device counts, else whether a rule for all lets anybody write."""
    may = False
    for rule in rules:
        major, minor = number(child(rule, "major"), "value"), number(child(rule, "minor"), "value")
        writes = "w" in text(rule, "access")
        if not text(rule, "type") and not major and not minor:
            may = may or writes
        elif (text(rule, "type"), major, minor) == (
            text(device, "type"),
            number(device, "major"),
            number(device, "minor"),
        ):
            return may or writes
    return may


def _resources(message: Message) -> Resources:
    cpu = child(message, "cpu")
    return Resources(
        shares=_given(cpu, "shares"),
        quota=_given(cpu, "quota"),
        period=_given(cpu, "period"),
        memory_limit_bytes=_given(child(message, "memory"), "limit"),
        cpus=text(cpu, "cpus"),
        mems=text(cpu, "mems"),
    )


def _given(message: Message, name: str) -> Optional[int]:
    """The number in a wrapper; None where it is absent or 0, which NRI sends for "not given"."""
    return number(child(message, name), "value") or None


def _optional(message: Message, name: str) -> Optional[int]:
    """The number in a wrapper, 0 included; None where the wrapper is absent."""
    return number(child(message, name), "value") if name in message else None
