# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codec against the protobuf library, over generated messages; and against hostile bytes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_runtime.schema import MESSAGES
from homenode.runtime import codec, nri_messages
from homenode.runtime.codec import Malformed, Table
from homenode.runtime.wire import MAX_ITEMS, MAX_STRING_BYTES

PAIRS = {
    "PodSandbox": nri_messages.POD_SANDBOX,
    "Container": nri_messages.CONTAINER,
    "ContainerRequest": nri_messages.POD_AND_CONTAINER,
    "UpdateContainerRequest": nri_messages.UPDATE_CONTAINER_REQUEST,
    "SynchronizeRequest": nri_messages.SYNCHRONIZE_REQUEST,
    "SynchronizeResponse": nri_messages.SYNCHRONIZE_RESPONSE,
    "CreateContainerResponse": nri_messages.CREATE_CONTAINER_RESPONSE,
    "UpdateList": nri_messages.UPDATES,
    "StateChangeEvent": nri_messages.STATE_CHANGE_EVENT,
    "ConfigureRequest": nri_messages.CONFIGURE_REQUEST,
    "ConfigureResponse": nri_messages.CONFIGURE_RESPONSE,
    "RegisterPluginRequest": nri_messages.REGISTER_PLUGIN_REQUEST,
    "TtrpcRequest": nri_messages.TTRPC_REQUEST,
    "TtrpcResponse": nri_messages.TTRPC_RESPONSE,
}
BY_NAME = pytest.mark.parametrize("name", PAIRS)

_TEXT = st.text(max_size=12)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, (1 << 32) - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=300),
}


def _fields(descriptor: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of a message class, each field there or not."""
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in descriptor.fields:
        if field.message_type is None:
            one = _SCALARS[field.type]
        elif field.message_type.GetOptions().map_entry:
            optional[field.name] = st.dictionaries(_TEXT, _TEXT, max_size=3)
            continue
        else:
            one = _fields(field.message_type)
        optional[field.name] = st.lists(one, max_size=2) if field.is_repeated else one
    return st.fixed_dictionaries({}, optional=optional)


GENERATED = {name: _fields(MESSAGES[name].DESCRIPTOR) for name in PAIRS}


def seen_by_protobuf(table: Table, message: Any) -> dict[str, Any]:
    """What *table* names of a protobuf message; scalars only where they are no default."""
    found: dict[str, Any] = {}
    for number, field in table.fields.items():
        name = message.DESCRIPTOR.fields_by_number[number].name
        value = getattr(message, name)
        if field.kind == codec.MAP:
            if value:
                found[field.name] = dict(value)
        elif field.repeated and field.table is None:
            if value:
                undecoded = field.kind == codec.BYTES
                found[field.name] = [one.SerializeToString() if undecoded else one for one in value]
        elif field.table is None:
            if value:
                found[field.name] = value
        elif field.repeated:
            if value:
                found[field.name] = [seen_by_protobuf(field.table, part) for part in value]
        elif message.HasField(name):
            found[field.name] = seen_by_protobuf(field.table, value)
    return found


def without_defaults(table: Table, message: dict[str, Any]) -> dict[str, Any]:
    """A decoded message without scalars that were sent although they are defaults."""
    found: dict[str, Any] = {}
    for field in table.fields.values():
        value = message.get(field.name)
        if field.table is not None and field.repeated and value:
            found[field.name] = [without_defaults(field.table, part) for part in value]
        elif field.table is not None and not field.repeated and value is not None:
            found[field.name] = without_defaults(field.table, value)
        elif value:
            found[field.name] = value
    return found


@BY_NAME
def test_names_are_those_of_nri(name: str) -> None:
    for number, field in PAIRS[name].fields.items():
        assert MESSAGES[name].DESCRIPTOR.fields_by_number[number].name == field.name


@BY_NAME
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_decodes_what_protobuf_encodes(name: str, data: st.DataObject) -> None:
    message = MESSAGES[name](**data.draw(GENERATED[name]))
    decoded = PAIRS[name].decode(message.SerializeToString())
    assert decoded == seen_by_protobuf(PAIRS[name], message)


@BY_NAME
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_protobuf_decodes_what_it_encodes(name: str, data: st.DataObject) -> None:
    table = PAIRS[name]
    fields = seen_by_protobuf(table, MESSAGES[name](**data.draw(GENERATED[name])))
    again = MESSAGES[name].FromString(table.encode(fields))
    assert seen_by_protobuf(table, again) == fields


@BY_NAME
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_broken_bytes_are_malformed_or_mean_the_same_to_both(
    name: str, data: st.DataObject
) -> None:
    whole = bytearray(MESSAGES[name](**data.draw(GENERATED[name])).SerializeToString())
    for _time in range(data.draw(st.integers(0, 3))):
        if whole:
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        decoded = PAIRS[name].decode(broken)
    except Malformed:
        return
    try:
        judged = MESSAGES[name].FromString(broken)
    except DecodeError:
        return
    assert without_defaults(PAIRS[name], decoded) == seen_by_protobuf(PAIRS[name], judged)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_noise_raises_malformed_and_nothing_else(noise: bytes) -> None:
    for table in PAIRS.values():
        try:
            table.decode(noise)
        except Malformed:
            pass


def test_environment_and_arguments_are_never_kept() -> None:
    container = MESSAGES["Container"](id="c", env=["PASSWORD=hunter2"], args=["--token", "t0ps"])
    request = MESSAGES["ContainerRequest"](pod={"id": "p"}, container=container)
    decoded = nri_messages.POD_AND_CONTAINER.decode(request.SerializeToString())
    assert decoded == {"pod": {"id": "p"}, "container": {"id": "c"}}


def test_parts_of_one_message_are_merged() -> None:
    first = MESSAGES["ContainerRequest"](container={"linux": {"cgroups_path": "/a"}})
    second = MESSAGES["ContainerRequest"](container={"id": "c", "linux": {"resources": {}}})
    both = first.SerializeToString() + second.SerializeToString()
    decoded = nri_messages.POD_AND_CONTAINER.decode(both)
    assert decoded == {"container": {"id": "c", "linux": {"cgroups_path": "/a", "resources": {}}}}


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        pytest.param(b"\x0a\x05ab", "ends inside", id="string past the end"),
        pytest.param(b"\x0a", "does not end", id="no length"),
        pytest.param(b"\x0a" + b"\xff" * 11, "does not end", id="length of eleven bytes"),
        pytest.param(b"\x20" + b"\x80" * 10, "does not end", id="number of eleven bytes"),
        pytest.param(b"\x0a\xff\xff\xff\xff\x0f", "ends inside", id="length of 4 GiB"),
        pytest.param(b"\x0b\x0c", "wire type 3", id="group"),
        pytest.param(b"\x0e", "wire type 6", id="no such wire type"),
        pytest.param(b"\x02\x01a", "number 0", id="field 0"),
        pytest.param(b"\x00\x01", "number 0", id="field 0, a number"),
        pytest.param(b"\xf9\x07abc", "ends inside", id="fixed64 past the end"),
        pytest.param(b"\x0a\x02\xff\xfe", "no UTF-8", id="not UTF-8"),
    ],
)
def test_malformed(wire: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        nri_messages.CONTAINER.decode(wire)


def test_a_string_beyond_the_bound_is_malformed_and_one_at_it_is_not() -> None:
    for size in (MAX_STRING_BYTES, MAX_STRING_BYTES + 1):
        wire = MESSAGES["Container"](name="x" * size).SerializeToString()
        if size <= MAX_STRING_BYTES:
            assert nri_messages.CONTAINER.decode(wire) == {"name": "x" * size}
        else:
            with pytest.raises(Malformed, match="string of more than"):
                nri_messages.CONTAINER.decode(wire)


def test_many_empty_parts_are_refused_before_they_fill_the_memory() -> None:
    wire = b"\x12\x00" * (MAX_ITEMS + 1)
    with pytest.raises(Malformed, match="more than"):
        nri_messages.SYNCHRONIZE_REQUEST.decode(wire)


def test_skipping_is_linear() -> None:
    """Sixteen MiB of what we do not know: no copies, no recursion."""
    wire = b"\x42\x7e" + b"x" * 126
    began = time.process_time()
    assert nri_messages.CONTAINER.decode(wire * 8192) == {}
    assert time.process_time() - began < 1.0


def test_an_unknown_name_cannot_be_encoded() -> None:
    with pytest.raises(KeyError):
        nri_messages.CONTAINER.encode({"env": "x"})
