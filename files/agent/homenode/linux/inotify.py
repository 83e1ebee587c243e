# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""inotify(7) over folders: who appeared, who went, who wrote a file.

Out of scope: walking a tree and what its names mean. Source: man inotify(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
from dataclasses import dataclass
from typing import Optional

MODIFIED, CREATED, DELETED = 0x2, 0x100, 0x200
OVERFLOW, IGNORED, IS_FOLDER = 0x4000, 0x8000, 0x40000000
ONLY_FOLDERS = 0x01000000

_HEADER = struct.Struct("iIII")
_BUFFER_BYTES = 65536


@dataclass(frozen=True)
class Notice:
    """One change of *name* in *folder*; *mask* as above. An overflow has no folder."""

    folder: str
    name: str
    mask: int


class Inotify:
    """One inotify instance. Raises OSError where the kernel has none to give."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._folders: dict[int, str] = {}

    def watch(self, folder: str, mask: int) -> Optional[OSError]:
        """Watch a folder; the error where that fails, as it does for one that just went."""
        found = self._libc.inotify_add_watch(
            self._handle, os.fsencode(folder), ctypes.c_uint32(mask | ONLY_FOLDERS)
        )
        if found < 0:
            number = ctypes.get_errno()
            return OSError(number, os.strerror(number), folder)
        self._folders[found] = folder
        return None

    def wait(self, timeout: float) -> list[Notice]:
        """What happened, at the latest after *timeout* seconds; nothing where nothing did."""
        ready, _write, _error = select.select([self._handle], [], [], timeout)
        if not ready:
            return []
        try:
            return self._parsed(os.read(self._handle, _BUFFER_BYTES))
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return []
            raise

    def close(self) -> None:
        """Give the instance back; all watches end with it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _parsed(self, data: bytes) -> list[Notice]:
        notices, at = [], 0
        while at < len(data):
            watched, mask, _cookie, size = _HEADER.unpack_from(data, at)
            name = data[at + _HEADER.size : at + _HEADER.size + size].rstrip(b"\0")
            at += _HEADER.size + size
            folder = self._folders.get(watched, "")
            if mask & IGNORED:
                self._folders.pop(watched, None)
            elif folder or mask & OVERFLOW:
                notices.append(Notice(folder, os.fsdecode(name), mask))
        return notices
