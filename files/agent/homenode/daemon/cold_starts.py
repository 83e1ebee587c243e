# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When cold starts end: so many seconds after the container started, or was found running.

On the monotonic clock, and looked at once per round of the read-back. Out of scope: what ends.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Callable

from homenode.loop.cold_start import cold_seconds
from model.events import ContainerStarted, ContainerUpdate, Event, Synchronized

from .owner import Owner

Apply = Callable[[Sequence[ContainerUpdate]], object]


class ColdStarts:
    """*apply* tells the runtime."""

    def __init__(self, owner: Owner, apply: Apply) -> None:
        self._owner = owner
        self._apply = apply
        self._due: dict[str, float] = {}

    def noticed(self, event: Event) -> None:
        """Wind the clock for whom *event* tells of."""
        if isinstance(event, ContainerStarted):
            self._wind(event.container_id)
        elif isinstance(event, Synchronized):
            self._due = {}
            for container in event.containers:
                self._wind(container.id)

    def look(self) -> None:
        """End what is due."""
        now = time.monotonic()
        for container_id in [key for key, due in self._due.copy().items() if due <= now]:
            self._due.pop(container_id, None)
            updates = self._owner.warm(container_id)
            if updates:
                self._apply(updates)

    def _wind(self, container_id: str) -> None:
        seconds = cold_seconds(self._owner.world, container_id)
        if seconds:
            self._due[container_id] = time.monotonic() + seconds
