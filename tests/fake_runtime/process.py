# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a plugin as a process, with the five flags that homenode and its best peer share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]


def homenode_command(python: str = sys.executable) -> list[str]:
    """Our agent from the working tree."""
    return [python, "-m", "homenode", "run"]


def tree_environment() -> dict[str, str]:
    """What the agent from the working tree needs in its environment."""
    paths = (ROOT / "files/agent", ROOT / "plugins/module_utils")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}


def _state(task: Path) -> str:
    """A thread's state, the letter behind the name in /proc/PID/task/TID/stat."""
    return (task / "stat").read_text().rsplit(")", 1)[1].split()[0]


class PluginProcess:
    """A context manager around one running plugin; *folder* holds its state, log and pid file."""

    def __init__(
        self,
        folder: Path,
        socket_path: Path,
        *,
        host_root: Path,
        config_file: Path,
        command: Optional[Sequence[str]] = None,
        environment: Optional[Mapping[str, str]] = None,
        state_dir: Optional[Path] = None,
        pid_file: Optional[Path] = None,
    ) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.state_dir = state_dir or folder / "state"
        self.pid_file = pid_file or folder / "pid"
        self._environment = dict(environment or tree_environment())
        self._command = [
            *(command or homenode_command()),
            "--host-root",
            str(host_root),
            "--config-file",
            str(config_file),
            "--nri-socket",
            str(socket_path),
            "--state-dir",
            str(self.state_dir),
            "--pid-file",
            str(self.pid_file),
        ]
        self.process: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> PluginProcess:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop(signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it; its output goes to the end of the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 10.0) -> int:
        """End it by *how*; its exit status, negative for a signal. Raises TimeoutExpired."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(how)
            if how != signal.SIGKILL:
                process.send_signal(signal.SIGCONT)  # a frozen process sees no other signal
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by *how* and start it again."""
        self.stop(how)
        self.start()

    def freeze(self) -> None:
        """SIGSTOP, and wait until every thread obeys: one may run on while another takes it."""
        os.kill(self.pid, signal.SIGSTOP)
        tasks = Path(f"/proc/{self.pid}/task")
        while any(_state(task) != "T" for task in tasks.iterdir()):
            time.sleep(0.001)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, timeout_s: float = 10.0) -> int:
        """Wait until it ends by itself; its exit status. Raises TimeoutExpired."""
        assert self.process is not None
        process, self.process = self.process, None
        return process.wait(timeout_s)

    def output(self) -> str:
        """All that it wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""
