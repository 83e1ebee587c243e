# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's way to kubelets in guests, whose addresses mean nothing on this host.

An API server can be told to reach nodes through a proxy (its egress selector). This is one: it
takes `CONNECT ADDRESS:PORT` and joins the caller to the socket that ssh forwards to that node.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path

PIECE = 65536
ACCEPTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


class WayToKubelets:
    """A proxy on a unix socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sockets: dict[str, Path] = {}
        """By the node's address: the host's socket that leads to its kubelet."""
        self._listening = socket.socket(socket.AF_UNIX)

    def add(self, path: Path) -> str:
        """An address for the node whose kubelet is behind this socket."""
        address = f"10.99.0.{len(self.sockets) + 1}"
        self.sockets[address] = path
        return address

    def configuration(self) -> Path:
        """The file for the API server's `--egress-selector-config-file`."""
        connection = {
            "proxyProtocol": "HTTPConnect",
            "transport": {"uds": {"udsName": str(self.path)}},
        }
        content = {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": connection}],
        }
        target = self.path.with_name("egress.json")
        target.write_text(json.dumps(content), encoding="ascii")
        return target

    def start(self) -> None:
        """Listen, in the background."""
        self._listening.bind(str(self.path))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        """Take no more callers."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _address = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(caller,), daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        with caller, socket.socket(socket.AF_UNIX) as kubelet:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                piece = caller.recv(PIECE)
                if not piece:
                    return
                request += piece
            address = request.split()[1].decode().rpartition(":")[0]
            try:
                kubelet.connect(str(self.sockets[address]))
            except (KeyError, OSError):
                caller.sendall(REFUSED)
                return
            caller.sendall(ACCEPTED)
            back = threading.Thread(target=_pour, args=(kubelet, caller), daemon=True)
            back.start()
            _pour(caller, kubelet)
            back.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes from one to the other, then the end of it."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
