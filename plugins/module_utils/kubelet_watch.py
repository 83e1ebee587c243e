# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""Whether a kubelet that was just started is up and stays so, from one look after the other.

A kubelet that refuses its configuration ends after a fraction of a second, or about a second after
it began to answer; systemd then starts it again and again. So one good answer proves nothing.
Pure: looks and the clock come in as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .kubelet_service import Service

SETTLES_S = 3.0
"""For so long a service may still look failed after it was told to start."""


@dataclass(frozen=True)
class Look:
    """One look: seconds on a clock that only grows, the service, the kubelet's own process.

    *process* is the kubelet's id where it is a child of the service (RKE2), else 0.
    """

    at: float
    service: Service
    process: int
    healthy: bool

    @property
    def run(self) -> tuple[int, int, int]:
        """What stays the same as long as nothing was started anew."""
        return (self.service.pid, self.service.restarts, self.process)


class Watch:
    """Takes looks until the matter is decided. *ends_allowed* are early ends that are forgiven."""

    def __init__(self, stays_up_s: float, ends_allowed: int = 1) -> None:
        self.stays_up_s = stays_up_s
        self.ends_allowed = ends_allowed
        self.ends = 0
        self.failure = ""
        self._first: Optional[Look] = None
        self._last_process = 0
        self._up_since: Optional[Look] = None

    def take(self, look: Look) -> bool:
        """One more look; true once it is decided. ``failure`` is empty if all is well."""
        self._count(look)
        if not look.service.loaded:
            self.failure = "there is no such service"
        elif look.service.state.startswith("failed") and self._age(look) >= SETTLES_S:
            self.failure = f"the service has ended: {look.service.state}"
        elif self.ends > self.ends_allowed:
            self.failure = f"the kubelet has ended {self.ends} times"
        if self.failure:
            return True
        if not (look.healthy and look.service.active):
            self._up_since = None
        elif self._up_since is None or self._up_since.run != look.run:
            self._up_since = look
        return self._up_since is not None and look.at - self._up_since.at >= self.stays_up_s

    def _age(self, look: Look) -> float:
        return 0.0 if self._first is None else look.at - self._first.at

    def _count(self, look: Look) -> None:
        """How often the kubelet has ended; systemd counts those that no look has seen."""
        if self._first is None:
            self._first = look
        process = look.process or look.service.pid
        if process and self._last_process not in (0, process):
            self.ends += 1
        self._last_process = process or self._last_process
        self.ends = max(self.ends, look.service.restarts - self._first.service.restarts)
