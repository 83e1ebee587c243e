# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.
"""containerd as its systemd unit starts it, and whether somebody listens on its NRI socket.

Out of scope: runtimes other than containerd, which `others` can only name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from ..model.problem import HomenodeProblem

Run = Callable[[Sequence[str]], tuple[int, str, str]]
"""Runs a command on the host: (exit status, stdout, stderr)."""

DEFAULT_CONFIG = "/etc/containerd/config.toml"
OLDEST = (1, 7)
LISTENING = 0x10000
"""__SO_ACCEPTCON of include/linux/net.h, as the column Flags of /proc/net/unix shows it."""

OTHERS = {
    "run/crio/crio.sock": "CRI-O",
    "run/k3s/containerd/containerd.sock": "the containerd inside k3s or RKE2",
    "run/docker.sock": "Docker",
}


@dataclass(frozen=True)
class Daemon:
    """containerd: its unit, program, main file and version."""

    service: str
    executable: str
    config: Path
    active: bool
    version: str


def find(run: Run, service: str, config: str) -> Optional[Daemon]:
    """What the unit *service* starts, None if there is no such unit.

    A path in *config* takes the place of the one that the unit gives. Raises HomenodeProblem for a
    containerd that is too old.
    """
    _status, out, _error = run(
        ["systemctl", "show", "--property=LoadState,ActiveState,ExecStart", service]
    )
    shown = dict(line.partition("=")[::2] for line in out.splitlines())
    start = re.search(r"path=(\S+) ; argv\[\]=(.*?) ;", shown.get("ExecStart", ""))
    if shown.get("LoadState") != "loaded" or not start:
        return None
    given = re.search(r"\s(?:--config|-c)[= ](\S+)", start.group(2))
    path = config or (given.group(1) if given else DEFAULT_CONFIG)
    _status, out, _error = run([start.group(1), "--version"])
    version = re.search(r"\bv?((\d+)\.(\d+)\.\d+)", out)
    if not version or (int(version.group(2)), int(version.group(3))) < OLDEST:
        raise HomenodeProblem(
            "containerd",
            out.strip(),
            "has no NRI that the agent can use",
            "install containerd 1.7 or newer",
            source=start.group(1),
        )
    active = shown.get("ActiveState") == "active"
    return Daemon(service, start.group(1), Path(path), active, version.group(1))


def others(root: Path) -> list[str]:
    """The other runtimes whose sockets are there, for a message."""
    return [name for path, name in OTHERS.items() if (root / path).exists()]


def listens(sockets: Path, path: str) -> bool:
    """Whether somebody accepts connections at *path*, by /proc/net/unix.

    Connecting would tell more, but the runtime would then wait for us to register, and let every
    other plugin wait too.
    """
    wanted = _real(path)
    for line in sockets.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and int(fields[3], 16) & LISTENING and _real(fields[7]) == wanted:
            return True
    return False


def _real(path: str) -> str:
    """/var/run is a link to /run on most hosts; the socket itself may be stale, so not resolved."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)
