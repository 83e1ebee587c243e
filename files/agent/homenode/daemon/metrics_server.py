# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve the metrics page over HTTP; one request at a time.

Out of scope: any path but one, any method but GET, anybody from outside the machine.
"""

from __future__ import annotations

import socket
import threading
from typing import Callable

from . import listener

MAX_REQUEST = 8192


def serve(server: socket.socket, page: Callable[[], str], stop: threading.Event) -> None:
    """The thread's body: answer scrapes until *stop*."""
    listener.serve(server, lambda client: _answer(client, page), stop)


def _answer(client: socket.socket, page: Callable[[], str]) -> None:
    request = client.recv(MAX_REQUEST).split(b"\r\n", 1)[0].split(b" ")
    if len(request) < 2 or request[0] != b"GET" or request[1] not in (b"/metrics", b"/"):
        client.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    body = page().encode("utf-8")
    head = (
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    client.sendall(head.encode("ascii") + body)
