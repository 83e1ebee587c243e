# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the host's programs: one way to call them, one way in which they fail."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.problem import LabProblem

TAIL = 2000  # characters of a failed program's output worth showing


def as_root(argv: Sequence[str]) -> list[str]:
    """The same command, through sudo when this process is not root."""
    return list(argv) if os.geteuid() == 0 else ["sudo", "-n", *argv]


def call(
    argv: Sequence[str],
    *,
    root: bool = False,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    remedy: str = "",
) -> str:
    """Run a program and return its standard output.

    Raises LabProblem with the end of its output when it fails, is missing or takes too long
    (`timeout` in seconds).
    """
    command = as_root(argv) if root else list(argv)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise LabProblem(f"{command[0]} is not installed", "python3 -m lab prerequisites") from None
    except subprocess.TimeoutExpired:
        raise LabProblem(f"no end after {timeout:g} s: {shlex.join(command)}", remedy) from None
    if done.returncode != 0:
        output = (done.stderr.strip() or done.stdout.strip())[-TAIL:]
        raise LabProblem(
            f"exit status {done.returncode}: {shlex.join(command)[:TAIL]}\n{output}", remedy
        )
    return done.stdout
