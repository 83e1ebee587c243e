# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One gRPC call over a Unix socket, with nothing but the standard library.

For the kubelet's and the runtime's local sockets: no TLS, no streams, one call per connection.
Response headers are not decoded (HPACK has a state that nobody here needs): an answer without a
message is a refusal, whose words are then not known. Out of scope: messages (``codec``).
Sources: RFC 9113 (frames, flow control), RFC 7541 §6.2.2 (literals), gRPC over HTTP/2.
"""

from __future__ import annotations

import socket
import struct
import time

from .wire import WireProblem

MAX_ANSWER_BYTES = 16 << 20
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_ACK = _END_STREAM = 0x1
_END_HEADERS, _PADDED = 0x4, 0x8
_STREAM = 1
_INITIAL_WINDOW, _DEFAULT_WINDOW = 4, 65535
_FRAME_BYTES = 16384


def call(path: str, method: str, request: bytes, timeout: float) -> bytes:
    """The answer to *method* (``/package.Service/Method``) from the socket at *path*.

    *timeout* is in seconds, for all of it. Raises OSError where nobody answers (in time) and
    WireProblem where the answer is no gRPC message or is a refusal.
    """
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(_opening(method, request))
        return _message(_answer(connection, deadline), method)


def _opening(method: str, request: bytes) -> bytes:
    window = struct.pack(">HI", _INITIAL_WINDOW, MAX_ANSWER_BYTES)
    grow = struct.pack(">I", MAX_ANSWER_BYTES - _DEFAULT_WINDOW)
    body = b"\0" + struct.pack(">I", len(request)) + request
    pieces = [body[at : at + _FRAME_BYTES] for at in range(0, len(body), _FRAME_BYTES)]
    frames = [
        _frame(_SETTINGS, 0, 0, window),
        _frame(_WINDOW_UPDATE, 0, 0, grow),
        _frame(_HEADERS, _END_HEADERS, _STREAM, _headers(method)),
    ]
    for number, piece in enumerate(pieces, 1):
        frames.append(_frame(_DATA, _END_STREAM * (number == len(pieces)), _STREAM, piece))
    return _PREFACE + b"".join(frames)


def _headers(method: str) -> bytes:
    """The request's header block: two indexed fields, the rest literal and never indexed."""
    return b"".join(
        (
            b"\x83\x86",  # :method POST, :scheme http
            b"\x04" + _text(method),  # :path
            b"\x01" + _text("localhost"),  # :authority
            b"\x0f\x10" + _text("application/grpc"),  # content-type
            b"\x00" + _text("te") + _text("trailers"),
        )
    )


def _text(value: str) -> bytes:
    data = value.encode("ascii")
    if len(data) >= 127:
        raise WireProblem("method", value, "is too long for one byte of length")
    return bytes([len(data)]) + data


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _answer(connection: socket.socket, deadline: float) -> bytes:
    """The data of the one stream, until it ends."""
    received = b""
    while True:
        header = _exactly(connection, 9, deadline)
        size = int.from_bytes(header[:3], "big")
        kind, flags = header[3], header[4]
        if len(received) + size > MAX_ANSWER_BYTES:
            raise WireProblem("answer", "", f"is larger than {MAX_ANSWER_BYTES} bytes")
        payload = _exactly(connection, size, deadline)
        if kind == _DATA:
            received += _unpadded(payload) if flags & _PADDED else payload
        elif kind == _SETTINGS and not flags & _ACK:
            connection.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            connection.sendall(_frame(_PING, _ACK, 0, payload))
        elif kind in (_RST_STREAM, _GOAWAY):
            raise WireProblem("answer", "", "the other side gave the call up")
        if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            return received


def _unpadded(payload: bytes) -> bytes:
    padding = payload[0] if payload else 0
    return payload[1 : len(payload) - padding]


def _exactly(connection: socket.socket, size: int, deadline: float) -> bytes:
    parts, missing = [], size
    while missing:
        left = deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        connection.settimeout(left)
        part = connection.recv(missing)
        if not part:
            raise ConnectionResetError("the other side hung up")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _message(data: bytes, method: str) -> bytes:
    if not data:
        raise WireProblem("answer", method, "is a refusal without a message")
    size = int.from_bytes(data[1:5], "big")
    if data[0] != 0 or len(data) != 5 + size:
        raise WireProblem("answer", method, "is not one uncompressed message")
    return data[5:]
