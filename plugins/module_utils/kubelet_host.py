# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A node's files and processes, read without failing: what cannot be read is a problem by name.

Unlike ``host_files``, this tells a file that is missing from one that cannot be read: a kubelet
starts without the first and not without the second. Out of scope: what the files mean.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Optional

from .model.problem import Problem

MAX_BYTES = 1 << 20
"""A larger file is no kubelet's configuration."""

_REMEDY = "look at the file; run this task as root"


class Host:
    """The files below the folder *root*, by the paths that they have on the node itself.

    *problems* grows with each file that is there and cannot be read.
    """

    def __init__(self, root: str = "/") -> None:
        self._prefix = root.rstrip("/")
        self.live = not self._prefix
        self.problems: list[Problem] = []

    def read(self, path: str) -> Optional[str]:
        """A file's text; None where there is none, or none that can be read."""
        why = ""
        content = b""
        try:
            with open(self._prefix + path, "rb", opener=_open_without_waiting) as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    content = file.read(MAX_BYTES + 1)
                else:
                    why = "is no regular file"
        except (FileNotFoundError, NotADirectoryError):
            if not self.exists(path):
                return None
            why = "is a link to nothing"
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        if len(content) > MAX_BYTES:
            why = f"has more than {MAX_BYTES >> 20} MiB"
        if why:
            self._unreadable(path, why)
            return None
        return content.decode("utf-8", errors="replace")

    def _unreadable(self, path: str, why: str) -> None:
        self.problems.append(Problem("file", path, why, _REMEDY, path))

    def exists(self, path: str) -> bool:
        """Whether something is there, a link to nothing included."""
        return os.path.lexists(self._prefix + path)

    def names(self, folder: str) -> list[str]:
        """The sorted names in a folder; none where it is missing."""
        try:
            return sorted(os.listdir(self._prefix + folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._unreadable(folder, f"cannot be read: {error.strerror}")
            return []

    def tree(self, folder: str, suffix: str) -> list[str]:
        """Files below a folder that end in *suffix*, in the order in which a kubelet walks.

        Like the kubelet's walk, this follows no link to a folder.
        """
        start = self._prefix + folder
        if self.exists(folder) and not os.path.isdir(start):
            self._unreadable(folder, "is no folder")
        found = [
            os.path.join(where, name)[len(self._prefix) :]
            for where, _folders, names in os.walk(start, onerror=self._noted)
            for name in names
            if name.endswith(suffix)
        ]
        return sorted(found, key=lambda path: path.split("/"))

    def _noted(self, error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self._unreadable(str(error.filename), f"cannot be read: {error.strerror}")

    def link(self, path: str) -> str:
        """Where a link leads; empty where it is none."""
        try:
            return os.readlink(self._prefix + path)
        except OSError:
            return ""

    def processes(self, names: frozenset[str]) -> Iterator[tuple[int, str]]:
        """Number and name of each process with one of *names*, the oldest first.

        Those in another pid namespace are left out: a kubelet in a container is somebody else's.
        """
        here = self.link("/proc/self/ns/pid")
        for pid in sorted(int(name) for name in self.names("/proc") if name.isdigit()):
            try:
                with open(f"{self._prefix}/proc/{pid}/comm", encoding="utf-8") as file:
                    name = file.read().rstrip("\n")
            except (OSError, ValueError):
                continue  # it has ended meanwhile
            if name in names and self.link(f"/proc/{pid}/ns/pid") in ("", here):
                yield pid, name

    def arguments(self, pid: int) -> list[str]:
        """What a process was started with, without its own name."""
        text = self.read(f"/proc/{pid}/cmdline") or ""
        # A recorded file cannot hold zero bytes, so it has a newline there.
        return re.split(r"[\0\n]", text.rstrip("\0\n"))[1:]

    def service(self, pid: int) -> str:
        """The unit of a process, without its suffix; empty where it is in no service."""
        found = re.findall(
            r"^\d+:(?:name=systemd)?:/(\S*)$", self.read(f"/proc/{pid}/cgroup") or "", re.M
        )
        last = [path.rpartition("/")[2] for path in found]
        return next((name[: -len(".service")] for name in last if name.endswith(".service")), "")


def _open_without_waiting(place: str, flags: int) -> int:
    """A fifo in the place of a file must not stop its reader."""
    return os.open(place, flags | os.O_NONBLOCK)
