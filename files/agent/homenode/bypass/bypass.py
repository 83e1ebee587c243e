# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front of bypass, with the same face as the NRI plugin: ``run``, ``interrupt``, ``update``.

A cgroup that appears becomes ContainerCreating; the answer is written to the cgroups at once,
other containers first, so that nobody shares what becomes somebody's own. Out of scope: what to
answer, and writing itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from homenode.runtime.notice import (
    CONNECTED,
    DISCONNECTED,
    PROBLEM,
    WAITING,
    RuntimeCounts,
    RuntimeNotice,
)
from model.events import (
    CgroupRead,
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerUpdate,
    Event,
    PodRemoved,
    Reply,
    Synchronized,
)
from model.pod_cgroup import PodCgroup
from model.problem import Problem
from model.workload import Placement

from .identity import Identities, Known, Nobody
from .watch import Appeared, Change, Gone, PodWatch, Written

TICK_S = 1.0
LOOK_AGAIN_S = 0.01
"""How soon a container is looked for again that its runtime did not show yet, seconds."""

GIVE_UP_S = 5.0
"""How long it is looked for, seconds."""

ANSWER_BUDGET_S = 1.0
RETRY_S = 5.0

Handle = Callable[[Event, float], Reply]
Report = Callable[[RuntimeNotice], None]
Apply = Callable[[str, Placement], Optional[str]]
"""Sets a cgroup's cpuset (path, values) and reads it again; the reason where that failed."""

Read = Callable[[str], Optional[Placement]]


@dataclass(frozen=True)
class Hands:
    """What bypass does to cgroups, lent by the room that may: *apply* writes, *read* looks."""

    apply: Apply
    read: Read


class Bypass:
    """See the module. *handle* and *report* are called on the thread of ``run``."""

    def __init__(
        self, mount: str, identities: Identities, hands: Hands, handle: Handle, report: Report
    ) -> None:
        self._mount = mount
        self._identities = identities
        self._hands = hands
        self._handle = handle
        self._told = report
        self._paths: dict[str, str] = {}
        self._pods: dict[str, str] = {}
        self._pending: dict[PodCgroup, float] = {}
        self._unannotated = False
        self.busy_since: Optional[float] = None
        self.connected = False
        self.counts = RuntimeCounts()

    def run(self, stop: threading.Event) -> None:
        """Serve until *stop* is set, which is seen within TICK_S."""
        while not stop.is_set():
            try:
                watch = PodWatch(self._mount)
            except OSError as error:
                self._told(RuntimeNotice(WAITING, f"inotify: {error}"))
                stop.wait(RETRY_S)
                continue
            try:
                self._serve(watch, stop)
            except OSError as error:
                self._told(RuntimeNotice(DISCONNECTED, str(error)))
            finally:
                self.connected = False
                watch.close()

    def interrupt(self) -> None:
        """Nothing to do: ``run`` looks at its stop by itself."""

    def update(self, updates: Sequence[ContainerUpdate]) -> dict[str, Problem]:
        """Write these placements; what failed and why, by container id."""
        failed: dict[str, Problem] = {}
        for update in updates:
            path = self._paths.get(update.container_id)
            why = "its cgroup is not known" if path is None else None
            if path is not None:
                why = self._hands.apply(path, update.placement)
            if why is not None:
                failed[update.container_id] = Problem(
                    "cpuset", str(update.placement.cpus), why, "see homenode status", "cgroup"
                )
        return failed

    def _serve(self, watch: PodWatch, stop: threading.Event) -> None:
        self._synchronize(watch.start())
        self.connected = True
        self.counts.connections += 1
        self._told(RuntimeNotice(CONNECTED, "cgroups are watched", "cgroups", "bypass"))
        while not stop.is_set():
            for change in watch.wait(LOOK_AGAIN_S if self._pending else TICK_S):
                self._changed(change)
            self._look_for_pending(time.monotonic())

    def _synchronize(self, cgroups: Sequence[PodCgroup]) -> None:
        found = [known for cgroup in cgroups if (known := self._known(cgroup, "running"))]
        pods = {known.pod.id: known.pod for known in found}
        event = Synchronized(tuple(pods.values()), tuple(known.container for known in found))
        self.update(self._asked(event).updates)

    def _changed(self, change: Change) -> None:
        cgroup = change.cgroup
        if isinstance(change, Appeared):
            self._pending[cgroup] = time.monotonic() + GIVE_UP_S
        elif isinstance(change, Written):
            self._read(cgroup)
        elif isinstance(change, Gone):
            self._gone(cgroup)

    def _look_for_pending(self, now: float) -> None:
        for cgroup, until in list(self._pending.items()):
            known = self._known(cgroup, "created")
            if known is not None:
                del self._pending[cgroup]
                self._creating(known)
            elif cgroup in self._pending and now > until:
                del self._pending[cgroup]
                self.counts.failed += 1
                detail = f"no runtime tells whose {cgroup.path} is: it is left alone"
                self._told(RuntimeNotice(PROBLEM, detail))

    def _known(self, cgroup: PodCgroup, state: str) -> Optional[Known]:
        found = self._identities.find(cgroup, state)
        if isinstance(found, Nobody):
            if found is Nobody.SANDBOX:
                self._pending.pop(cgroup, None)
            return None
        self._paths[cgroup.container_id] = cgroup.path
        self._pods[cgroup.pod_uid] = found.pod.id
        if not found.annotated and not self._unannotated:
            self._unannotated = True
            why = self._identities.problem or "no CRI socket"
            self._told(RuntimeNotice(PROBLEM, f"annotations are not seen ({why})"))
        return found

    def _creating(self, known: Known) -> None:
        """Others first: what becomes this one's own is theirs no more before it runs there."""
        reply = self._asked(ContainerCreating(known.pod, known.container))
        if reply.refusal is not None:
            detail = f"{known.pod.full_name}/{known.container.name} is there already"
            self._told(RuntimeNotice(PROBLEM, f"{detail}: {reply.refusal}", problem=reply.refusal))
        self.update(reply.updates)
        if reply.adjust is not None:
            self.update((ContainerUpdate(known.container.id, reply.adjust),))
        self.update(self._asked(ContainerStarted(known.container.id)).updates)

    def _read(self, cgroup: PodCgroup) -> None:
        seen = self._hands.read(cgroup.path)
        if seen is not None and cgroup.container_id in self._paths:
            self.update(self._asked(CgroupRead(cgroup.container_id, seen)).updates)

    def _gone(self, cgroup: PodCgroup) -> None:
        self._pending.pop(cgroup, None)
        if cgroup.container_id:
            if self._paths.pop(cgroup.container_id, None) is not None:
                self.update(self._asked(ContainerRemoved(cgroup.container_id)).updates)
        elif (pod_id := self._pods.pop(cgroup.pod_uid, None)) is not None:
            self.update(self._asked(PodRemoved(pod_id)).updates)

    def _asked(self, event: Event) -> Reply:
        self.counts.events += 1
        self.busy_since = time.monotonic()
        try:
            return self._handle(event, self.busy_since + ANSWER_BUDGET_S)
        finally:
            self.busy_since = None
