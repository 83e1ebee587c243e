# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cgroup files of one machine: cpuset and memory.numa_stat, read and (cpuset only) written.

On cgroup v1 the cpuset controller has its own mount and its own name for what is effective; a
cgroup there never inherits, it copies. Sources: Documentation/admin-guide/cgroup-v2.rst, "Cpuset"
and "Memory"; cgroup-v1/cpusets.rst. Out of scope: which value is right; memory by node on v1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Optional

from model.problem import HomenodeProblem
from model.workload import Placement

CPUS, MEMS = "cpuset.cpus", "cpuset.mems"
EFFECTIVE = (CPUS + ".effective", MEMS + ".effective")
LEGACY_EFFECTIVE = ("cpuset.effective_cpus", "cpuset.effective_mems")
LEGACY_MOUNT = "cpuset"
NUMA_STAT = "memory.numa_stat"
MAX_BYTES = 65536


class CgroupTree:
    """The cgroup hierarchy below *host_root* that has the cpuset controller."""

    def __init__(self, host_root: str) -> None:
        self._base = os.path.join(host_root, "sys/fs/cgroup")
        legacy = os.path.join(self._base, LEGACY_MOUNT)
        self.is_legacy = os.path.exists(os.path.join(legacy, CPUS))
        if self.is_legacy:
            self._base = legacy

    @property
    def folder(self) -> str:
        """Where its root cgroup is mounted."""
        return self._base

    def is_unified(self) -> bool:
        """Whether this is a cgroup v2 hierarchy with a cpuset controller."""
        controllers = self._read("", "cgroup.controllers")
        return controllers is not None and "cpuset" in controllers.split()

    def placement(self, path: str) -> Optional[Placement]:
        """What a cgroup's cpuset is set to; an empty file (inherit) reads as None in that part.

        None where the cgroup is gone or cannot be read.
        """
        cpus, mems = self._read(path, CPUS), self._read(path, MEMS)
        if cpus is None or mems is None:
            return None
        return _placement(cpus, mems)

    def effective(self, path: str) -> Optional[Placement]:
        """What the cgroup really has, after its ancestors had their say; None where it is gone."""
        names = LEGACY_EFFECTIVE if self.is_legacy else EFFECTIVE
        cpus, mems = self._read(path, names[0]), self._read(path, names[1])
        if cpus is None or mems is None:
            return None
        return _placement(cpus, mems)

    def numa_bytes(self, path: str) -> Mapping[int, int]:
        """Bytes of anonymous and file memory charged to the cgroup, by NUMA node."""
        found: dict[int, int] = {}
        for line in (self._read(path, NUMA_STAT) or "").splitlines():
            name, *fields = line.split()
            if name not in ("anon", "file"):
                continue
            for field in fields:
                node, _equals, size = field.partition("=")
                if node[1:].isdigit() and size.isdigit():
                    found[int(node[1:])] = found.get(int(node[1:]), 0) + int(size)
        return found

    def write(self, path: str, key: str, value: str) -> Optional[OSError]:
        """Write one file of an existing cgroup; the error instead of an exception.

        The empty *value* resets a cpuset to its parent's.
        """
        how = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW
        try:
            handle = os.open(os.path.join(self._base, path, key), how)
        except OSError as error:
            return error
        try:
            os.write(handle, (value + "\n").encode("ascii"))
        except OSError as error:
            return error
        finally:
            os.close(handle)
        return None

    def _read(self, path: str, key: str) -> Optional[str]:
        try:
            handle = os.open(os.path.join(self._base, path, key), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            return os.read(handle, MAX_BYTES).decode("ascii", "replace").strip()
        except OSError:
            return None
        finally:
            os.close(handle)


def _placement(cpus: str, mems: str) -> Optional[Placement]:
    try:
        return Placement.parse(cpus, mems)
    except HomenodeProblem:
        return None
