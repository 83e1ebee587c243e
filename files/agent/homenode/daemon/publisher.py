# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The publisher thread: journal lines, the status file and the ledger file, off the hot path.

Records wait in a bounded queue; when it overflows the oldest are dropped and counted, because the
newest say what holds now. Files are written at most once per ``SETTLE_S``.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Callable

from homenode.report.journal import Journal
from homenode.report.status import status
from homenode.world.record import Record
from homenode.world.world import World
from model.problem import Problem

from . import store

MAX_WAITING = 4096
SETTLE_S = 0.25


class Publisher:
    """*agent* gives the agent's own part of the status each time it is written."""

    def __init__(
        self,
        world: Callable[[], World],
        agent: Callable[[], dict[str, Any]],
        journal: Journal,
        *,
        status_path: str,
        ledger_path: str,
    ) -> None:
        self._world = world
        self._agent = agent
        self._journal = journal
        self._status_path = status_path
        self._ledger_path = ledger_path
        self._waiting: deque[dict[str, object]] = deque(maxlen=MAX_WAITING)
        self._due = threading.Event()
        self._saved_version = -1
        self._errors: dict[str, str] = {}

    def records(self, records: Sequence[Record]) -> None:
        """Take records for the journal, and note that something changed."""
        for record in records:
            self._waiting.append(record.as_dict())
        self._due.set()

    def note(self, kind: str, **fields: object) -> None:
        """Take a remark of the daemon itself for the journal."""
        self._waiting.append({"kind": kind, **fields})
        self._due.set()

    def problems(self) -> list[Problem]:
        """What could not be written, until it could."""
        return [
            Problem(name, why, "cannot be written", "free space on its disk; pinning goes on")
            for name, why in sorted(self._errors.items())
        ]

    def run(self, stop: threading.Event) -> None:
        """The thread's body; publishes a last time after *stop*."""
        while not stop.is_set():
            self._due.wait()
            self._due.clear()
            self.publish()
            stop.wait(SETTLE_S)
        self.publish()

    def publish(self) -> None:
        """Write what waits."""
        while self._waiting:
            self._journal.write(self._waiting.popleft())
        world = self._world()
        if world.ledger.version != self._saved_version:
            error = store.save(self._ledger_path, store.remembered(world))
            self._outcome("ledger", error)
            if error is None:
                self._saved_version = world.ledger.version
        self._errors.pop("journal", None)
        if self._journal.error:
            self._errors["journal"] = self._journal.error
        text = json.dumps(status(world, self._agent()))
        self._outcome("status", store.write_atomically(self._status_path, text, 0o644))

    def wake(self) -> None:
        """Publish soon, for the status' sake."""
        self._due.set()

    def _outcome(self, name: str, error: Any) -> None:
        if error is None:
            self._errors.pop(name, None)
        elif name not in self._errors:
            self._errors[name] = str(error)
            self._journal.write({"kind": "problem", "field": name, "why": str(error)})
