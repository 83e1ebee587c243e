# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""What systemd says of the service that runs a kubelet, and since when its process lives.

RKE2 and k3s run the kubelet inside their own service; the process of that is what counts there.
Out of scope: starting and stopping, the kubelet's log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

PROPERTIES = ("ActiveState", "LoadState", "MainPID", "NRestarts", "SubState")
QUESTION = ("show", "--property=" + ",".join(PROPERTIES))

Run = Callable[[list[str]], str]
"""Runs a command and gives its output; empty where it fails."""


@dataclass(frozen=True)
class Service:
    """One look at the unit. *pid* is 0 while no process runs."""

    loaded: bool
    active: bool
    pid: int
    restarts: int
    state: str

    def same_run(self, other: Service) -> bool:
        """Whether this is still the process of *other*."""
        return (self.pid, self.restarts) == (other.pid, other.restarts)


def runner(module: Any) -> Run:
    """Commands as an AnsibleModule runs them; one that is not installed says nothing."""

    def run(words: list[str]) -> str:
        program = module.get_bin_path(words[0])
        if program is None:
            return ""
        return str(module.run_command([program, *words[1:]])[1])

    return run


def look(unit: str, run: Run) -> Service:
    """Ask systemd. A unit that is not there, or a machine without systemd, is not loaded."""
    found = parsed(run(["systemctl", *QUESTION, f"{unit}.service"]))
    number = {name: int(found.get(name) or 0) for name in ("MainPID", "NRestarts")}
    return Service(
        loaded=found.get("LoadState") == "loaded",
        active=found.get("ActiveState") == "active",
        pid=number["MainPID"],
        restarts=number["NRestarts"],
        state=f"{found.get('ActiveState', 'unknown')} ({found.get('SubState', 'unknown')})",
    )


def unread(unit: str, files: Iterable[Path], run: Run) -> list[str]:
    """Why the kubelet that runs has not read *files*, as far as systemd and the clock tell."""
    service = look(unit, run)
    if not service.loaded:
        return []
    since = running_since(service.pid) if service.active else None
    if since is None:
        return [f"{unit} does not run: {service.state}"]
    # The start is known to a second, and a file is written just before it.
    late = [path for path in files if path.exists() and path.stat().st_mtime > since + 2]
    return [f"{path} is newer than the start of {unit}" for path in late]


def parsed(text: str) -> Mapping[str, str]:
    """``systemctl show`` as a map; numbers that are none are left out."""
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    for name in ("MainPID", "NRestarts"):
        if not re.match(r"\d{1,18}\Z", pairs.get(name, ""), re.ASCII):
            pairs.pop(name, None)
    return pairs


def running_since(pid: int, proc: Path = Path("/proc")) -> Optional[float]:
    """When a process was started, in seconds since 1970; None where it is gone.

    Good to about a second: the kernel counts from the boot.
    """
    try:
        fields = (proc / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
        booted = (proc / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^btime (\d+)$", booted, re.MULTILINE)
    rest = fields.rpartition(")")[2].split()
    if found is None or len(rest) < 20:
        return None
    return int(found[1]) + int(rest[19]) / os.sysconf("SC_CLK_TCK")
