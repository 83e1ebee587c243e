# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: one JSON line per change in a bounded file; no routine goes to standard error too.

A service's log grows with what goes wrong, not with how many pods come and go.
JSON escapes control characters, so a pod's name cannot forge a line. A flood is cut and counted.
A full disk loses lines of the file, never a decision.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Optional, TextIO

ROUTINE = frozenset(("placed", "resized", "released", "followed"))
"""Kinds of records that every pod's life has: they stand in the file alone."""

BURST = 200
PER_SECOND = 50


class Journal:
    """Writes lines to *path*, rotated once to ``path.1`` at *max_bytes*, and to *stream*.

    *stream* gets no ROUTINE.
    """

    def __init__(self, path: str, max_bytes: int, stream: Optional[TextIO] = None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()
        self._tokens = float(BURST)
        self._last = time.monotonic()
        self._dropped = 0
        self._torn = False
        self.error = ""

    def write(self, record: Mapping[str, object]) -> None:
        """Write one record; never raises. ``error`` tells why the file could not be written."""
        with self._lock:
            if not self._may_write():
                self._dropped += 1
                return
            if self._dropped:
                self._put(json.dumps({"kind": "dropped", "lines": self._dropped}))
                self._dropped = 0
            self._put(json.dumps(record), routine=record.get("kind") in ROUTINE)

    def _may_write(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._last) * PER_SECOND)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _put(self, line: str, *, routine: bool = False) -> None:
        if not routine:
            self._say(line)
        try:
            self._append(line)
            self.error = ""
        except OSError as error:
            self.error = f"{self._path}: {error.strerror}"

    def _say(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody listens: the file still gets it

    def _append(self, line: str) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            data = ("\n" * self._torn + line + "\n").encode("ascii")
            self._torn = True
            if os.write(handle, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._torn = False
            full = os.fstat(handle).st_size > self._max_bytes
        finally:
            os.close(handle)
        if full:
            os.replace(self._path, self._path + ".1")
