# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve the metrics page over HTTP on a unix socket or a loopback port; one request at a time.

Out of scope: any path but one, any method but GET, anybody from outside the machine.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
from typing import Callable, Union

TIMEOUT_S = 2.0
MAX_REQUEST = 8192
PAUSE_S = 0.5


def listen(address: str) -> socket.socket:
    """A listening socket for ``unix:PATH`` or ``ADDRESS:PORT``. Raises OSError."""
    if address.startswith("unix:"):
        place = address[len("unix:") :]
        if _is_socket(place):
            os.unlink(place)  # of an agent that was killed; any other file makes bind fail
        server = _bound(socket.AF_UNIX, place)
        os.chmod(place, 0o660)
    else:
        host, _colon, port = address.rpartition(":")
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        server = _bound(family, (host.strip("[]"), int(port)))
    server.listen(8)
    server.settimeout(1.0)
    return server


def _bound(family: int, place: Union[str, tuple[str, int]]) -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(place)
    except OSError:
        server.close()
        raise
    return server


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def serve(server: socket.socket, page: Callable[[], str], stop: threading.Event) -> None:
    """The thread's body: answer scrapes until *stop*; a broken client costs TIMEOUT_S at most."""
    with server:
        while not stop.is_set():
            try:
                client, _address = server.accept()
            except socket.timeout:
                continue  # so that we look at *stop*
            except OSError:
                stop.wait(PAUSE_S)  # no descriptor is left, for example
                continue
            with client:
                client.settimeout(TIMEOUT_S)
                try:
                    _answer(client, page)
                except Exception:  # the top of a thread: the client went away, or a fault of ours
                    continue


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
