# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our plugin in the test's own process, with a handler that the test writes.

Out of scope: the daemon around it (``process``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from homenode.runtime.notice import RuntimeNotice
from homenode.runtime.plugin import NriPlugin
from homenode.runtime.settings import NriSettings
from model.events import NO_CHANGE, Event, Reply

Decide = Callable[[Event, float], Reply]


class Served:
    """A plugin that runs in a thread; *events* and *notices* are what it handled and said."""

    def __init__(self, socket_path: Path, **settings: Any) -> None:
        self.events: list[Event] = []
        self.notices: list[RuntimeNotice] = []
        self.decide: Decide = lambda event, deadline: NO_CHANGE
        merged = {"registration_wait_s": 4.0, **settings}
        self.plugin = NriPlugin(
            NriSettings(str(socket_path), **merged), self._handle, self.notices.append
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.plugin.run, args=(self._stop,))

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        assert self.stop()

    def stop(self, *, interrupt: bool = True) -> bool:
        """End the plugin; whether it did end within five seconds."""
        self._stop.set()
        if interrupt:
            self.plugin.interrupt()
        self._thread.join(5)
        return not self._thread.is_alive()

    def _handle(self, event: Event, deadline: float) -> Reply:
        self.events.append(event)
        return self.decide(event, deadline)

    def kinds(self) -> list[str]:
        """The kinds of all notices."""
        return [notice.kind for notice in self.notices]

    def wait_for(self, kind: str, count: int = 1, timeout_s: float = 15.0) -> RuntimeNotice:
        """The *count*-th notice of this kind."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = [notice for notice in self.notices if notice.kind == kind]
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.005)
        raise AssertionError(f"no {kind} among {self.notices}")
