# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every call is answered once, and at its deadline at the latest: with "no change" if need be.

The handler runs on the thread that reads the socket, because handing a call to another thread and
back costs 50-100 us, a third of the whole answer. A second thread keeps watch: when a deadline
passes it answers in the reader's place, and the reader, when it comes back, learns that it lost
the call. Who claims a call first answers it; a lock decides.

The watch does not wake per call. It looks once per *shortest_s* while calls come, so it is never
asleep when one becomes due, and sleeps for good after a quiet spell, until the next call.

Out of scope: what the answers are; a handler that never returns (see ``busy_since``: the service
manager's watchdog ends such a process).
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Callable, Optional


class Call:
    """One call of the runtime: *deadline* on the monotonic clock, in seconds."""

    __slots__ = ("answer_no_change", "deadline", "open", "since")

    def __init__(self, answer_no_change: Callable[[], None], budget_s: float) -> None:
        self.answer_no_change = answer_no_change
        self.since = monotonic()
        self.deadline = self.since + budget_s
        self.open = True


class Answers:
    """The watch over the one call in hand; a context manager around its thread.

    *shortest_s* is the smallest budget that a call may have.
    """

    def __init__(self, shortest_s: float) -> None:
        self._shortest_s = shortest_s
        self._changed = threading.Condition()
        self._call: Optional[Call] = None
        self._asleep = False
        self._ended = False
        self._thread = threading.Thread(target=self._watch, name="nri-answers", daemon=True)

    def __enter__(self) -> Answers:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    @property
    def busy_since(self) -> Optional[float]:
        """When the call in hand came (monotonic clock), None where there is none."""
        call = self._call
        return None if call is None else call.since

    def begin(self, call: Call) -> None:
        """Take *call* in hand."""
        with self._changed:
            self._call = call
            if self._asleep:
                self._changed.notify()

    def claim(self, call: Call) -> bool:
        """Whether the answer to *call* is the caller's to send: True once per call."""
        with self._changed:
            ours, call.open = call.open, False
            return ours

    def end(self) -> None:
        """Nothing is in hand any more."""
        self._call = None

    def _watch(self) -> None:
        while True:
            with self._changed:
                due = self._wait()
                if self._ended:
                    return
            if due is not None:
                due.answer_no_change()

    def _wait(self) -> Optional[Call]:
        """Wait until a call is due, and claim it; None to look again, with the lock held."""
        call = self._call
        if call is not None and call.open:
            left = call.deadline - monotonic()
            if left <= 0:
                call.open = False
                return call
            self._changed.wait(min(left, self._shortest_s))
            return None
        self._changed.wait(self._shortest_s)
        if self._call is call and not self._ended:
            self._asleep = True
            self._changed.wait()
            self._asleep = False
        return None
