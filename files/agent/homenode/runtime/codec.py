# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Protobuf by table: only the fields that a table names are decoded, everything else is skipped.

A decoded message is a dict of the fields that were present; ``text``, ``number``, ``child``,
``children`` and ``mapping`` read it with proto3's defaults. What no table names (environment,
arguments, mounts) is stepped over without being copied. Nesting is bounded by the tables, none of
which contains itself; sizes and counts by ``wire``. Encoding follows the same tables.

Out of scope: groups, repeated numbers, floating point, required fields, extensions: NRI's
messages have none of them where we look, but for one list of small enums (``scheduler.flags``),
which on the wire is the same as bytes.
Source: protobuf.dev "Encoding"; judged by the ``protobuf`` library in tests/unit/agent/runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional, Union, cast

from .wire import MAX_ITEMS, MAX_STRING_BYTES, WireProblem

Message = dict[str, object]
Octets = Union[bytes, bytearray]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types. 3 and 4 (groups) are refused: proto3 cannot produce them."""

INT64, UINT64, INT32, UINT32, BOOL, STRING, BYTES, MESSAGE, MAP = range(9)
"""Kinds of a field; MAP is map<string, string>."""

MAX_VARINT_BYTES = 10


class Malformed(WireProblem):
    """A message that is no protobuf, or passes a bound."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, "", why)


@dataclass(frozen=True)
class Field:
    """One field of a message: *kind* as above, *table* where it is MESSAGE.

    Only MESSAGE, STRING and BYTES can be *repeated*.
    """

    name: str
    kind: int
    table: Optional[Table] = None
    repeated: bool = False


class Table:
    """The fields of one message type by number."""

    __slots__ = ("_by_name", "_by_tag", "fields", "name")

    def __init__(self, name: str, fields: Mapping[int, Field]) -> None:
        self.name = name
        self.fields = fields
        self._by_tag = {number << 3 | _wire_type(f.kind): f for number, f in fields.items()}
        self._by_name = {f.name: (_varint(tag), f) for tag, f in self._by_tag.items()}

    def decode(self, data: Octets) -> Message:
        """The fields of *data* that this table names. Raises Malformed, and nothing else."""
        message: Message = {}
        _decode(self, data, 0, len(data), message, [MAX_ITEMS])
        return message

    def encode(self, message: Mapping[str, object]) -> bytes:
        """*message* on the wire; proto3's defaults (0, "", False) are left out as it demands.

        A sub-message may be given as bytes, encoded before. Raises KeyError for an unknown name.
        """
        parts: list[bytes] = []
        for name, value in message.items():
            tag, field = self._by_name[name]
            for item in cast(list[object], value) if field.repeated else (value,):
                _encode_field(tag, field, item, parts)
        return b"".join(parts)

    def field_header(self, name: str, size: int) -> bytes:
        """What stands before the *size* bytes of the length-delimited field *name*."""
        return self._by_name[name][0] + _varint(size)


def text(message: Message, name: str) -> str:
    """A string field, "" where it is absent."""
    return cast(str, message.get(name, ""))


def raw(message: Message, name: str) -> bytes:
    """A bytes field, empty where it is absent."""
    return cast(bytes, message.get(name, b""))


def number(message: Message, name: str) -> int:
    """An integer, enum or bool field, 0 where it is absent."""
    return cast(int, message.get(name, 0))


def child(message: Message, name: str) -> Message:
    """A sub-message, empty where it is absent."""
    return cast(Message, message.get(name, {}))


def children(message: Message, name: str) -> list[Message]:
    """A repeated sub-message, empty where it is absent."""
    return cast(list[Message], message.get(name, []))


def texts(message: Message, name: str) -> list[str]:
    """A repeated string, empty where it is absent."""
    return cast(list[str], message.get(name, []))


def raws(message: Message, name: str) -> list[bytes]:
    """A repeated bytes field, empty where it is absent."""
    return cast(list[bytes], message.get(name, []))


def mapping(message: Message, name: str) -> dict[str, str]:
    """A map<string, string>, empty where it is absent."""
    return cast(dict[str, str], message.get(name, {}))


def _wire_type(kind: int) -> int:
    return LENGTH if kind >= STRING else VARINT


def _decode(
    table: Table, data: Octets, at: int, end: int, message: Message, left: list[int]
) -> None:
    """Merge data[at:end] into *message*; *left* counts down the items that may still come."""
    by_tag = table._by_tag
    while at < end:
        tag = data[at]
        at += 1
        if tag & 0x80:
            tag, at = _read_varint(data, at - 1, end, table.name)
        field = by_tag.get(tag)
        if tag & 7 == LENGTH:
            if at < end and data[at] < 0x80:
                size = data[at]
                at += 1
            else:
                size, at = _read_varint(data, at, end, table.name)
            stop = at + size
            if stop > end:
                raise Malformed(table.name, "ends inside a field")
            if field is not None:
                _take(table, field, data, at, stop, message, left)
            elif tag < 8:
                raise Malformed(table.name, "has a field with the number 0")
            at = stop
        elif field is not None:
            value, at = _read_varint(data, at, end, table.name)
            message[field.name] = _signed(field.kind, value)
        else:
            at = _skip(data, at, end, tag, table.name)


def _take(
    table: Table,
    field: Field,
    data: Octets,
    at: int,
    stop: int,
    message: Message,
    left: list[int],
) -> None:
    """Decode one length-delimited field of *table* into *message*."""
    name, kind = field.name, field.kind
    if kind == STRING and not field.repeated:
        message[name] = _string(data, at, stop, table.name)
        return
    if kind == BYTES and not field.repeated:
        message[name] = bytes(memoryview(data)[at:stop])
        return
    left[0] -= 1
    if left[0] < 0:
        raise Malformed(table.name, f"has more than {MAX_ITEMS} parts")
    if kind == BYTES:
        cast(list[bytes], message.setdefault(name, [])).append(bytes(memoryview(data)[at:stop]))
        return
    if kind == STRING:
        cast(list[str], message.setdefault(name, [])).append(_string(data, at, stop, table.name))
        return
    if kind == MAP:
        _take_entry(data, at, stop, cast(dict[str, str], message.setdefault(name, {})), left)
        return
    part: Message
    if field.repeated:
        part = {}
        cast(list[Message], message.setdefault(name, [])).append(part)
    else:
        part = cast(Message, message.setdefault(name, {}))
    _decode(cast(Table, field.table), data, at, stop, part, left)


def _take_entry(data: Octets, at: int, stop: int, entries: dict[str, str], left: list[int]) -> None:
    entry: Message = {}
    _decode(_ENTRY, data, at, stop, entry, left)
    entries[text(entry, "key")] = text(entry, "value")


def _string(data: Octets, at: int, stop: int, where: str) -> str:
    if stop - at > MAX_STRING_BYTES:
        raise Malformed(where, f"has a string of more than {MAX_STRING_BYTES} bytes")
    try:
        return data[at:stop].decode()
    except UnicodeDecodeError:
        raise Malformed(where, "has a string that is no UTF-8") from None


def _read_varint(data: Octets, at: int, end: int, where: str) -> tuple[int, int]:
    """The unsigned varint at *at* and the index after it."""
    value = shift = 0
    for index in range(at, min(end, at + MAX_VARINT_BYTES)):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, index + 1
        shift += 7
    raise Malformed(where, "has a number that does not end")


def _signed(kind: int, value: int) -> int:
    if kind == INT64:
        return value - (1 << 64) if value >> 63 else value
    if kind == INT32:
        value &= 0xFFFF_FFFF
        return value - (1 << 32) if value >> 31 else value
    if kind == UINT32:
        return value & 0xFFFF_FFFF
    return value if kind == UINT64 else int(value != 0)


def _skip(data: Octets, at: int, end: int, tag: int, where: str) -> int:
    """The index after an unknown field that is not length-delimited."""
    if tag < 8:
        raise Malformed(where, "has a field with the number 0")
    wire_type = tag & 7
    if wire_type == VARINT:
        return _read_varint(data, at, end, where)[1]
    if wire_type not in (FIXED64, FIXED32):
        raise Malformed(where, f"has a field of wire type {wire_type}")
    at += 8 if wire_type == FIXED64 else 4
    if at > end:
        raise Malformed(where, "ends inside a field")
    return at


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _delimited(tag: bytes, body: bytes) -> bytes:
    return tag + _varint(len(body)) + body


def _encode_field(tag: bytes, field: Field, value: object, parts: list[bytes]) -> None:
    kind = field.kind
    if kind == MESSAGE:
        if isinstance(value, bytes):
            body = value
        else:
            body = cast(Table, field.table).encode(cast(Message, value))
        parts.append(_delimited(tag, body))
    elif kind == MAP:
        for key, item in cast(dict[str, str], value).items():
            parts.append(_delimited(tag, _ENTRY.encode({"key": key, "value": item})))
    elif kind in (STRING, BYTES):
        body = value.encode() if isinstance(value, str) else cast(bytes, value)
        if body or field.repeated:
            parts.append(_delimited(tag, body))
    elif value:
        parts.append(tag + _varint(cast(int, value) & 0xFFFF_FFFF_FFFF_FFFF))


_ENTRY = Table("map entry", {1: Field("key", STRING), 2: Field("value", STRING)})
