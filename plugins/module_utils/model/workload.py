# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Pods and containers as a container runtime tells of them, and what they ask for.

A runtime does not carry the pod's manifest: class and request are read back from what the kubelet
derives from it (cgroup parent, cpu.shares, quota), see KEP-2570 and the kubelet's cgroup rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

from .cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"


@dataclass(frozen=True)
class Placement:
    """CPUs and memory nodes of a container; None means "not ours to say"."""

    cpus: Optional[CpuSet] = None
    mems: Optional[NodeSet] = None

    @classmethod
    def parse(cls, cpus: str, mems: str) -> Placement:
        """From two kernel lists; an empty one is None. Raises HomenodeProblem for other texts."""
        return cls(CpuSet.parse(cpus) or None, NodeSet.parse(mems, field="mems") or None)


NOT_OURS = Placement()


@dataclass(frozen=True)
class Resources:
    """The runtime's figures for one container; None or "" where nothing was given.

    *shares* is the cgroup v1 weight, *quota* and *period* are microseconds, *memory_limit_bytes*
    bytes; *cpus* and *mems* are the cpuset that somebody (the kubelet's static CPU manager) set.
    """

    shares: Optional[int] = None
    quota: Optional[int] = None
    period: Optional[int] = None
    memory_limit_bytes: Optional[int] = None
    cpus: str = ""
    mems: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod sandbox; *cgroup_parent* is the path or slice that the kubelet gave it."""

    id: str
    name: str
    namespace: str
    uid: str
    cgroup_parent: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def qos_class(self) -> str:
        """The Kubernetes QoS class, from the cgroup parent that encodes it."""
        parent = self.cgroup_parent.lower()
        if "besteffort" in parent:
            return BEST_EFFORT
        return BURSTABLE if "burstable" in parent else GUARANTEED

    @property
    def full_name(self) -> str:
        """``namespace/name``, as people write it."""
        return f"{self.namespace}/{self.name}"


NOTHING_GIVEN = Resources()


class Mount(NamedTuple):
    """What of the host is mounted where in a container."""

    source: str
    destination: str
    read_only: bool = False


class Device(NamedTuple):
    """A device node of a container; *kind* is "char" or "block"."""

    kind: str
    major: int
    minor: int
    read_only: bool = False


@dataclass(frozen=True)
class Near:
    """Where something that a container was given is near, CPUs or else NUMA nodes.

    *source* is "mounts", "devices" or "pod-resources"; *paths* are its names, the last one the
    most exact: a path in sysfs, or "podresourceapi:RESOURCE".
    """

    source: str
    paths: tuple[str, ...]
    cpus: CpuSet = NO_CPUS
    nodes: NodeSet = NO_NODES


@dataclass(frozen=True)
class Container:
    """One container; *state* is "created", "paused", "running", "stopped" or "unknown".

    *created_at* is nanoseconds since the epoch, 0 where the runtime does not tell.
    *oom_score_adj* is what the kubelet made of its memory request, None where it was not given.
    *near* is where its mounts and devices are near, filled in by the daemon; *undecoded* are these
    as the runtime told them, for who knows how to read them.
    """

    id: str
    pod_id: str
    name: str
    state: str = "unknown"
    resources: Resources = NOTHING_GIVEN
    cgroups_path: str = ""
    pid: int = 0
    created_at: int = 0
    oom_score_adj: Optional[int] = None
    near: tuple[Near, ...] = ()
    undecoded: tuple[Sequence[bytes], ...] = ()


def cpu_request_millis(resources: Resources, qos_class: str) -> int:
    """Thousandths of a CPU that the container asks for.

    Guaranteed: request equals limit, so quota/period is exact where there is a quota. Else from
    cpu.shares, which the kubelet computes as request*1024/1000 with a floor of 2 (= no request).
    """
    if qos_class == BEST_EFFORT:
        return 0
    if qos_class == GUARANTEED and resources.quota and resources.quota > 0 and resources.period:
        return round(resources.quota * 1000 / resources.period)
    shares = resources.shares or 0
    return 0 if shares <= 2 else round(shares * 1000 / 1024)


def cpu_limit_millis(resources: Resources) -> int:
    """Thousandths of a CPU that the container may use at most; 0 where there is no limit."""
    quota, period = resources.quota or 0, resources.period or 0
    return round(quota * 1000 / period) if quota > 0 and period > 0 else 0


def whole_cpus(resources: Resources, qos_class: str) -> int:
    """How many exclusive CPUs are due: the request of a Guaranteed whole-CPU container, else 0."""
    if qos_class != GUARANTEED:
        return 0
    quota, period = resources.quota or 0, resources.period or 0
    if quota > 0 and period > 0:
        return quota // period if quota % period == 0 else 0
    millis = cpu_request_millis(resources, qos_class)
    return millis // 1000 if millis >= 1000 and millis % 1000 == 0 else 0
