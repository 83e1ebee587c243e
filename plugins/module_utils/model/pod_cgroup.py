# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whose cgroup a path below the mount is: QoS class, pod and container, by the kubelet's names.

The way back of ``cgroup_path``, for who sees cgroups appear and is told nothing. Both drivers:
``kubepods/burstable/podUID/ID`` (cgroupfs) and ``kubepods-burstable-podUID.slice/PREFIX-ID.scope``
(systemd). Source: kubelet ``pkg/kubelet/cm`` (cgroup names), the runtimes' scope names.
Out of scope: whether the container is a pod's sandbox, which only its runtime knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from .workload import BEST_EFFORT, BURSTABLE, GUARANTEED

KUBEPODS = ("kubepods", "kubepods.slice")
"""The kubelet's own root, as its two cgroup drivers write it."""

_CLASSES = {"burstable": BURSTABLE, "besteffort": BEST_EFFORT}
_UID = r"(?P<uid>[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})"
_POD = re.compile(rf"(?:kubepods-(?:(?P<class>burstable|besteffort)-)?)?pod{_UID}(?:\.slice)?\Z")
_QOS = re.compile(r"(?:kubepods-)?(?P<class>burstable|besteffort)(?:\.slice)?\Z")
_CONTAINER = re.compile(r"(?:(?:cri-containerd|crio|docker)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?\Z")


@dataclass(frozen=True)
class PodCgroup:
    """A pod's cgroup, or one of its containers' where *container_id* is not ""."""

    path: str
    qos_class: str
    pod_uid: str
    container_id: str = ""


def is_qos_folder(name: str) -> bool:
    """Whether a folder below the kubelet's root holds the pods of one QoS class."""
    return _QOS.match(name) is not None


def pod_cgroup(path: str) -> Optional[PodCgroup]:
    """Whose cgroup *path* (below the mount, no leading slash) is; None for anybody else's.

    Only the kubelet's own depth counts: a folder made inside a container is no container.
    """
    parts = path.split("/")
    if parts[0] not in KUBEPODS:
        return None
    rest = parts[1:]
    qos_class = GUARANTEED
    found = _QOS.match(rest[0]) if rest else None
    if found is not None:
        qos_class, rest = _CLASSES[found["class"]], rest[1:]
    pod = _POD.match(rest[0]) if rest else None
    if pod is None or len(rest) > 2:
        return None
    uid = pod["uid"].replace("_", "-")
    if len(rest) == 1:
        return PodCgroup(path, qos_class, uid)
    container = _CONTAINER.match(rest[1])
    return None if container is None else PodCgroup(path, qos_class, uid, container["id"])
