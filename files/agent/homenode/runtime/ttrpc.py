# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ttrpc: requests and responses as messages with a ten-byte header, on a connection of the mux.

A message is length of data (u32), stream id (u32), type (u8), flags (u8), data; big endian. Ids
of streams are odd and rise, with one counter per direction.
Out of scope: streaming calls, which NRI has none of; what a payload means (``nri``).
Source: containerd/ttrpc PROTOCOL.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Union

from .codec import child, number, raw, text
from .nri_messages import TTRPC_REQUEST, TTRPC_RESPONSE
from .wire import MAX_MESSAGE_BYTES, MAX_SENT_BYTES, WireProblem

REQUEST, RESPONSE = 1, 2
OK, UNKNOWN, UNIMPLEMENTED = 0, 2, 12
"""gRPC's code numbers."""

_HEADER = struct.Struct(">IIBB")


@dataclass(frozen=True)
class Request:
    """A call: *stream* is repeated in its response."""

    stream: int
    service: str
    method: str
    payload: bytes


@dataclass(frozen=True)
class Response:
    """What came of a call: *code* is OK, or *message* says why not."""

    stream: int
    code: int
    message: str
    payload: bytes


class Reassembly:
    """The bytes of one connection, cut into messages again."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._wanted = _HEADER.size

    def feed(self, piece: bytes) -> list[Union[Request, Response]]:
        """The messages that *piece* completes. Raises WireProblem where it breaks the rules."""
        self._bytes += piece
        messages: list[Union[Request, Response]] = []
        while len(self._bytes) >= self._wanted:
            length, stream, kind, _flags = _HEADER.unpack_from(self._bytes)
            if length > MAX_MESSAGE_BYTES:
                raise WireProblem("message length", length, f"is over {MAX_MESSAGE_BYTES} bytes")
            self._wanted = _HEADER.size + length
            if len(self._bytes) >= self._wanted:
                messages.append(_read(stream, kind, self._take(self._wanted)))
                self._wanted = _HEADER.size
        return messages

    def _take(self, end: int) -> Union[bytes, bytearray]:
        """The data of the first message, which ends at *end*; not copied where it is the last."""
        if end == len(self._bytes):
            data, self._bytes = self._bytes, bytearray()
            del data[: _HEADER.size]
            return data
        first = bytes(self._bytes[_HEADER.size : end])
        del self._bytes[:end]
        return first


def request(stream: int, service: str, method: str, payload: bytes, timeout_s: float) -> bytes:
    """A call, ready for the mux; the other side may give up after *timeout_s* seconds."""
    fields = {
        "service": service,
        "method": method,
        "payload": payload,
        "timeout_nano": int(timeout_s * 1e9),
    }
    return _pack(stream, REQUEST, TTRPC_REQUEST.encode(fields))


def response(stream: int, payload: bytes) -> bytes:
    """The good answer to the call on *stream*.

    Raises WireProblem for a payload that the other side would refuse for its size.
    """
    return _pack(stream, RESPONSE, TTRPC_RESPONSE.encode({"payload": payload}))


def refusal(stream: int, code: int, message: str) -> bytes:
    """The bad answer to the call on *stream*: in answer to a creation, the pod does not start."""
    status = {"code": code, "message": message}
    return _pack(stream, RESPONSE, TTRPC_RESPONSE.encode({"status": status}))


def _read(stream: int, kind: int, data: Union[bytes, bytearray]) -> Union[Request, Response]:
    if kind == REQUEST:
        fields = TTRPC_REQUEST.decode(data)
        return Request(
            stream, text(fields, "service"), text(fields, "method"), raw(fields, "payload")
        )
    if kind == RESPONSE:
        fields = TTRPC_RESPONSE.decode(data)
        status = child(fields, "status")
        return Response(
            stream, number(status, "code"), text(status, "message"), raw(fields, "payload")
        )
    raise WireProblem("message type", kind, "is neither a request nor a response")


def _pack(stream: int, kind: int, data: bytes) -> bytes:
    if len(data) > MAX_SENT_BYTES:
        raise WireProblem("our message", len(data), f"is over {MAX_SENT_BYTES} bytes")
    return _HEADER.pack(len(data), stream, kind, 0) + data
