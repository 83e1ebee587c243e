# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to a runtime: register, configure, synchronize, then one event after the other.

The runtime sends the next event only when it has our answer to the last, so one thread reads,
asks the handler and answers. Other threads may call the runtime meanwhile; the reader hands them
their responses. Out of scope: making the connection, and the next one (``plugin``).
Source: containerd/nri ``pkg/adaptation``.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Callable, Optional

from model.events import NO_CHANGE, ContainerCreating, Event, Reply, Synchronized
from model.problem import SHOWN_CHARACTERS, HomenodeProblem, Problem
from model.workload import Container, Pod

from . import nri, ttrpc
from .answers import Answers, Call
from .codec import number, text
from .mux import PLUGIN_CONNECTION, RUNTIME_CONNECTION, Closed, Mux
from .notice import CONNECTED, PROBLEM, UNDELIVERED, RuntimeCounts, RuntimeNotice
from .nri_messages import (
    CONFIGURE_REQUEST,
    CONFIGURE_RESPONSE,
    EMPTY_ANSWERS,
    EVENT_MASK,
    PLUGIN_SERVICE,
    REGISTER_PLUGIN_REQUEST,
    RUNTIME_SERVICE,
)
from .settings import NriSettings
from .wire import MAX_SYNCHRONIZED, WireProblem

Handle = Callable[[Event, float], Reply]
"""What decides. The float is the deadline (monotonic clock, seconds): a handler that cannot be
done by then decides nothing and returns NO_CHANGE."""

Report = Callable[[RuntimeNotice], None]


class Forgotten(Exception):
    """The runtime took our registration and never synchronized us."""


class _Pending:
    """A call of ours that waits for its response; None once the connection is gone."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.response: Optional[ttrpc.Response] = None


class Session:
    """See the module; ``run`` is for one thread, ``call`` for any other."""

    def __init__(
        self,
        mux: Mux,
        settings: NriSettings,
        handle: Handle,
        report: Report,
        answers: Answers,
        counts: RuntimeCounts,
    ) -> None:
        self._mux = mux
        self._settings = settings
        self._handle = handle
        self._report = report
        self._answers = answers
        self._counts = counts
        self._calling = threading.Lock()
        self._stream = 1
        self._pending: dict[int, _Pending] = {}
        self._reader = threading.get_ident()
        self._pods: list[Pod] = []
        self._containers: list[Container] = []
        self._runtime_patience_s = float("inf")
        self.runtime = ("", "")
        self.synchronized = False
        self.ended = False

    def run(self, stop: threading.Event) -> None:
        """Serve until *stop*, or until the connection ends.

        Raises Closed, Forgotten, or HomenodeProblem where the runtime refuses or breaks the rules.
        """
        self._reader = threading.get_ident()
        patience = monotonic() + self._settings.registration_wait_s
        incoming = {PLUGIN_CONNECTION: ttrpc.Reassembly(), RUNTIME_CONNECTION: ttrpc.Reassembly()}
        try:
            self._register()
            while not stop.is_set():
                self._read(incoming)
                if not self.synchronized and monotonic() > patience:
                    raise Forgotten
        finally:
            self._abandon()

    def _read(self, incoming: dict[int, ttrpc.Reassembly]) -> None:
        """Take what comes within a tick; on return no message is held any more."""
        piece = self._mux.read()
        if piece is not None and piece[0] in incoming:
            for message in incoming[piece[0]].feed(piece[1]):
                self._take(piece[0], message)

    def call(self, method: str, payload: bytes, timeout_s: float) -> ttrpc.Response:
        """Call the runtime and wait, at most *timeout_s* seconds.

        Raises Closed where no answer comes; RuntimeError inside a handler, which would wait for
        itself: the runtime answers only when the handler is done.
        """
        if threading.get_ident() == self._reader:
            raise RuntimeError("a call of the runtime inside a handler would wait for itself")
        pending = _Pending()
        self._send(method, payload, timeout_s, pending)
        if not pending.done.wait(timeout_s):
            raise Closed(f"the runtime did not answer {method} in {timeout_s:g} s")
        if pending.response is None:
            raise Closed("the connection ended")
        return pending.response

    def _send(self, method: str, payload: bytes, timeout_s: float, pending: _Pending) -> None:
        with self._calling:
            stream, self._stream = self._stream, self._stream + 2
            self._pending[stream] = pending
            self._mux.write(
                RUNTIME_CONNECTION,
                ttrpc.request(stream, RUNTIME_SERVICE, method, payload, timeout_s),
            )

    def _register(self) -> None:
        settings = self._settings
        fields = {"plugin_name": settings.plugin_name, "plugin_idx": settings.plugin_index}
        self._registration = _Pending()
        payload = REGISTER_PLUGIN_REQUEST.encode(fields)
        self._send("RegisterPlugin", payload, settings.registration_wait_s, self._registration)

    def _abandon(self) -> None:
        """Wake whoever waits for a response that will not come."""
        self.ended = True
        with self._calling:
            pending, self._pending = self._pending, {}
        for waiting in pending.values():
            waiting.done.set()

    def _take(self, connection: int, message: object) -> None:
        if isinstance(message, ttrpc.Request) and connection == PLUGIN_CONNECTION:
            self._serve(message)
        elif isinstance(message, ttrpc.Response) and connection == RUNTIME_CONNECTION:
            self._resolve(message)
        else:
            raise WireProblem("direction", connection, "has calls of the other connection")

    def _resolve(self, response: ttrpc.Response) -> None:
        pending = self._pending.pop(response.stream, None)
        if pending is None:
            return  # its caller gave up
        if pending is self._registration and response.code != ttrpc.OK:
            self._counts.refused += 1
            raise HomenodeProblem(
                "registration",
                f"{self._settings.plugin_index}-{self._settings.plugin_name}",
                f"is refused by the runtime: {response.message[:SHOWN_CHARACTERS]}",
                "change plugin_name or plugin_index",
                source="RegisterPlugin",
            )
        pending.response = response
        pending.done.set()

    def _serve(self, request: ttrpc.Request) -> None:
        method, known = request.method, request.service == PLUGIN_SERVICE
        if known and method in nri.EVENT_METHODS:
            self._event(request)
        elif known and method == "Synchronize":
            self._synchronize(request)
        elif known and method == "Configure":
            self._configure(request)
        elif known and method in EMPTY_ANSWERS:
            self._answer(request, b"")
        else:
            why = f"{request.service[:80]}/{method[:80]} is not known"
            refusal = ttrpc.refusal(request.stream, ttrpc.UNIMPLEMENTED, why)
            self._mux.write(PLUGIN_CONNECTION, refusal)

    def _answer(self, request: ttrpc.Request, payload: bytes) -> None:
        self._mux.write(PLUGIN_CONNECTION, ttrpc.response(request.stream, payload))

    def _configure(self, request: ttrpc.Request) -> None:
        message = CONFIGURE_REQUEST.decode(request.payload)
        name, version = text(message, "runtime_name"), text(message, "runtime_version")
        self.runtime = (name[:SHOWN_CHARACTERS], version[:SHOWN_CHARACTERS])
        timeout_ms = number(message, "request_timeout")
        if timeout_ms > 0:
            self._runtime_patience_s = timeout_ms / 1000
        self._answer(request, CONFIGURE_RESPONSE.encode({"events": EVENT_MASK}))

    def _synchronize(self, request: ttrpc.Request) -> None:
        pods, containers, more = nri.synchronized_part(request.payload)
        self._pods += pods
        self._containers += containers
        listed = len(self._pods) + len(self._containers)
        if listed > MAX_SYNCHRONIZED:
            raise WireProblem("Synchronize", listed, f"lists more than {MAX_SYNCHRONIZED}")
        if more:
            self._answer(request, nri.synchronize_answer(NO_CHANGE, more=True))
            return
        event = Synchronized(tuple(self._pods), tuple(self._containers))
        self._pods, self._containers = [], []
        budget_s = min(self._settings.synchronize_budget_s, 0.75 * self._runtime_patience_s)
        if not self._decide(request, event, budget_s):
            raise HomenodeProblem(
                "Synchronize",
                f"{len(event.containers)} containers",
                "could not be taken over, so what runs is unknown",
                "report the failure named before; it is tried again",
                source="NRI",
            )
        self.synchronized = True
        self._notice(CONNECTED, "decisions reach the runtime")

    def _event(self, request: ttrpc.Request) -> None:
        try:
            event = nri.event_of(request.method, request.payload)
        except HomenodeProblem as error:
            self._counts.malformed += 1
            self._answer(request, b"")
            self._notice(PROBLEM, f"{request.method} is not understood", error.problem)
            return
        if event is None:
            self._answer(request, b"")
            return
        self._counts.events += 1
        budget_s = min(self._settings.answer_budget_s, 0.5 * self._runtime_patience_s)
        self._decide(request, event, budget_s)

    def _decide(self, request: ttrpc.Request, event: Event, budget_s: float) -> bool:
        """Ask the handler, answer in time whatever happens, and say so where that was not it.

        A decision that comes after its deadline is not sent, even where nobody answered in its
        place yet: a handler that refuses for lack of time comes back just then. False where the
        handler raised.
        """
        call = Call(lambda: self._answer_in_place(request), budget_s)
        self._answers.begin(call)
        failure = f"the decision took longer than {budget_s:g} s"
        message = None
        raised = False
        try:
            reply = self._handle(event, call.deadline)
            if monotonic() < call.deadline:
                message = _message(request, event, reply)
        except Exception as error:  # a door: nothing that a handler does may reach the wire
            raised = True
            failure = f"the handler failed: {type(error).__name__}: {error}"
        finally:
            ours = self._answers.claim(call)
            self._answers.end()
        if ours:
            empty = ttrpc.response(request.stream, b"")
            self._mux.write(PLUGIN_CONNECTION, empty if message is None else message)
        if message is None or not ours:
            self._counts.failed += raised
            self._counts.late += not raised
            self._notice(UNDELIVERED, f"{request.method}: {failure}", event=event)
        return not raised

    def _answer_in_place(self, request: ttrpc.Request) -> None:
        """The watch's answer to a call whose handler is late."""
        try:
            self._answer(request, b"")
        except Closed:
            pass  # the reader meets the same broken socket, and handles it

    def _notice(
        self,
        kind: str,
        detail: str,
        problem: Optional[Problem] = None,
        event: Optional[Event] = None,
    ) -> None:
        self._report(RuntimeNotice(kind, detail, *self.runtime, problem=problem, event=event))


def _message(request: ttrpc.Request, event: Event, reply: Reply) -> bytes:
    if isinstance(event, Synchronized):
        return ttrpc.response(request.stream, nri.synchronize_answer(reply, more=False))
    if reply.refusal is not None and isinstance(event, ContainerCreating):
        return ttrpc.refusal(request.stream, ttrpc.UNKNOWN, str(reply.refusal))
    return ttrpc.response(request.stream, nri.answer(request.method, event, reply))
