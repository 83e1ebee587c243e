# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control socket: root asks the running agent, one JSON object each way per connection.

``{"verb": …, …}`` is answered with what the verb returns, or with ``{"problem": {…}}``. Only the
user that the agent runs as may ask; the kernel says who does (unix(7), SO_PEERCRED).
Out of scope: what the verbs do; showing state, for which the status file needs no permission.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, Callable

from model.problem import HomenodeProblem

MAX_REQUEST = 65536
MAX_ANSWER = 16 << 20
ANSWER_TIMEOUT_S = 60.0

Verb = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def answer(client: socket.socket, verbs: Mapping[str, Verb]) -> None:
    """Answer one client of the listener."""
    reply: Mapping[str, Any]
    try:
        reply = _reply(client, verbs)
    except HomenodeProblem as error:
        reply = {"problem": error.problem.as_dict()}
    client.settimeout(ANSWER_TIMEOUT_S)
    client.sendall(json.dumps(reply).encode() + b"\n")


def ask(path: str, request: Mapping[str, Any]) -> Any:
    """What the agent at *path* answers. Raises HomenodeProblem, the agent's own one too."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(_line(connection, MAX_ANSWER))
    except (OSError, ValueError) as error:
        raise HomenodeProblem(
            "control socket", path, str(error), "start the agent, and ask as root"
        ) from error
    if "problem" in reply:
        told = reply["problem"]
        raise HomenodeProblem(told["field"], told["value"], told["why"], told["remedy"])
    return reply


def _reply(client: socket.socket, verbs: Mapping[str, Verb]) -> Mapping[str, Any]:
    asked = _line(client, MAX_REQUEST)  # whoever asks, so that nobody writes into a closed socket
    _pid, uid, _gid = struct.unpack(
        "3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    )
    if uid != os.geteuid():
        raise HomenodeProblem("user", uid, "may not control the agent", "ask as the agent's user")
    try:
        request = json.loads(asked)
    except (ValueError, RecursionError) as error:
        raise HomenodeProblem("request", "", f"is not JSON: {error}", "send an object") from error
    name = request.get("verb") if isinstance(request, dict) else None
    verb = verbs.get(name) if isinstance(name, str) else None
    if verb is None:
        raise HomenodeProblem("verb", name, "is not known", "known: " + ", ".join(sorted(verbs)))
    return verb(request)


def _line(connection: socket.socket, most: int) -> bytes:
    """The first line; what the other side said before it left, if it sent no end of line."""
    received = b""
    while not received.endswith(b"\n") and len(received) < most:
        part = connection.recv(min(65536, most - len(received)))
        if not part:
            break
        received += part
    return received
