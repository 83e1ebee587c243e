# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listen on a unix socket or a loopback port, and answer one client after the other.

Out of scope: what is asked and answered. A broken client costs TIMEOUT_S at most.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
from typing import Callable, Union

TIMEOUT_S = 2.0
PAUSE_S = 0.5


def listen(address: str, mode: int = 0o660) -> socket.socket:
    """A listening socket for ``unix:PATH`` (of this *mode*) or ``ADDRESS:PORT``. Raises OSError."""
    if address.startswith("unix:"):
        place = address[len("unix:") :]
        if _is_socket(place):
            os.unlink(place)  # of an agent that was killed; any other file makes bind fail
        server = _bound(socket.AF_UNIX, place)
        os.chmod(place, mode)
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


def serve(
    server: socket.socket, answer: Callable[[socket.socket], None], stop: threading.Event
) -> None:
    """The thread's body: call *answer* with each client until *stop*."""
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
                    answer(client)
                except Exception:  # the top of a thread: the client went away, or a fault of ours
                    continue
