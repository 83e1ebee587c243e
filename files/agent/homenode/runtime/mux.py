# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NRI's multiplexer: two connections on one stream socket, as frames with an eight-byte header.

A frame is connection id (u32), length (u32), payload; both numbers big endian. A message may span
frames and a frame may hold parts of several messages: what is read here are bytes of a connection.
Out of scope: what the bytes mean (``ttrpc``), when to connect (``plugin``).
Source: containerd/nri ``pkg/net/multiplex``.
"""

from __future__ import annotations

import socket
import struct
import threading
from typing import Optional

from .wire import MAX_FRAME_BYTES, WireProblem

PLUGIN_CONNECTION, RUNTIME_CONNECTION = 1, 2
"""On 1 the runtime calls us, on 2 we call the runtime."""

FIRST_FRAME_BYTES = 4096
"""The send rule: Go's end reads through a buffer of this size and breaks on a message whose first
frame is larger, and its queue of frames overflows on many small ones. So: this much, then the
rest in one frame."""

SEND_TIMEOUT_S = 2.0
"""How long a write may wait for the other side to read, in seconds."""

_HEADER = struct.Struct(">II")
_RECEIVE_BYTES = 1 << 16


class Closed(Exception):
    """The other side closed the socket, or it broke: reconnect."""


class Mux:
    """The frames of one connected socket; reading is for one thread, writing for any.

    *tick_s* seconds is the longest that ``read`` waits before it lets its caller look around.
    """

    def __init__(self, trunk: socket.socket, tick_s: float) -> None:
        self._trunk = trunk
        self._chunk = b""
        self._at = 0
        self._connection = self._left = 0
        self._sending = threading.Lock()
        trunk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(tick_s))
        trunk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SEND_TIMEOUT_S))

    def read(self) -> Optional[tuple[int, bytes]]:
        """The next bytes of a connection, as (connection, bytes); None after a tick without any.

        They come as they arrive, so that a large frame is never held here. Raises Closed at the
        end of the stream, WireProblem for a frame beyond the bound.
        """
        while True:
            there = len(self._chunk) - self._at
            if self._left and there:
                return self._connection, self._take(min(self._left, there))
            if not self._left and there >= _HEADER.size:
                self._connection, self._left = _HEADER.unpack_from(self._chunk, self._at)
                self._at += _HEADER.size
                if self._left > MAX_FRAME_BYTES:
                    why = f"is over {MAX_FRAME_BYTES} bytes"
                    raise WireProblem("frame length", self._left, why)
            elif not self._receive():
                return None

    def _take(self, count: int) -> bytes:
        end = self._at + count
        piece = self._chunk[self._at : end]
        self._at = end
        self._left -= count
        return piece

    def _receive(self) -> bool:
        """Wait for more bytes; False where none came within a tick."""
        try:
            chunk = self._trunk.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            raise Closed(str(error)) from None
        if not chunk:
            raise Closed("the runtime closed the connection")
        self._chunk = self._chunk[self._at :] + chunk
        self._at = 0
        return True

    def write(self, connection: int, message: bytes) -> None:
        """Send *message* whole, by the send rule. Raises Closed where the socket is broken."""
        first, rest = message[:FIRST_FRAME_BYTES], message[FIRST_FRAME_BYTES:]
        frames = _HEADER.pack(connection, len(first)) + first
        if rest:
            frames += _HEADER.pack(connection, len(rest)) + rest
        try:
            with self._sending:
                self._trunk.sendall(frames)
        except OSError as error:
            self.interrupt()  # half a frame may be out: nothing after it could be understood
            raise Closed(str(error)) from None

    def interrupt(self) -> None:
        """Make a waiting ``read`` raise Closed, from any thread."""
        try:
            self._trunk.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already, which is what we want

    def close(self) -> None:
        """Give the socket back; the reader does it, when it has stopped reading."""
        self._trunk.close()


def connect(path: str, tick_s: float) -> Mux:
    """A mux on the socket at *path*. Raises OSError where nobody listens there."""
    trunk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        trunk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SEND_TIMEOUT_S))
        trunk.connect(path)
        return Mux(trunk, tick_s)
    except OSError:
        trunk.close()
        raise


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
