# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's monitor: its JSON protocol, used for the few commands of its human one that we need."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from lab.problem import LabProblem

LIMIT = 120.0  # seconds; writing a snapshot to a busy disk is the slowest command


class Monitor:
    """A connection to one QEMU; close it soon, QEMU serves one at a time."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(LIMIT)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rw", encoding="utf-8")
        self._lines.readline()  # the greeting
        self._execute("qmp_capabilities", {})

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self._lines.close()
        self._socket.close()

    def human(self, line: str) -> str:
        """Run a human monitor command. Raises LabProblem when it answers with an error."""
        answer = self._execute("human-monitor-command", {"command-line": line}).strip()
        if "Error" in answer:
            raise LabProblem(f"QEMU refused {line!r}: {answer}")
        return answer

    def _execute(self, command: str, arguments: dict[str, str]) -> str:
        json.dump({"execute": command, "arguments": arguments}, self._lines)
        self._lines.write("\n")
        self._lines.flush()
        for line in self._lines:
            message = json.loads(line)
            if "error" in message:
                raise LabProblem(f"QEMU refused {command}: {message['error']['desc']}")
            if "return" in message:
                return str(message["return"] or "")
        raise LabProblem(f"QEMU ended during {command}")
