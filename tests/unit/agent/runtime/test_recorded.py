# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real runtimes sent, as our codec and the protobuf library read it.

Recorded with the plugin of this tree on the forwarded NRI socket of a lab guest: a Guaranteed
pod (1 CPU, 64 MiB, TOKEN in its environment), one Burstable, an update, a restart, removal.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from fake_runtime.schema import MESSAGES
from homenode.runtime import nri, nri_messages
from homenode.runtime.codec import Table
from model.events import (
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdating,
    PodStarted,
)
from model.workload import GUARANTEED, Mount, Resources, whole_cpus

FOLDER = Path(__file__).parent / "recorded"
RUNTIMES = pytest.mark.parametrize("runtime", ["containerd-1.7.24", "containerd-2.1.9"])
READ_BY: dict[str, tuple[Table, str]] = {
    "Configure": (nri_messages.CONFIGURE_REQUEST, "ConfigureRequest"),
    "Synchronize": (nri_messages.SYNCHRONIZE_REQUEST, "SynchronizeRequest"),
    "StateChange": (nri_messages.STATE_CHANGE_EVENT, "StateChangeEvent"),
    "CreateContainer": (nri_messages.POD_AND_CONTAINER, "ContainerRequest"),
    "UpdateContainer": (nri_messages.UPDATE_CONTAINER_REQUEST, "UpdateContainerRequest"),
    "StopContainer": (nri_messages.POD_AND_CONTAINER, "ContainerRequest"),
}


def recorded(runtime: str) -> list[tuple[str, bytes]]:
    lines = (FOLDER / f"{runtime}.txt").read_text().splitlines()
    words = [line.split(" ") for line in lines if not line.startswith("#")]
    return [(method, base64.b64decode("".join(payload))) for method, *payload in words]


def by_protobuf(table: Table, message: Any) -> dict[str, Any]:
    """What *table* names, as the library has it."""
    found: dict[str, Any] = {}
    for field in table.fields.values():
        value = getattr(message, field.name)
        if field.repeated and field.table is None:
            continue  # undecoded
        if field.table is None:
            found[field.name] = dict(value) if hasattr(value, "items") else value
        elif field.repeated:
            found[field.name] = [by_protobuf(field.table, part) for part in value]
        elif message.HasField(field.name):
            found[field.name] = by_protobuf(field.table, value)
    return {name: value for name, value in found.items() if value or isinstance(value, dict)}


def pruned(message: Any) -> Any:
    """The same shape: absent scalars and empty maps left out."""
    if isinstance(message, list):
        return [pruned(part) for part in message]
    if isinstance(message, dict):
        return {
            name: pruned(value)
            for name, value in message.items()
            if value != {} and not (isinstance(value, list) and isinstance(value[0], bytes))
        }
    return message


@RUNTIMES
def test_mounts_and_devices_are_read_when_they_are_asked_for(runtime: str) -> None:
    for method, payload in recorded(runtime):
        if method == "CreateContainer":
            event = nri.event_of(method, payload)
            assert isinstance(event, ContainerCreating)
            mounts, devices = nri.attached_to(event.container)
            judged = MESSAGES["ContainerRequest"].FromString(payload).container
            assert mounts == [
                Mount(one.source, one.destination, "ro" in one.options) for one in judged.mounts
            ]
            assert any(one.read_only for one in mounts) and any(not one.read_only for one in mounts)
            assert len(devices) == len(judged.linux.devices)


@RUNTIMES
def test_both_read_the_same(runtime: str) -> None:
    messages = recorded(runtime)
    assert {method for method, _payload in messages} == set(READ_BY)
    for method, payload in messages:
        table, name = READ_BY[method]
        judged = by_protobuf(table, MESSAGES[name].FromString(payload))
        assert pruned(table.decode(payload)) == pruned(judged)


@RUNTIMES
def test_no_secret_survives_decoding(runtime: str) -> None:
    for method, payload in recorded(runtime):
        if method == "CreateContainer":
            assert b"TOKEN=secret" in payload
        assert "secret" not in repr(READ_BY[method][0].decode(payload))


@RUNTIMES
def test_events(runtime: str) -> None:
    told = [
        nri.event_of(method, payload)
        for method, payload in recorded(runtime)
        if method in nri.EVENT_METHODS
    ]
    kinds = [type(event) for event in told]
    for kind in (PodStarted, ContainerStarted, ContainerStopped, ContainerRemoved):
        assert kind in kinds
    creating = next(event for event in told if isinstance(event, ContainerCreating))
    assert (creating.pod.full_name, creating.pod.qos_class) == ("default/web", GUARANTEED)
    assert creating.container.resources == Resources(1024, 100_000, 100_000, 64 << 20)
    assert whole_cpus(creating.container.resources, GUARANTEED) == 1
    updating = next(event for event in told if isinstance(event, ContainerUpdating))
    assert updating.resources == Resources(shares=512)
    assert updating.container.resources.cpus == "0", "what we had asked for before"


@RUNTIMES
def test_synchronize(runtime: str) -> None:
    first, after_restart = (p for m, p in recorded(runtime) if m == "Synchronize")
    assert nri.synchronized_part(first) == ([], [], False)
    pods, containers, more = nri.synchronized_part(after_restart)
    assert sorted(pod.qos_class for pod in pods) == ["Burstable", "Guaranteed"]
    assert {container.state for container in containers} == {"running"}
    assert {container.pod_id for container in containers} == {pod.id for pod in pods}
    assert not more
