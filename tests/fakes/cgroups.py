# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder that looks like a cgroup v2 hierarchy, and a tree of it that counts.

Files of a real one take and give what the kernel lets them; these take anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from homenode.linux.cgroup import CgroupTree
from model.cgroup_path import cgroup_path
from model.workload import Container, Placement

MOUNT = "sys/fs/cgroup"


class CountingTree(CgroupTree):
    """Counts reads and writes of files."""

    def __init__(self, host_root: Path) -> None:
        super().__init__(str(host_root))
        self.reads = self.writes = 0

    def _read(self, path: str, key: str) -> Optional[str]:
        self.reads += 1
        return super()._read(path, key)

    def write(self, path: str, key: str, value: str) -> Optional[OSError]:
        """As the tree does."""
        self.writes += 1
        return super().write(path, key, value)


def make_hierarchy(host_root: Path) -> None:
    """The mount with a cpuset controller."""
    mount = host_root / MOUNT
    mount.mkdir(parents=True)
    (mount / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")


def make_cgroup(host_root: Path, path: str, held: Placement, *, numa_stat: str = "") -> Path:
    """A cgroup with this cpuset; its folder."""
    folder = host_root / MOUNT / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("cpuset.cpus", held.cpus), ("cpuset.mems", held.mems)):
        text = "\n" if part is None else f"{part}\n"
        (folder / name).write_text(text)
        (folder / f"{name}.effective").write_text(text)
    (folder / "memory.numa_stat").write_text(numa_stat)
    return folder


def cgroup_of(container: Container) -> str:
    """Where this container's cgroup is."""
    path = cgroup_path(container.cgroups_path)
    assert path is not None
    return path
