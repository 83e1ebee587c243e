# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""Where a node keeps its kubelet's log: the journal of its service, or a file; the end of either.

RKE2 writes the kubelet's own lines into a file, and only the service's into the journal
(docs.rke2.io, "Logging"). Out of scope: what a log says (``model.kubelet.log``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .model.problem import HomenodeProblem

RKE2_LOG = Path("/var/lib/rancher/rke2/agent/logs/kubelet.log")
MIB = 1 << 20
LINES = 20000
"""So much of a journal is asked for at most, before it is cut to size."""


def question(units: Iterable[str]) -> list[str]:
    """The command that asks the journal."""
    words = ["journalctl", "--quiet", "--no-pager", "--output=short", f"--lines={LINES}"]
    return words + [f"--unit={unit}.service" for unit in units]


def end_of_text(text: str, most: int) -> str:
    """The last *most* characters, without the part of a line."""
    return text if len(text) <= most else text[-most:].partition("\n")[2]


def end_of_file(path: Path, most: int) -> str:
    """The last *most* bytes of a file, without the part of a line.

    Raises HomenodeProblem for what is no file that can be read.
    """
    try:
        if not path.is_file():
            why = "is no file" if path.exists() else "is not there"
            raise HomenodeProblem("path", str(path), why, "name the kubelet's log")
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - most, 0))
            content = file.read(most)
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise HomenodeProblem("path", str(path), why, "run this task as root") from error
    if size > most:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8", errors="replace")


def own_file(units: Iterable[str], most: int, path: Path = RKE2_LOG) -> str:
    """The end of the file that the kubelet of RKE2 writes; "" for other units, and if none is."""
    if not any(unit.startswith("rke2-") for unit in units) or not path.is_file():
        return ""
    return end_of_file(path, most)
