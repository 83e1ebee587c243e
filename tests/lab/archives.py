# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that need no root and come out the same each time: tar for the disk, cpio for initrd."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DIRECTORY, FILE, DEVICE = 0o040000, 0o100000, 0o020000


class RootTar:
    """A tar of files that all belong to root and have no date."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115

    def __enter__(self) -> RootTar:
        return self

    def __exit__(self, *error: object) -> None:
        self._tar.close()

    def add_tree(self, source: Path, below: str = "") -> None:
        """Add all files below `source`, under the folder `below`."""
        for path in sorted(source.rglob("*")):
            if not path.is_dir() and "__pycache__" not in path.parts:
                self.add_path(path, str(Path(below) / path.relative_to(source)))

    def add_path(self, path: Path, name: str) -> None:
        """Add one file or link; it keeps of its mode only whether it is executable."""
        entry = self._tar.gettarinfo(str(path), name)
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = "root"
        entry.mode = 0o755 if path.lstat().st_mode & 0o100 else 0o644
        if entry.isreg():
            with open(path, "rb") as file:
                self._tar.addfile(entry, file)
        else:
            self._tar.addfile(entry)

    def add_bytes(self, data: bytes, name: str, mode: int = 0o644) -> None:
        """Add one file from memory."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), mode
        self._tar.addfile(entry, io.BytesIO(data))


@dataclass(frozen=True)
class CpioEntry:
    """One entry of an initrd; `device` is major and minor of a character device."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def initrd(entries: Iterable[CpioEntry]) -> bytes:
    """A gzipped cpio archive in the `newc` format, which the kernel unpacks as its first root."""
    archive = bytearray()
    for number, entry in enumerate([*entries, CpioEntry("TRAILER!!!", 0)], start=1):
        name = entry.name.encode() + b"\0"
        major, minor = entry.device
        fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, major, minor, len(name), 0)
        archive += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        archive += b"\0" * (-len(archive) % 4) + entry.data
        archive += b"\0" * (-len(archive) % 4)
    return gzip.compress(bytes(archive), 6, mtime=0)
