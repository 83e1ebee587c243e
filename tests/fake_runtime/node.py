# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole node in a folder: a machine's files, a fake runtime, an agent as a process.

Out of scope: what the agent should do.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import psutil

from .process import ROOT, PluginProcess
from .runtime import FakeRuntime

CGROUPS = "sys/fs/cgroup"


def lay_out(texts: Mapping[str, str], root: Path) -> None:
    """Write a machine's files, given by absolute path, below *root*."""
    for path, text in texts.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


class Node:
    """A context manager; *texts* is the machine, *config* the agent's configuration as data.

    *command* and *environment* start another agent than ours; *config_text* is its configuration.
    """

    def __init__(
        self,
        folder: Path,
        texts: Mapping[str, str],
        *,
        config: Optional[Mapping[str, Any]] = None,
        config_text: Optional[str] = None,
        command: Optional[Sequence[str]] = None,
        environment: Optional[Mapping[str, str]] = None,
        **runtime: Any,
    ) -> None:
        self.folder = folder
        self.host_root = folder / "host"
        self.config_file = folder / "config.json"
        self.socket = folder / "nri.sock"
        lay_out(texts, self.host_root)
        (self.host_root / CGROUPS).mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(config_text or json.dumps(config or {}))
        nodes = self.host_root / "sys/devices/system/node/online"
        everything = (
            (self.host_root / "sys/devices/system/cpu/online").read_text().strip(),
            nodes.read_text().strip() if nodes.exists() else "0",
        )
        self.runtime = FakeRuntime(
            self.socket, cgroup_root=self.host_root / CGROUPS, everything=everything, **runtime
        )
        self.agent = self.another_agent("agent", command=command, environment=environment)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Node:
        self._stack.enter_context(self.runtime)
        self._stack.callback(self._end_agent)
        return self

    def _end_agent(self) -> None:
        """The agent of that moment: a test may have put another in its place."""
        self.agent.__exit__()

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def another_agent(self, name: str, **options: Any) -> PluginProcess:
        """One more agent on the same socket, with a folder of its own."""
        return PluginProcess(
            self.folder / name,
            self.socket,
            host_root=self.host_root,
            config_file=self.config_file,
            **options,
        )

    def start(self) -> None:
        """Start the agent and wait until it is synchronized."""
        self.agent.start()
        self.runtime.wait_for_plugins()

    def status(self) -> dict[str, Any]:
        """Our agent's status file."""
        found = json.loads((self.agent.pid_file.parent / "status.json").read_text())
        assert isinstance(found, dict)
        return found

    def wait_for_status(
        self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = 10.0
    ) -> dict[str, Any]:
        """The first status for which *wanted* is true. Raises TimeoutError with the last one."""
        deadline, last = time.monotonic() + timeout_s, {}
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError):
                last = self.status()
                if wanted(last):
                    return last
            time.sleep(0.02)
        raise TimeoutError(f"{last}\n{self.agent.output()}")

    def wait_for(self, wanted: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until *wanted*. Raises TimeoutError with the agent's output."""
        deadline = time.monotonic() + timeout_s
        while not wanted():
            if time.monotonic() > deadline:
                raise TimeoutError(self.agent.output())
            time.sleep(0.02)

    def process(self) -> psutil.Process:
        """The running agent."""
        return psutil.Process(self.agent.pid)


def peer_command(variable: str) -> Optional[list[str]]:
    """The peer agent that the environment names, if it does."""
    path = os.environ.get(variable, "")
    return [path] if path else None


__all__ = ["CGROUPS", "ROOT", "Node", "lay_out", "peer_command"]
