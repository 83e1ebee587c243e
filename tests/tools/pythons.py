# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons at hand: by their names on PATH and in pyenv's folder, and only those that start."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 9)
"""The floor of a node."""

NEWEST = (3, 15)
"""As far as we look."""


def at_hand(version: tuple[int, int]) -> str | None:
    """A working interpreter of that version, or None."""
    for candidate in _candidates(version):
        if _version(candidate) == version:
            return candidate
    return None


def all_at_hand() -> dict[tuple[int, int], str]:
    """Each supported version that starts here, oldest first."""
    versions = [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]
    found = {version: at_hand(version) for version in versions}
    return {version: python for version, python in found.items() if python}


def _candidates(version: tuple[int, int]) -> Iterator[str]:
    name = f"python{version[0]}.{version[1]}"
    for found in (shutil.which(name), shutil.which("python3")):
        if found:
            yield found
    for folder in sorted(Path.home().glob(f".pyenv/versions/{version[0]}.{version[1]}.*")):
        yield str(folder / "bin" / name)


def _version(python: str) -> tuple[int, int] | None:
    """None for what does not start, such as a shim of a version that is not switched on."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)
