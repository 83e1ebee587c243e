# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One agent per pid file: the second one is refused with the first one's pid.

The lock is the kernel's (flock), so it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import Optional

from model.problem import HomenodeProblem

TRIES, PAUSE_S = 5, 0.02


class PidFile:
    """Holds the lock from ``take`` to ``release``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: Optional[int] = None

    def take(self) -> None:
        """Lock the file and write our pid. Raises HomenodeProblem where another agent holds it."""
        handle = self._open()
        while not self._is_current(handle):  # the one before removed it while we waited
            os.close(handle)
            handle = self._open()
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
        self._handle = handle

    def _open(self) -> int:
        """The file, open and locked."""
        try:
            os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise HomenodeProblem(
                "pid file", self._path, str(error.strerror), "name a folder that can be written"
            ) from error
        if _locked(handle):
            return handle
        pid = os.read(handle, 32).decode("ascii", "replace").strip()
        os.close(handle)
        raise HomenodeProblem(
            "pid file",
            self._path,
            f"another agent runs here with pid {pid}",
            "stop it first, or give this one its own files",
        )

    def _is_current(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(handle))
        except OSError:
            return False

    def release(self) -> None:
        """Remove the file and let go."""
        if self._handle is not None:
            try:
                os.unlink(self._path)
            except OSError:
                pass  # its folder went first, as systemd's runtime folders do
            os.close(self._handle)
            self._handle = None


def _locked(handle: int) -> bool:
    """Try to lock; patient for a moment, because ``holder`` locks too while it looks."""
    for _try in range(TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(PAUSE_S)
        else:
            return True
    return False


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
