# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fake runtime knows of its pods and containers, and how it tells plugins of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from . import kubelet
from .schema import MESSAGES

STATES = {"created": 1, "running": 3, "stopped": 4}


@dataclass
class FakePod:
    """A sandbox; *cgroup_parent* has its class."""

    id: str
    name: str
    namespace: str
    uid: str
    qos: str
    cgroup_parent: str
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def message(self) -> Any:
        """As PodSandbox."""
        return MESSAGES["PodSandbox"](
            id=self.id,
            name=self.name,
            uid=self.uid,
            namespace=self.namespace,
            labels={"io.kubernetes.pod.name": self.name, **self.labels},
            annotations={"kubernetes.io/config.source": "api", **self.annotations},
            linux={"cgroup_parent": self.cgroup_parent},
        )


@dataclass
class FakeContainer:
    """A container; *cpus* and *mems* are what its cgroup says now, "" for everything.

    *shares* is the cpu.shares that the runtime has stored; *beside* is what a plugin's answer set
    at creation, as LinuxContainerAdjustment.

    *adjusted*: whether a plugin's answer took part in its creation; *latency_s*: how long the
    plugins took over it, in seconds; *writes*: how often its cpuset changed after creation.
    """

    id: str
    pod: FakePod
    name: str
    figures: kubelet.Figures
    cpus: str = ""
    mems: str = ""
    state: str = "created"
    adjusted: bool = False
    latency_s: float = 0.0
    writes: int = 0
    pid: int = 0
    env: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    shares: int = 0
    beside: Any = None
    created_at: int = field(default_factory=time.time_ns)
    _written: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shares = self.shares or self.figures.shares

    @property
    def placement(self) -> tuple[str, str]:
        """(cpus, mems)."""
        return self.cpus, self.mems

    def resources(self) -> Any:
        """As LinuxResources; the cpuset as the runtime's stored spec has it."""
        figures = self.figures
        message = MESSAGES["LinuxResources"]()
        message.cpu.shares.value = self.shares
        if figures.quota is not None:
            message.cpu.quota.value = figures.quota
        message.cpu.period.value = figures.period
        if figures.memory_limit is not None:
            message.memory.limit.value = figures.memory_limit
        message.cpu.cpus, message.cpu.mems = self.cpus, self.mems
        return message

    def message(self) -> Any:
        """As Container, with the ballast that real ones carry."""
        return MESSAGES["Container"](
            id=self.id,
            pod_sandbox_id=self.pod.id,
            name=self.name,
            state=STATES.get(self.state, 0),
            labels={"io.kubernetes.container.name": self.name},
            annotations=self.annotations,
            args=["/bin/sleep", "infinity"],
            env=self.env,
            mounts=[{"destination": "/etc/hosts", "type": "bind", "options": ["rbind", "rw"]}],
            linux={
                "namespaces": [{"type": "network", "path": "/var/run/netns/x"}],
                "resources": self.resources(),
                "oom_score_adj": {"value": self.figures.oom_score_adj},
                "cgroups_path": kubelet.cgroups_path(self.pod.cgroup_parent, self.id),
            },
            pid=self.pid,
            created_at=self.created_at,
        )

    def apply(self, cpu: Any) -> None:
        """Take over cpuset and weight of a LinuxCPU where it has them."""
        self.shares = cpu.shares.value or self.shares
        cpus, mems = cpu.cpus or self.cpus, cpu.mems or self.mems
        self.writes += (cpus, mems) != (self.cpus, self.mems)
        self.cpus, self.mems = cpus, mems

    def write_cgroup(self, root: Optional[Path], everything: tuple[str, str]) -> None:
        """Make its folder below *root* look as cgroup v2 would; *everything* is the machine's."""
        if root is None:
            return
        folder = root / kubelet.cgroup_folder(self.pod.cgroup_parent, self.id)
        if not self._written:
            folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "cpuset.cpus": self.cpus,
            "cpuset.mems": self.mems,
            "cpuset.cpus.effective": self.cpus or everything[0],
            "cpuset.mems.effective": self.mems or everything[1],
            "cgroup.procs": str(self.pid),
        }
        for name, text in texts.items():
            if self._written.get(name) != text:
                (folder / name).write_text(text + "\n")
        self._written = texts

    def remove_cgroup(self, root: Optional[Path]) -> None:
        """Take the folder away again."""
        if root is None:
            return
        folder = root / kubelet.cgroup_folder(self.pod.cgroup_parent, self.id)
        for file in folder.glob("*"):
            file.unlink()
        if folder.is_dir():
            folder.rmdir()
