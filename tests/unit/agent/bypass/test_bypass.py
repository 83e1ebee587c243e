# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders that come and go like cgroups, under the kernel's own inotify; files like a runtime's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Optional

import pytest

from homenode.bypass.bypass import Bypass, Hands
from homenode.bypass.identity import Identities
from homenode.runtime.notice import CONNECTED, PROBLEM, RuntimeNotice
from host_files import open_host
from model.cpuset import CpuSet
from model.events import (
    NO_CHANGE,
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
from model.workload import Placement

UID = "0f5c8a5e-3c5a-4f1c-9a63-7a2f3d1e9b10"
POD = f"kubepods/burstable/pod{UID}"
FIRST, SECOND, SANDBOX = "1" * 64, "2" * 64, "5" * 64
OWN, REST = Placement(CpuSet.parse("2-3")), Placement(CpuSet.parse("0-1"))
STATE = "run/containerd/io.containerd.runtime.v2.task/k8s.io"


class Scene:
    """A host root, a bypass over it, and what it did."""

    def __init__(self, root: Path) -> None:
        self.root, self.mount = root, root / "sys/fs/cgroup"
        self.mount.mkdir(parents=True)
        self.events: list[Event] = []
        self.notices: list[RuntimeNotice] = []
        self.written: list[tuple[str, Placement]] = []
        self.reply: Callable[[Event], Reply] = lambda _event: NO_CHANGE
        self._stop = threading.Event()
        hands = Hands(self._apply, lambda _path: REST)
        self.bypass = Bypass(
            str(self.mount),
            Identities(open_host(str(root)), ""),
            hands,
            self._handle,
            self.notices.append,
        )
        self._thread = threading.Thread(target=self.bypass.run, args=(self._stop,))

    def start(self) -> None:
        self._thread.start()
        self.wait_for(lambda: any(notice.kind == CONNECTED for notice in self.notices))

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def bundle(self, container_id: str, kind: str = "container") -> None:
        folder = self.root / STATE / container_id
        folder.mkdir(parents=True)
        told = {
            "io.kubernetes.cri.container-type": kind,
            "io.kubernetes.cri.container-name": f"c{container_id[0]}",
            "io.kubernetes.cri.sandbox-name": "web",
            "io.kubernetes.cri.sandbox-namespace": "default",
            "io.kubernetes.cri.sandbox-id": SANDBOX,
        }
        (folder / "config.json").write_text(json.dumps({"annotations": told}))

    def cgroup(self, container_id: str) -> Path:
        folder = self.mount / POD / container_id
        folder.mkdir(parents=True)
        return folder

    def wait_for(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < until, (self.events, self.notices)
            time.sleep(0.005)

    def told(self, kind: type[Event]) -> bool:
        return any(isinstance(event, kind) for event in self.events)

    def _handle(self, event: Event, _deadline: float) -> Reply:
        self.events.append(event)
        return self.reply(event)

    def _apply(self, path: str, placement: Placement) -> Optional[str]:
        self.written.append((path, placement))
        return None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.stop()


def test_what_runs_already_is_synchronized(scene: Scene) -> None:
    scene.bundle(FIRST)
    scene.cgroup(FIRST)
    scene.bundle(SANDBOX, "sandbox")
    scene.cgroup(SANDBOX)
    scene.start()
    (event,) = scene.events
    assert isinstance(event, Synchronized)
    (pod,), (container,) = event.pods, event.containers
    assert (pod.full_name, pod.uid, pod.qos_class) == ("default/web", UID, "Burstable")
    assert (container.id, container.name, container.state) == (FIRST, "c1", "running")
    assert container.cgroups_path == f"/{POD}/{FIRST}"


def test_a_newcomer_is_pinned_after_the_others_made_room(scene: Scene) -> None:
    scene.bundle(FIRST)
    scene.cgroup(FIRST)
    scene.start()
    update = ContainerUpdate(FIRST, REST)
    scene.reply = lambda event: (
        Reply(OWN, (update,)) if isinstance(event, ContainerCreating) else NO_CHANGE
    )
    scene.bundle(SECOND)
    scene.cgroup(SECOND)
    scene.wait_for(lambda: scene.told(ContainerStarted))
    assert scene.written == [(f"{POD}/{FIRST}", REST), (f"{POD}/{SECOND}", OWN)]


def test_a_container_that_its_runtime_shows_late_is_found(scene: Scene) -> None:
    scene.start()
    scene.cgroup(FIRST)
    time.sleep(0.05)
    assert not scene.told(ContainerCreating)
    scene.bundle(FIRST)
    scene.wait_for(lambda: scene.told(ContainerCreating))


def test_a_sandbox_is_nobody(scene: Scene) -> None:
    scene.start()
    scene.bundle(SANDBOX, "sandbox")
    scene.cgroup(SANDBOX)
    scene.bundle(FIRST)
    scene.cgroup(FIRST)
    scene.wait_for(lambda: scene.told(ContainerStarted))
    assert [event for event in scene.events if isinstance(event, ContainerCreating)] == [
        scene.events[1]
    ]


def test_a_foreign_write_is_told_and_answered(scene: Scene) -> None:
    scene.bundle(FIRST)
    folder = scene.cgroup(FIRST)
    scene.start()
    scene.reply = lambda event: Reply(None, (ContainerUpdate(FIRST, OWN),))
    (folder / "cpuset.cpus").write_text("0")
    scene.wait_for(lambda: bool(scene.written))
    assert CgroupRead(FIRST, REST) in scene.events
    assert scene.written[0] == (f"{POD}/{FIRST}", OWN)


def test_what_ends_is_told_once(scene: Scene) -> None:
    scene.bundle(FIRST)
    folder = scene.cgroup(FIRST)
    scene.start()
    folder.rmdir()
    folder.parent.rmdir()
    scene.wait_for(lambda: scene.told(PodRemoved))
    ends = [event for event in scene.events if not isinstance(event, Synchronized)]
    assert ends == [ContainerRemoved(FIRST), PodRemoved(SANDBOX)]


def test_it_says_that_annotations_are_not_seen(scene: Scene) -> None:
    scene.bundle(FIRST)
    scene.cgroup(FIRST)
    scene.start()
    details = [notice.detail for notice in scene.notices if notice.kind == PROBLEM]
    assert details == ["annotations are not seen (no CRI socket)"]


def test_a_strange_folder_is_left_alone(scene: Scene) -> None:
    scene.start()
    (scene.mount / "system.slice/inner").mkdir(parents=True)
    (scene.mount / POD / "inner").mkdir(parents=True)
    scene.bundle(FIRST)
    scene.cgroup(FIRST)
    scene.wait_for(lambda: scene.told(ContainerStarted))
    assert [type(event) for event in scene.events] == [
        Synchronized,
        ContainerCreating,
        ContainerStarted,
    ]
