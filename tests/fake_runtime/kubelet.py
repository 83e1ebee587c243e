# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kubelet tells a runtime of a pod and its containers, derived as the kubelet does it.

A runtime never sees the manifest: class and request must be read back from cgroup parent, shares,
quota and oom_score_adj. Sources: KEP-2570, k8s.io/kubernetes pkg/kubelet/cm/helpers_linux.go
(shares, quota), pkg/kubelet/qos/policy.go (oom_score_adj).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"
SYSTEMD, CGROUPFS = "systemd", "cgroupfs"
PERIOD_US = 100_000


@dataclass(frozen=True)
class Figures:
    """The numbers of one container; None where the kubelet gives none."""

    shares: int
    quota: Optional[int]
    period: int
    memory_limit: Optional[int]
    oom_score_adj: int


def figures(qos: str, cpu: float, memory: int, node_memory: int = 16 << 30) -> Figures:
    """Of a container that asks for *cpu* CPUs and *memory* bytes.

    Guaranteed: the limits equal the requests; Burstable: requests, no limits; BestEffort: none.
    The period is told without a quota too.
    """
    if qos == BEST_EFFORT:
        return Figures(2, None, PERIOD_US, None, 1000)
    shares = max(2, round(cpu * 1000) * 1024 // 1000)
    if qos == GUARANTEED:
        quota = max(1000, round(cpu * PERIOD_US))
        return Figures(shares, quota, PERIOD_US, memory, -997)
    adj = min(999, max(3, 1000 - 1000 * memory // node_memory))
    return Figures(shares, None, PERIOD_US, None, adj)


def cgroup_parent(qos: str, uid: str, driver: str = SYSTEMD) -> str:
    """The pod's cgroup as PodSandbox.linux.cgroup_parent says it."""
    if driver == CGROUPFS:
        middle = "" if qos == GUARANTEED else f"/{qos.lower()}"
        return f"/kubepods{middle}/pod{uid}"
    uid = uid.replace("-", "_")
    if qos == GUARANTEED:
        return f"/kubepods.slice/kubepods-pod{uid}.slice"
    name = f"kubepods-{qos.lower()}"
    return f"/kubepods.slice/{name}.slice/{name}-pod{uid}.slice"


def cgroups_path(parent: str, container_id: str) -> str:
    """The container's cgroup as Container.linux.cgroups_path says it."""
    last = parent.rsplit("/", 1)[1]
    if last.endswith(".slice"):
        return f"{last}:cri-containerd:{container_id}"
    return f"{parent}/{container_id}"


def cgroup_folder(parent: str, container_id: str) -> str:
    """The container's folder below the cgroup root, without a leading slash."""
    last = parent.rsplit("/", 1)[1]
    leaf = f"cri-containerd-{container_id}.scope" if last.endswith(".slice") else container_id
    return f"{parent.lstrip('/')}/{leaf}"
