# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runtime's end of one plugin connection: mux frames, ttrpc both ways.

Written apart from the agent's ``mux`` and ``ttrpc`` so that each judges the other. It imitates
what Go's end cannot take: a message whose first frame is larger than 4096 bytes breaks the call
(``OversizedFrame``). Out of scope: what the messages mean (``runtime``).
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Optional

from .schema import MESSAGES

PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin"
RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime"
TO_PLUGIN, TO_RUNTIME = 1, 2
GO_READ_BUFFER = 4096


class ConnectionLost(Exception):
    """The plugin's end is gone."""


class RpcError(Exception):
    """The plugin answered with an error: (code, message)."""


class OversizedFrame(Exception):
    """A frame that Go's reader would choke on."""


class Waiting:
    """A call that waits for the plugin's answer."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: Optional[Any] = None


Serve = Callable[[str, bytes], tuple[int, str, bytes]]
"""Answers a call of the plugin: (method, payload) -> (code, message, payload)."""


class Trunk:
    """One accepted connection; calls are made from any thread, one thread reads."""

    def __init__(self, sock: socket.socket, serve: Serve, on_end: Callable[[], None]) -> None:
        self.sock = sock
        self.failure: Optional[Exception] = None
        self._serve, self._on_end = serve, on_end
        self._lock = threading.Lock()
        self._stream = 1
        self._waiting: dict[int, Waiting] = {}
        self._helpers: list[threading.Thread] = []
        self.ended = False
        self.reader = threading.Thread(target=self._read, name="fake-trunk", daemon=True)

    def start(self) -> None:
        """Begin to read; apart from making it, so that the owner can book it first."""
        self.reader.start()

    def call(self, method: str, payload: bytes, timeout_s: float) -> bytes:
        """Call the plugin. Raises TimeoutError, ConnectionLost, RpcError."""
        waiting = Waiting()
        with self._lock:
            if self.ended:
                raise ConnectionLost
            stream, self._stream = self._stream, self._stream + 2
            self._waiting[stream] = waiting
        request = MESSAGES["TtrpcRequest"](
            service=PLUGIN_SERVICE,
            method=method,
            payload=payload,
            timeout_nano=int(timeout_s * 1e9),
            metadata=[{"key": "traceparent", "value": "00-0-0-00"}],
        )
        self.send(TO_PLUGIN, stream, 1, request.SerializeToString())
        if not waiting.done.wait(timeout_s):
            raise TimeoutError(method)
        if waiting.answer is None:
            raise ConnectionLost
        status = waiting.answer.status
        if status.code:
            raise RpcError(status.code, status.message)
        return bytes(waiting.answer.payload)

    def send(self, connection: int, stream: int, kind: int, data: bytes) -> None:
        """One ttrpc message, in frames as Go's bufio makes them. Raises ConnectionLost."""
        message = struct.pack(">IIBB", len(data), stream, kind, 0) + data
        parts = [message[:GO_READ_BUFFER], message[GO_READ_BUFFER:]]
        frames = b"".join(struct.pack(">II", connection, len(p)) + p for p in parts if p)
        self.send_bytes(frames)

    def send_bytes(self, data: bytes) -> None:
        """Raw bytes, for what no runtime would send. Raises ConnectionLost."""
        try:
            with self._lock:
                self.sock.sendall(data)
        except OSError as error:
            raise ConnectionLost from error

    def close(self) -> None:
        """End the connection as a stopping runtime does."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def join(self) -> None:
        """Wait for the threads of a closed connection."""
        self.reader.join(5)
        for helper in self._helpers:
            helper.join(5)

    def _read(self) -> None:
        buffers = {TO_PLUGIN: b"", TO_RUNTIME: b""}
        try:
            while True:
                connection, length = struct.unpack(">II", self._exactly(8))
                payload = self._exactly(length)
                if length > GO_READ_BUFFER and not buffers[connection]:
                    raise OversizedFrame(length)
                buffers[connection] = self._messages(connection, buffers[connection] + payload)
        except (OSError, ConnectionLost):
            pass
        except Exception as error:  # the top of a thread: a test looks at it
            self.failure = error
        self._end()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.sock.recv(count - len(data))
            if not chunk:
                raise ConnectionLost
            data = data + chunk if data else chunk
        return data

    def _messages(self, connection: int, data: bytes) -> bytes:
        while len(data) >= 10:
            length, stream, kind, _flags = struct.unpack(">IIBB", data[:10])
            if len(data) < 10 + length:
                break
            body, data = data[10 : 10 + length], data[10 + length :]
            if connection == TO_PLUGIN and kind == 2:
                self._answered(stream, MESSAGES["TtrpcResponse"].FromString(body))
            elif connection == TO_RUNTIME and kind == 1:
                request = MESSAGES["TtrpcRequest"].FromString(body)
                helper = threading.Thread(target=self._answer, args=(stream, request), daemon=True)
                self._helpers.append(helper)
                helper.start()
            else:
                raise AssertionError(f"message type {kind} on connection {connection}")
        return data

    def _answered(self, stream: int, answer: Any) -> None:
        waiting = self._waiting.pop(stream, None)
        if waiting is not None:
            waiting.answer = answer
            waiting.done.set()

    def _answer(self, stream: int, request: Any) -> None:
        code, message, payload = self._serve(request.method, request.payload)
        response = MESSAGES["TtrpcResponse"](payload=payload)
        if code:
            response.status.code, response.status.message = code, message
        try:
            self.send(TO_RUNTIME, stream, 2, response.SerializeToString())
        except ConnectionLost:
            pass

    def _end(self) -> None:
        with self._lock:
            self.ended = True
            waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.done.set()
        self.sock.close()
        self._on_end()
