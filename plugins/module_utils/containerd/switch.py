# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.
"""NRI switched on or off on one host, in steps that each can be taken back.

Nothing is written before containerd itself has accepted the plan on copies and shown that NRI is
all that it changes. containerd restarts only if it has to: because a file has changed, or because
its configuration says that NRI is on and yet nobody listens, as nobody has restarted it since.
"""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

from ..model.problem import HomenodeProblem
from . import config_text
from .daemon import Daemon, Run, listens

DEFAULT_SOCKET = "/var/run/nri/nri.sock"
POLL_SECONDS = 0.2

Put = Callable[[Path, Optional[str]], None]
"""Replaces a file in one step, making its folder, or removes it where the text is None."""


@dataclass(frozen=True)
class Change:
    """One file, before and after; None is "no such file"."""

    path: Path
    before: Optional[str]
    after: Optional[str]


@dataclass(frozen=True)
class Plan:
    """The changes, in the order in which they are written, and what undoing must know."""

    changes: tuple[Change, ...] = ()
    remove_folder: bool = False


@dataclass(frozen=True)
class Report:
    """What was found and done; in check mode, what would be."""

    enabled_before: bool
    enabled: bool
    socket: str
    listening: bool
    restart_needed: bool
    restarted: bool = False
    changes: tuple[Change, ...] = ()


class Switch:
    """One host's containerd, and the drop-in that switches its NRI on."""

    def __init__(
        self,
        daemon: Daemon,
        drop_in: Path,
        *,
        run: Run,
        put: Put,
        sockets: Path = Path("/proc/net/unix"),
        timeout: float = 60,
    ) -> None:
        self._daemon = daemon
        self._drop_in = drop_in
        self._run = run
        self._put = put
        self._sockets = sockets
        self._timeout = timeout

    def set(self, *, on: bool, may_restart: bool, check_mode: bool) -> Report:
        """Make it so. Raises HomenodeProblem, and then everything is as it was before."""
        dump = self._dump(self._daemon.config)
        plan = self._plan_on(dump) if on else self._plan_off()
        report = self._looked_at(dump, plan, on=on)
        if plan.changes:
            self._try_on_copies(dump, plan, on=on)
        if check_mode:
            return report
        try:
            self._write(plan)
            report = replace(report, enabled=self._judged(dump, self._daemon.config, plan, on=on))
        except HomenodeProblem:
            self._put_back(plan)
            raise
        if not (report.restart_needed and may_restart):
            return report
        try:
            return self._restarted(report)
        except HomenodeProblem:
            self._put_back(plan)
            self._run(["systemctl", "restart", self._daemon.service])
            if not report.enabled_before:
                _remove_stale(Path(report.socket))
            raise

    def _looked_at(self, dump: str, plan: Plan, *, on: bool) -> Report:
        before = _is_on(dump)
        socket = config_text.nri_value(dump, "socket_path") or DEFAULT_SOCKET
        listening = listens(self._sockets, socket)
        forgotten = on and before and not listening
        return Report(
            enabled_before=before,
            enabled=on if plan.changes else before,
            socket=socket,
            listening=listening,
            restart_needed=self._daemon.active and (bool(plan.changes) or forgotten),
            changes=plan.changes,
        )

    def _plan_on(self, dump: str) -> Plan:
        self._refuse_hopeless(dump)
        if _is_on(dump):
            return Plan()
        main = _read(self._daemon.config)
        version = config_text.version_of(dump if main is None else main)
        added, new_main = "", main
        if main is None:
            new_main = f'version = {version}\nimports = ["{self._drop_in}"]\n'
        elif not config_text.is_imported(main, str(self._drop_in)):
            new_main, added = config_text.with_import(main, str(self._drop_in))
        earlier = config_text.undo_of(_read(self._drop_in) or "")
        made_folder = not self._drop_in.parent.is_dir() or bool(earlier and earlier.made_folder)
        undo = config_text.Undo(made_folder, made_main=main is None, added=added)
        drop_in = config_text.drop_in(dump, version, undo)
        changes = [Change(self._drop_in, _read(self._drop_in), drop_in)]
        if new_main != main:
            changes.append(Change(self._daemon.config, main, new_main))
        return Plan(tuple(changes), remove_folder=made_folder)

    def _refuse_hopeless(self, dump: str) -> None:
        source = str(self._daemon.config)
        if not self._daemon.active:
            raise HomenodeProblem(
                self._daemon.service, "inactive", "does not run", "start it, then come back"
            )
        for name in config_text.disabled_plugins(dump):
            if name in (config_text.NRI, *config_text.CRI):
                raise HomenodeProblem(
                    "disabled_plugins",
                    name,
                    "is switched off as a whole, so there is no NRI for Kubernetes",
                    "take it out of the list",
                    source=source,
                )
        main = _read(self._daemon.config)
        if main is not None and config_text.version_of(main) < 2 and not _is_on(dump):
            raise HomenodeProblem(
                "version",
                str(config_text.version_of(main)),
                "is a format of the configuration that has no NRI",
                "convert the file with `containerd config migrate`",
                source=source,
            )

    def _plan_off(self) -> Plan:
        ours = _read(self._drop_in)
        undo = None if ours is None else config_text.undo_of(ours)
        if ours is None or undo is None:
            return Plan()
        main = _read(self._daemon.config)
        changes = [Change(self._drop_in, ours, None)]
        if main is not None:
            kept = config_text.without(main, undo.added)
            untouched = [str(self._drop_in)] == config_text.imports_of(main)
            if undo.made_main and untouched and len(main.splitlines()) == 2:
                changes.insert(0, Change(self._daemon.config, main, None))
            elif kept != main:
                changes.insert(0, Change(self._daemon.config, main, kept))
        return Plan(tuple(changes), remove_folder=undo.made_folder)

    def _try_on_copies(self, dump: str, plan: Plan, *, on: bool) -> None:
        after = {change.path: change.after for change in plan.changes}
        before = _read(self._daemon.config)
        main = before if on else after.get(self._daemon.config, before)
        if main is None:
            main = f"version = {config_text.version_of(dump)}\n"
        main = config_text.with_absolute_imports(main, self._daemon.config.parent)
        with tempfile.TemporaryDirectory(prefix="homenode-") as folder:
            copy, drop_in = Path(folder) / "config.toml", Path(folder) / "drop-in.toml"
            if on:
                drop_in.write_text(after[self._drop_in] or "", encoding="utf-8")
                main, _added = config_text.with_import(main, str(drop_in))
            copy.write_text(main, encoding="utf-8")
            self._judged(dump, copy, plan, on=on)

    def _judged(self, before: str, config: Path, plan: Plan, *, on: bool) -> bool:
        """Whether NRI is on by *config*, which may differ from *before* in nothing else."""
        after = self._dump(config)
        if plan.changes and on and not _is_on(after):
            raise HomenodeProblem(
                "disable",
                "true",
                "is still what `containerd config dump` shows for NRI",
                "look for a later import that switches NRI off; nothing was changed",
                source=str(self._daemon.config),
            )
        old, new = config_text.comparable(before), config_text.comparable(after)
        if plan.changes and old != new:
            differing = [line for line in new if line not in old]
            raise HomenodeProblem(
                "containerd config dump",
                differing[0] if differing else "fewer lines",
                "would differ in more than NRI",
                "report this with both dumps; nothing was changed",
                source=str(self._daemon.config),
            )
        return _is_on(after)

    def _dump(self, config: Path) -> str:
        # Without a main file containerd runs with its defaults, but refuses to dump them.
        shown = (
            ["--config", str(config), "config", "dump"]
            if config.exists()
            else ["config", "default"]
        )
        status, out, error = self._run([self._daemon.executable, *shown])
        if status:
            said = (error.strip() or out.strip() or f"exit status {status}").splitlines()
            raise HomenodeProblem(
                "containerd config dump",
                said[-1],
                "is what containerd says to its configuration",
                "repair the file; nothing was changed",
                source=str(self._daemon.config),
            )
        return out

    def _write(self, plan: Plan) -> None:
        for change in plan.changes:
            self._put(change.path, change.after)
        if not self._drop_in.exists() and plan.remove_folder:
            _remove_if_empty(self._drop_in.parent)

    def _restarted(self, report: Report) -> Report:
        status, _out, error = self._run(["systemctl", "restart", self._daemon.service])
        if status:
            raise self._failure(
                (error.strip() or "systemctl failed").splitlines()[0], "did not start"
            )
        deadline = time.monotonic() + self._timeout
        while report.enabled and not listens(self._sockets, report.socket):
            if time.monotonic() > deadline:
                waited = f"has no listener {self._timeout:.0f} s after the restart"
                raise self._failure(report.socket, waited)
            time.sleep(POLL_SECONDS)
        if not report.enabled:
            _remove_stale(Path(report.socket))
        return replace(report, restarted=True, restart_needed=False, listening=report.enabled)

    def _failure(self, value: str, why: str) -> HomenodeProblem:
        log = ["journalctl", "--no-pager", "-o", "cat", "-n", "200", "-u", self._daemon.service]
        said = re.findall(
            r"^.*(?:\bnri\b|level=(?:error|fatal)).*$", self._run(log)[1], re.M | re.I
        )
        return HomenodeProblem(
            self._daemon.service,
            value,
            why + (f"; its log says: {said[-1]}" if said else ""),
            "files and service were put back as they were",
        )

    def _put_back(self, plan: Plan) -> None:
        """The files as they were, by their texts and not by memory of how far we got."""
        for change in reversed(plan.changes):
            if _read(change.path) != change.before:
                self._put(change.path, change.before)
        if plan.remove_folder and not self._drop_in.exists():
            _remove_if_empty(self._drop_in.parent)


def _remove_stale(socket: Path) -> None:
    """containerd leaves its socket behind, and whoever finds it believes that NRI is on."""
    socket.unlink(missing_ok=True)
    _remove_if_empty(socket.parent)


def _is_on(dump: str) -> bool:
    return config_text.nri_value(dump, "disable") == "false"


def _read(path: Path) -> Optional[str]:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
