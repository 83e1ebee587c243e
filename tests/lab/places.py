# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps what it makes: one folder, safe to delete while no guest runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.progress import say

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """The lab folder's parts. Images, snapshots and guests lie equally deep: a disk names the
    image under it by a relative path, so the whole folder can move."""

    root: Path

    @property
    def packages(self) -> Path:
        """Downloaded .deb files, kept between builds."""
        return self.root / "packages"

    @property
    def images(self) -> Path:
        """One folder per image key: disk, kernel, initrd, ssh keys."""
        return self.root / "images"

    @property
    def snapshots(self) -> Path:
        """One folder per booted and saved machine."""
        return self.root / "snapshots"

    @property
    def guests(self) -> Path:
        """One folder per guest that exists now."""
        return self.root / "guests"

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock by name, so that two processes do not make the same thing twice."""
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / f"{name}.lock", "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another process that holds the {name} lock ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def places() -> Places:
    """The lab folder: $HOMENODE_LAB_DIR, or build/lab of this checkout."""
    chosen = os.environ.get("HOMENODE_LAB_DIR")
    return Places(Path(chosen).resolve() if chosen else CHECKOUT / "build" / "lab")
