# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A kubelet's state files on a disk: read, moved aside, put back; and who runs on them.

A file that goes is renamed beside its place, so that it can come back as it was. Out of scope: what
is in them (``model.kubelet.state_files``), whether one has to go (``model.kubelet.checkpoints``).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

from .kubelet_host import Host
from .kubelet_node import Process, joined, processes_of
from .model.kubelet.distributions import KUBELET
from .model.kubelet.flags import name_and_value
from .model.kubelet.state_files import NAMES
from .model.problem import HomenodeProblem

COPIES = 3
"""So many copies of each file are kept, the latest."""
DEFAULT_ROOT_DIR = "/var/lib/kubelet"
_KEPT = re.compile(r"(\w+)\.homenode-\d{8}T\d{6}Z(?:-\d+)?\Z", re.ASCII)


def text_of(path: Path) -> Optional[str]:
    """The text of a state file; None where there is none. Raises OSError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def aside(path: Path, stamp: str) -> Path:
    """Where a file would be kept; *stamp* is the time as ``20260131T235959Z``."""
    kept = path.with_name(f"{path.name}.homenode-{stamp}")
    number = 2
    while kept.exists():  # a second one within the same second
        kept = path.with_name(f"{path.name}.homenode-{stamp}-{number}")
        number += 1
    return kept


def move_aside(path: Path, kept: Path) -> None:
    """Rename it, and remove all copies but the latest. Raises OSError."""
    path.replace(kept)
    copies = [
        other
        for other in path.parent.glob(f"{path.name}.homenode-*")
        if _KEPT.match(other.name) and other != kept
    ]
    copies.sort(key=lambda copy: copy.stat().st_mtime_ns)
    for copy in copies[: 1 - COPIES]:
        copy.unlink()


def place_of(kept: Path) -> Path:
    """Where a kept file was. Raises HomenodeProblem for another file."""
    match = _KEPT.match(kept.name)
    if match is None or match[1] not in NAMES:
        why = "is no state file that this module has moved aside"
        raise HomenodeProblem("copies", str(kept), why, "give what a reset returns as kept")
    return kept.with_name(match[1])


def user_of(state_dir: str, host: Host) -> Optional[Process]:
    """The kubelet that runs on these files; None where none does.

    That of k3s runs inside of it and shows no flags of its own, so it counts for every folder.
    """
    wanted = os.path.realpath(state_dir)
    for process in processes_of(host):
        if process.name != KUBELET:
            return process
        flags = dict(map(name_and_value, joined(host.arguments(process.pid))))
        if os.path.realpath(flags.get("root-dir") or DEFAULT_ROOT_DIR) == wanted:
            return process
    return None
