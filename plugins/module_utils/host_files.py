# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The one door to a machine's files: live, recorded as a folder, or recorded as one file.

Everything that reads a machine goes through ``open_host``; nothing here knows what the files
mean, and nothing here writes. This file stands alone (no import of the model), because it is a
top-level module in the agent's archive and a module_util in the collection.

A recorded machine is text that a review can read: a line that starts with ``/`` is a path, the
indented lines after it are the file's content, and any other line is a comment::

    # two sockets, recorded on Linux 6.12
    /sys/devices/system/node/node0/cpulist
      0-1

It loses what no reader looks at: blank lines, spaces at the end of a line, and whether the last
line ended.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Optional, Union

MAX_BYTES = 1 << 20
"""A larger file is treated as unreadable: nothing that the kernel tells of a machine is as long."""

_INDENT = "  "


class HostFiles:
    """A machine's files below the folder *root*; with a root other than ``/`` none outside it."""

    def __init__(self, root: str = "/") -> None:
        self._root = os.path.realpath(root)
        self._prefix = self._root.rstrip("/") + "/"

    def read(self, path: str) -> Optional[str]:
        """The text of a regular file; None where it is missing, unreadable or over MAX_BYTES."""
        place = self._place(path)
        return None if place is None else _regular_file_text(place)

    def list(self, path: str) -> list[str]:
        """The sorted names in a folder; none where it is missing or unreadable."""
        place = self._place(path)
        try:
            return [] if place is None else sorted(os.listdir(place))
        except OSError:
            return []

    def _place(self, path: str) -> Optional[str]:
        """Where the file really is; None where a link or ``..`` leads out of the root."""
        place = self._prefix + path.lstrip("/")
        if self._prefix == "/":
            return place
        place = os.path.realpath(place)
        return place if place == self._root or place.startswith(self._prefix) else None


class RecordedFiles:
    """A machine's files as texts by path: what one recorded file holds."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self._names: dict[str, set[str]] = {}
        for path in self.texts:
            folder, name = _split(path)
            while name and name not in self._names.setdefault(folder, set()):
                self._names[folder].add(name)
                folder, name = _split(folder)

    def read(self, path: str) -> Optional[str]:
        """The text of a file; None where it was not recorded."""
        return self.texts.get(path)

    def list(self, path: str) -> list[str]:
        """The sorted names in a folder, as far as files in it were recorded."""
        return sorted(self._names.get(path.rstrip("/"), ()))


def open_host(root: str = "/") -> Union[HostFiles, RecordedFiles]:
    """The machine at *root*: a folder that looks like ``/``, or a file made by ``as_recording``.

    Never raises: where there is no machine, every file is missing, and its reader says which.
    """
    if os.path.isfile(root):
        return RecordedFiles(from_recording(_regular_file_text(root) or ""))
    return HostFiles(root)


def from_recording(recording: str) -> dict[str, str]:
    """The texts by path of one recorded machine; paths with ``..`` in them are left out."""
    texts: dict[str, str] = {}
    path = ""
    for line in recording.split("\n"):
        if line.startswith("/"):
            path = "" if ".." in line.split("/") else line.rstrip()
            if path:
                texts[path] = ""
        elif path and line.startswith(_INDENT):
            texts[path] += line[len(_INDENT) :] + "\n"
    return texts


def as_recording(texts: Mapping[str, str], title: str) -> str:
    """One recorded machine as text, by path in the order of reading; *title* is its first line."""
    lines = [f"# {title}"]
    for path, text in texts.items():
        lines.append(path)
        lines += [_INDENT + line.rstrip() for line in text.split("\n") if line.strip()]
    return "\n".join(lines) + "\n"


def _split(path: str) -> tuple[str, str]:
    """The folder and the name; both empty for the root."""
    folder, _slash, name = path.rpartition("/")
    return folder, name


def _regular_file_text(place: str) -> Optional[str]:
    try:
        with open(place, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return None if len(content) > MAX_BYTES else content.decode("utf-8", errors="replace")


def _open_without_waiting(place: str, flags: int) -> int:
    """A fifo in a hostile recording must not stop its reader."""
    return os.open(place, flags | os.O_NONBLOCK)
