# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One agent per pid file: the second one is refused with the first one's pid.

The lock is the kernel's (flock), so it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from typing import Optional

from model.problem import HomenodeProblem


class PidFile:
    """Holds the lock from ``take`` to ``release``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: Optional[int] = None

    def take(self) -> None:
        """Lock the file and write our pid. Raises HomenodeProblem where another agent holds it."""
        try:
            os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise HomenodeProblem(
                "pid file", self._path, str(error.strerror), "name a folder that can be written"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(handle, 32).decode("ascii", "replace").strip()
            os.close(handle)
            raise HomenodeProblem(
                "pid file",
                self._path,
                f"another agent runs here with pid {pid}",
                "stop it first, or give this one its own files",
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
        self._handle = handle

    def release(self) -> None:
        """Remove the file and let go."""
        if self._handle is not None:
            try:
                os.unlink(self._path)
            except OSError:
                pass  # its folder went first, as systemd's runtime folders do
            os.close(self._handle)
            self._handle = None


def holder(path: str) -> Optional[int]:
    """The pid of the agent that holds the file now, or None."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        text = os.read(handle, 32).decode("ascii", "replace").strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(handle)
    return None
