# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The NRI plugin: connects to the runtime's socket, serves, and connects again, for ever.

Out of scope: what to answer. Nothing here ends the process: a runtime that is absent, restarts,
forgets us, refuses us or sends garbage is reported and tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Optional

from model.events import ContainerUpdate
from model.problem import SHOWN_CHARACTERS, HomenodeProblem, Problem

from . import nri, ttrpc
from .answers import Answers
from .mux import Closed, Mux, connect
from .notice import (
    CONNECTED,
    DISCONNECTED,
    PROBLEM,
    UNDELIVERED,
    WAITING,
    RuntimeCounts,
    RuntimeNotice,
)
from .session import Forgotten, Handle, Report, Session
from .settings import NriSettings

TICK_S = 1.0
"""How long a stop that nobody calls ``interrupt`` for may take to be seen, in seconds."""

UPDATE_TIMEOUT_S = 2.0
"""How long one unsolicited update may take, in seconds; about 0.02 is usual."""

MAX_REMARKS = 64
"""Most different remarks between two connections; a socket that sends noise floods no journal."""


class NriPlugin:
    """The runtime room's front. *handle* and *report* are called on the thread of ``run``."""

    def __init__(self, settings: NriSettings, handle: Handle, report: Report) -> None:
        self._settings = settings
        self._handle = handle
        self._told = report
        self._answers = Answers(min(settings.answer_budget_s, settings.synchronize_budget_s))
        self._session: Optional[Session] = None
        self._mux: Optional[Mux] = None
        self._said: set[tuple[str, str]] = set()
        self.counts = RuntimeCounts()

    @property
    def busy_since(self) -> Optional[float]:
        """When the event in hand came (monotonic clock, seconds), None between events.

        For the watchdog: a handler that never returns can be answered for, but not ended.
        """
        return self._answers.busy_since

    @property
    def connected(self) -> bool:
        """Whether decisions reach a runtime now."""
        session = self._session
        return session is not None and session.synchronized and not session.ended

    def run(self, stop: threading.Event) -> None:
        """Serve until *stop* is set; it is seen within TICK_S, or at once after ``interrupt``."""
        pause_s = self._settings.retry_first_s
        with self._answers:
            while not stop.is_set():
                if self._serve_once(stop):
                    pause_s = self._settings.retry_first_s
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, self._settings.retry_longest_s)

    def interrupt(self) -> None:
        """Make ``run`` look at its stop now; from any thread, and harmless in between."""
        mux = self._mux
        if mux is not None:
            mux.interrupt()

    def update(self, updates: Sequence[ContainerUpdate]) -> dict[str, Problem]:
        """Ask the runtime to move containers, unasked; what failed and why, by container id.

        One call each, because the runtime does not say which of several failed, and because it
        holds its lock (about 20 ms each): a creation waits for one update, not for all. Accepted
        is not done: verify in the cgroup. Never from within ``handle``: raises RuntimeError.
        """
        failed: dict[str, Problem] = {}
        for update in updates:
            why = self._update(update)
            if why:
                failed[update.container_id] = Problem(
                    "container", update.container_id, why, "see the runtime's log", "update"
                )
        return failed

    def _update(self, update: ContainerUpdate) -> str:
        session = self._session
        if session is None or not session.synchronized:
            return "no runtime is connected"
        try:
            payload = nri.update_request(update)
            response = session.call("UpdateContainers", payload, UPDATE_TIMEOUT_S)
        except Closed as error:
            return str(error)
        return (
            "" if response.code == ttrpc.OK else f"refused: {response.message[:SHOWN_CHARACTERS]}"
        )

    def _serve_once(self, stop: threading.Event) -> bool:
        """One connection from start to end; whether it ever was synchronized."""
        settings = self._settings
        try:
            mux = connect(settings.socket_path, min(TICK_S, settings.registration_wait_s / 2))
        except OSError as error:
            self._waiting(error)
            return False
        self._mux = mux
        session = self._session = Session(
            mux, settings, self._handle, self._report, self._answers, self.counts
        )
        self.counts.connections += 1
        try:
            session.run(stop)
        except Closed as error:
            self._report(RuntimeNotice(DISCONNECTED, str(error), *session.runtime))
        except Forgotten:
            self.counts.forgotten += 1
            detail = f"no Synchronize within {settings.registration_wait_s:g} s of registering"
            self._report(RuntimeNotice(DISCONNECTED, detail, *session.runtime))
        except HomenodeProblem as error:
            self.counts.malformed += 1
            notice = RuntimeNotice(PROBLEM, str(error), *session.runtime, problem=error.problem)
            self._report(notice)
        except Exception as error:  # the top of a thread: a fault of ours must not end the service
            self.counts.failed += 1
            detail = f"fault in the session: {type(error).__name__}: {error}"
            self._report(RuntimeNotice(PROBLEM, detail, *session.runtime))
        finally:
            self._session = self._mux = None
            mux.close()
        return session.synchronized

    def _waiting(self, error: OSError) -> None:
        path = self._settings.socket_path
        problem = None
        if not isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
            problem = Problem(
                "nri socket", path, str(error), "check its path and permissions", "connect"
            )
        self._report(RuntimeNotice(WAITING, f"no runtime answers at {path}", problem=problem))

    def _report(self, notice: RuntimeNotice) -> None:
        """Pass *notice* on; the same remark about an outage only once until we are connected."""
        if notice.kind == CONNECTED:
            self._said.clear()
        elif notice.kind != UNDELIVERED:
            remark = (notice.kind, notice.detail)
            if remark in self._said or len(self._said) >= MAX_REMARKS:
                return
            self._said.add(remark)
        try:
            self._told(notice)
        except Exception:  # the top of a thread: whoever listens must not end the service
            self.counts.failed += 1
