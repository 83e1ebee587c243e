# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a container's mounts and devices are near, as facts for those policies that heed them.

Mounts count where they can be written to and are no small files of the system (nri-plugins passes
over the same); their path on the host counts, never one inside the container. Out of scope: which
of them a tenant wants to count (``loop.ask``), what a policy makes of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Callable

from homenode.intent.hints import DEVICES, MOUNTS, POD_RESOURCES
from homenode.linux.device_topology import Nearby, folder_of, near, parts
from homenode.pinning.policy import POD_RESOURCES as OF_A_RESOURCE
from homenode.runtime.nri import attached_to
from homenode.runtime.podresources import DeviceShare
from homenode.runtime.wire import WireProblem
from model.cpuset import CpuSet
from model.workload import Container, Mount, Near, Pod

SMALL_FILES = (
    "/etc/",
    "/dev/termination-log",
    "/lib/",
    "/lib64/",
    "/usr/lib/",
    "/usr/lib32/",
    "/usr/lib64/",
)
MAX_KNOWN = 4096
MAX_LOOKED_AT = 64
"""Of one container's mounts and devices, so many are looked at."""

_OF_THE_KUBELET = re.compile(
    r"/pods/[0-9a-f-]+/volumes/kubernetes\.io~(configmap|secret)/", re.ASCII
)

Shares = Callable[[], Sequence[DeviceShare]]


class Nearness:
    """Below *host_root*; *shares* asks the kubelet which devices it gave to whom.

    What was found of a device is kept: it does not move.
    """

    def __init__(self, host_root: str, shares: Shares) -> None:
        self._root = host_root
        self._shares = shares
        self._known: dict[str, tuple[Nearby, ...]] = {}
        self.problem = ""

    def of(self, pod: Pod, container: Container, *, ask_kubelet: bool) -> tuple[Near, ...]:
        """Everything that is near something. Never raises: what cannot be found out is nowhere."""
        found: dict[str, Near] = {}
        try:
            mounts, devices = attached_to(container)
        except WireProblem as error:
            self.problem = str(error)
            mounts, devices = [], []
        for mount in list(filter(_counts, mounts))[:MAX_LOOKED_AT]:
            folder = folder_of(self._root, mount.source)
            self._look(found, MOUNTS, folder, mount.source)
        for device in [one for one in devices if not one.read_only][:MAX_LOOKED_AT]:
            folder = f"/sys/dev/{device.kind}/{device.major}:{device.minor}"
            self._look(found, DEVICES, folder)
        return (*found.values(), *(self._given(pod, container.name) if ask_kubelet else ()))

    def cpus_near(self, path: str) -> CpuSet:
        """The CPUs near a device node, or near a folder of sysfs."""
        folder = path if path.startswith("/sys/") else folder_of(self._root, path)
        return CpuSet(cpu for one in self._find(folder) for cpu in one.cpus)

    def _look(self, found: dict[str, Near], source: str, folder: str, *names: str) -> None:
        for one in self._find(folder):
            paths = (*names, one.folder)
            found.setdefault(one.folder, Near(source, paths, one.cpus, one.numa_nodes))

    def _find(self, folder: str) -> tuple[Nearby, ...]:
        if not folder:
            return ()
        if folder not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            nearby = (near(self._root, part) for part in parts(self._root, folder))
            self._known[folder] = tuple(one for one in nearby if one.folder)
        return self._known[folder]

    def _given(self, pod: Pod, container: str) -> list[Near]:
        try:
            shares = self._shares()
            self.problem = ""
        except (OSError, WireProblem) as error:
            self.problem = str(error)
            return []
        return [
            Near(POD_RESOURCES, (OF_A_RESOURCE + one.resource,), nodes=one.numa_nodes)
            for one in shares
            if (one.namespace, one.pod, one.container) == (pod.namespace, pod.name, container)
        ]


def _counts(mount: Mount) -> bool:
    return mount.source.startswith("/") and not mount.read_only and not _small(mount)


def _small(mount: Mount) -> bool:
    paths = (mount.source, mount.destination)
    return any(path.startswith(SMALL_FILES) or _OF_THE_KUBELET.search(path) for path in paths)
