# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's cgroups, followed by inotify: containers that appear, go, or are written to.

A folder is listed after it is watched, so that nothing which came in between is missed; what is
seen twice is told once. Out of scope: whose a container is (``identity``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from homenode.linux.inotify import CREATED, DELETED, IS_FOLDER, MODIFIED, OVERFLOW, Inotify
from model.pod_cgroup import KUBEPODS, PodCgroup, is_qos_folder, pod_cgroup

CPUSET = "cpuset."


@dataclass(frozen=True)
class Appeared:
    """A container's cgroup is there."""

    cgroup: PodCgroup


@dataclass(frozen=True)
class Gone:
    """A cgroup, of a container or of a pod, is no more."""

    cgroup: PodCgroup


@dataclass(frozen=True)
class Written:
    """Somebody, maybe we, wrote to the cpuset of a container."""

    cgroup: PodCgroup


Change = Union[Appeared, Gone, Written]


class PodWatch:
    """Follows ``kubepods`` below *mount*, the folder of the cpuset hierarchy's root cgroup."""

    def __init__(self, mount: str) -> None:
        self._mount = mount
        self._inotify = Inotify()
        self._known: dict[str, PodCgroup] = {}

    def start(self) -> list[PodCgroup]:
        """Watch everything there is; the containers there are."""
        self._inotify.watch(self._mount, CREATED)  # the kubelet may come later than we
        found: list[Change] = []
        for name in KUBEPODS:
            found += self._enter(name)
        return [change.cgroup for change in found if isinstance(change, Appeared)]

    def wait(self, timeout: float) -> list[Change]:
        """What changed, at the latest after *timeout* seconds, in order."""
        changes: list[Change] = []
        for notice in self._inotify.wait(timeout):
            if notice.mask & OVERFLOW:
                changes += self._look_again()
                continue
            path = os.path.relpath(os.path.join(notice.folder, notice.name), self._mount)
            if notice.mask & MODIFIED:
                owner = self._known.get(os.path.dirname(path))
                if owner is not None and notice.name.startswith(CPUSET):
                    changes.append(Written(owner))
            elif notice.mask & CREATED and notice.mask & IS_FOLDER:
                changes += self._enter(path)
            elif notice.mask & DELETED:
                changes += self._left(path)
        return changes

    def close(self) -> None:
        """End all watches."""
        self._inotify.close()

    def _enter(self, path: str) -> Iterator[Change]:
        """Watch a new folder of ours and everything in it."""
        found = pod_cgroup(path)
        if found is not None and found.container_id:
            if path not in self._known:
                self._known[path] = found
                self._inotify.watch(self._place(path), MODIFIED)
                yield Appeared(found)
            return
        top = path in KUBEPODS or (os.path.dirname(path) in KUBEPODS and _is_qos(path))
        if found is None and not top:
            return
        if found is not None:
            self._known[path] = found
        if self._inotify.watch(self._place(path), CREATED | DELETED) is None:
            for name in self._folders(path):
                yield from self._enter(f"{path}/{name}")

    def _left(self, path: str) -> Iterator[Change]:
        known = self._known.pop(path, None)
        if known is not None:
            yield Gone(known)

    def _look_again(self) -> Iterator[Change]:
        """The kernel dropped notices: find what went and what came by looking."""
        for path in [path for path in self._known if not os.path.isdir(self._place(path))]:
            yield from self._left(path)
        for name in KUBEPODS:
            yield from self._enter(name)

    def _folders(self, path: str) -> list[str]:
        try:
            with os.scandir(self._place(path)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except OSError:
            return []  # it went while we looked

    def _place(self, path: str) -> str:
        return os.path.join(self._mount, path)


def _is_qos(path: str) -> bool:
    return is_qos_folder(os.path.basename(path))
