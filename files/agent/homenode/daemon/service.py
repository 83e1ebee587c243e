# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start everything, wait for the end, stop everything; a stop changes no container."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Optional

import homenode
from homenode.enforce.readback import ReadBack
from homenode.enforce.undo import UndoLog
from homenode.intent.config import Config
from homenode.linux.cgroup import CgroupTree
from homenode.loop import begin
from homenode.report.journal import Journal
from homenode.report.metrics import exposition
from homenode.report.pool_metrics import pool_exposition
from homenode.report.status import status, with_live
from homenode.runtime.carries import carries_schedulers
from homenode.runtime.notice import CONNECTED, UNDELIVERED, RuntimeNotice
from homenode.runtime.podresources import device_shares
from homenode.world.world import World
from host_files import open_host
from model.events import CgroupRead, Reply
from model.problem import Problem
from model.sysfs import read_machine

from . import control, listener, metrics_server, store
from .cold_starts import ColdStarts
from .exports import Exports
from .front import make_front
from .hardware import Tuner, knobs_at
from .live import live_reader
from .nearness import Nearness
from .notify import notify, watchdog_seconds
from .owner import Owner
from .pid_file import PidFile
from .plans import Plans
from .publisher import Publisher
from .reload import Reload
from .surroundings import surroundings

JOIN_S = 5.0

RESTART_S = 1.0
"""How long after a fault a thread begins again, seconds."""

SWITCH_S = 0.0005
"""How long a busy thread keeps the interpreter from the one that answers the runtime, seconds."""


@dataclass(frozen=True)
class Paths:
    """Where the daemon reads and writes; all given by the caller."""

    host_root: str
    nri_socket: str
    state_dir: str
    pid_file: str

    @property
    def ledger(self) -> str:
        """The remembered ledger."""
        return os.path.join(self.state_dir, "ledger.json")

    @property
    def undo(self) -> str:
        """The before-values."""
        return os.path.join(self.state_dir, "undo.jsonl")

    @property
    def hardware(self) -> str:
        """The before-values of clocks, idle states and interrupts."""
        return os.path.join(self.state_dir, "hardware.json")

    @property
    def journal(self) -> str:
        """The journal."""
        return os.path.join(self.state_dir, "journal.jsonl")

    @property
    def control(self) -> str:
        """Where root asks the running agent; beside the pid file too."""
        return "unix:" + os.path.join(os.path.dirname(self.pid_file), "control.sock")

    @property
    def status(self) -> str:
        """The status, beside the pid file: both describe a running agent and go with it."""
        return os.path.join(os.path.dirname(self.pid_file), "status.json")


class Service:
    """One running agent. *read* gives its configuration anew.

    Raises HomenodeProblem from the constructor where it cannot start.
    """

    def __init__(
        self, config: Config, paths: Paths, read: Optional[Callable[[], Config]] = None
    ) -> None:
        self._config = config
        self._paths = paths
        self._problems: list[Problem] = []
        self._runtime = "not connected yet"
        self._connected = False
        self._carries_schedulers: Optional[bool] = None
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._reload_asked = False
        self._started_at = time.time()
        _make_state_dir(paths.state_dir, self._problems)
        files = open_host(paths.host_root)
        machine = read_machine(files)
        remembered, problem = store.load(paths.ledger)
        if problem is not None:
            self._problems.append(problem)
        self._tree = CgroupTree(paths.host_root)
        self._publisher = Publisher(
            self._current_world,
            self._agent_status,
            Journal(paths.journal, config.journal.max_bytes),
            status_path=paths.status,
            ledger_path=paths.ledger,
        )
        nearness = Nearness(paths.host_root, device_shares)
        world = begin(
            machine,
            config.pinning,
            remembered.ledger,
            remembered.of(config.pinning),
            surroundings(config.pinning, files, nearness),
        )
        self._owner = Owner(
            world,
            self._tree,
            UndoLog(paths.undo),
            self._publisher.records,
            nearness,
        )
        self._plugin = make_front(
            config, paths.host_root, paths.nri_socket, self._tree, self._handle, self._noticed
        )
        knobs = knobs_at(paths.host_root, paths.hardware)
        self._tuner = Tuner(self._current_world, files, knobs, self._publisher.wake)
        self._exports = Exports(config, self._current_world, files)
        self._plans = Plans(self._owner, self._plugin, self._tree, self._stop)
        self._reload = Reload(
            config,
            machine,
            files,
            nearness,
            owner=self._owner,
            read=read or (lambda: config),
            apply=self._plugin.update,
            note=self._publisher.note,
        )
        self._cold_starts = ColdStarts(self._owner, self._plugin.update)
        self._readback = ReadBack(
            self._tree,
            self._current_world,
            self._tell,
            self._plugin.update,
            each_round=self._each_round,
        )

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        sys.setswitchinterval(SWITCH_S)
        self._publisher.note("started", version=homenode.__version__, pid=os.getpid())
        self._reload.tell()
        threads = self._threads()
        for thread in threads:
            thread.start()
        notify("READY=1\nSTATUS=waiting for the runtime")
        try:
            self._watch()
        finally:
            self._end(threads)

    def stop(self, *_signal: object) -> None:
        """End ``run``; usable as a signal handler."""
        self._stop.set()
        self._woken.set()

    def reload(self, *_signal: object) -> None:
        """Read the configuration again, soon; usable as a signal handler."""
        self._reload_asked = True
        self._woken.set()

    def _threads(self) -> list[threading.Thread]:
        bodies: list[tuple[str, Callable[[], None]]] = [
            ("nri", lambda: self._plugin.run(self._stop)),
            ("readback", lambda: self._readback.run(self._stop)),
            ("publisher", lambda: self._publisher.run(self._stop)),
            ("hardware", lambda: self._tuner.run(self._stop)),
        ]
        metrics = self._config.metrics.listen
        if metrics:
            bodies += self._listening("metrics", "metrics.listen", metrics, self._serve_metrics)
        at = self._paths.control
        bodies += self._listening("control", "control socket", at, self._serve_control, 0o600)
        if self._config.metrics.textfile:
            bodies.append(("textfile", self._write_textfile))
        if self._exports.wanted:
            bodies.append(("exports", lambda: self._exports.run(self._stop)))
        return [
            threading.Thread(target=self._kept_alive, args=(name, body), name=name, daemon=True)
            for name, body in bodies
        ]

    def _listening(
        self,
        name: str,
        field: str,
        address: str,
        serve: Callable[[socket.socket], None],
        mode: int = 0o660,
    ) -> list[tuple[str, Callable[[], None]]]:
        """The body of a thread that serves at *address*; none, and why, where that cannot be."""
        try:
            server = listener.listen(address, mode)
        except OSError as error:
            remedy = "free that place, or name another; pinning goes on"
            self._problems.append(Problem(field, address, str(error), remedy))
            return []
        return [(name, lambda: serve(server))]

    def _serve_metrics(self, server: socket.socket) -> None:
        metrics_server.serve(server, self._page, self._stop)

    def _serve_control(self, server: socket.socket) -> None:
        verbs: dict[str, control.Verb] = {
            "check": self._reload.check,
            "plan rebalance": self._plans.rebalance,
            "plan apply": self._plans.apply,
        }
        listener.serve(server, lambda client: control.answer(client, verbs), self._stop)

    def _kept_alive(self, name: str, body: Callable[[], None]) -> None:
        """A thread's top: after a fault of ours it is told, and the body starts again."""
        told = False
        while True:
            try:
                body()
                return
            except Exception as error:  # the top of a thread: a fault must not end the service
                why = f"{type(error).__name__}: {error}"
                if not told:
                    remedy = "please report it; the rest goes on"
                    self._problems.append(Problem(f"thread {name}", why, "had a fault", remedy))
                    self._publisher.note("problem", field=f"thread {name}", why=why)
                    told = True
            if self._stop.wait(RESTART_S):
                return

    def _watch(self) -> None:
        """Wait for the end or a wish, and give signs of life while answers are possible."""
        period = watchdog_seconds()
        while not self._stop.is_set():
            if self._woken.wait(period / 3 if period else 60.0):
                self._woken.clear()
            if self._reload_asked:
                self._reload_asked = False
                self._reload.configuration()
                self._tuner.wake()
            busy = self._plugin.busy_since
            stuck = busy is not None and time.monotonic() - busy > 10.0
            if not stuck and self._owner.still_there(1.0):
                notify("WATCHDOG=1")

    def _end(self, threads: list[threading.Thread]) -> None:
        notify("STOPPING=1")
        self._stop.set()
        self._plugin.interrupt()
        self._readback.wake()
        self._tuner.wake()
        self._publisher.note("stopped", pid=os.getpid())
        for thread in threads:
            thread.join(JOIN_S)
        self._publisher.publish()  # what was said after the publisher's last look

    def _current_world(self) -> World:
        return self._owner.world

    def _handle(self, event: Any, deadline: float) -> Any:
        reply = self._owner.handle(event, deadline)
        self._cold_starts.noticed(event)
        self._readback.wake()
        self._tuner.wake()
        return reply

    def _each_round(self) -> None:
        self._reload.machine()
        self._cold_starts.look()

    def _tell(self, fact: CgroupRead) -> Reply:
        return self._owner.handle(fact, time.monotonic() + 1.0)

    def _noticed(self, notice: RuntimeNotice) -> None:
        if notice.kind == UNDELIVERED:
            if notice.event is not None:
                self._owner.book_late(notice.event)
            self._readback.repair()
        else:
            self._connected = notice.kind == CONNECTED
            name = f"{notice.runtime_name} {notice.runtime_version}".strip()
            where = f"{notice.kind} to {name}" if self._connected else notice.detail
            self._runtime = where
            self._carries_schedulers = carries_schedulers(
                notice.runtime_name, notice.runtime_version
            )
            notify(f"STATUS={where}")
        self._publisher.note("runtime", event=notice.kind, detail=notice.detail)

    def _agent_status(self) -> dict[str, Any]:
        problems = [*self._problems, *self._reload.problems(), *self._publisher.problems()]
        problems += [*self._exports.problems(), *self._tuner.problems()]
        pinning = self._owner.world.pinning
        wanted = pinning is not None and pinning.spec and pinning.spec.scheduling_classes
        if wanted and self._carries_schedulers is False:
            why = "cannot be set: this runtime's NRI has no field for schedulers"
            remedy = "use containerd 2.2.1 or CRI-O 1.35, or later"
            problems.append(Problem("schedulingClasses", self._runtime, why, remedy))
        if self._owner.undo_error:
            remedy = "free space on its disk; pinning goes on"
            problems.append(Problem("undo log", self._owner.undo_error, "not written", remedy))
        return {
            "version": homenode.__version__,
            "pid": os.getpid(),
            "started_at": round(self._started_at, 3),
            "runtime": self._runtime,
            "connected": self._connected,
            "problems": [problem.as_dict() for problem in problems],
        }

    def _page(self) -> str:
        world = self._owner.world
        current = status(world, self._agent_status())
        counts = {key: int(value) for key, value in vars(self._plugin.counts).items()}
        page = exposition(with_live(current, live_reader(self._tree)), counts)
        return page + pool_exposition(world.places())

    def _write_textfile(self) -> None:
        """The textfile thread's body, for node_exporter's collector."""
        metrics = self._config.metrics
        while not self._stop.is_set():
            store.write_atomically(metrics.textfile, self._page(), 0o644)
            self._stop.wait(metrics.textfile_interval_seconds)


def run(read: Callable[[], Config], paths: Paths) -> None:
    """Run one agent in this process until it is told to stop. Raises HomenodeProblem."""
    pid_file = PidFile(paths.pid_file)
    pid_file.take()
    try:
        service = Service(read(), paths, read)
        signal.signal(signal.SIGTERM, service.stop)
        signal.signal(signal.SIGINT, service.stop)
        signal.signal(signal.SIGHUP, service.reload)
        service.run()
    finally:
        pid_file.release()


def _make_state_dir(path: str, problems: list[Problem]) -> None:
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)
    except OSError as error:
        remedy = "name a folder that can be made; pinning goes on without a memory"
        problems.append(Problem("state folder", path, str(error), remedy))
