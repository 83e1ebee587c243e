# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a kubelet has before anybody configures it, by version and by distribution.

Only what decides about NUMA is listed. Sources: ``pkg/kubelet/apis/config/v1beta1/defaults.go``,
``pkg/kubelet/eviction/defaults_linux.go``, k3s ``pkg/daemons/agent``. Out of scope: EKS, whose
base file is generated on the node and is the truth there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..problem import HomenodeProblem
from .configuration import Settings

Version = tuple[int, int]

DEFAULT_VERSION = "1.35"
OLDEST: Version = (1, 28)
NEWEST: Version = (1, 36)
"""The newest that the rules here were compared with."""

NULL_DELETES: Version = (1, 32)
"""From here on a drop-in's null deletes a key, and defaults are applied after merging."""
MERGES_EVICTION: Version = (1, 33)
"""The first with mergeDefaultEvictionSettings."""

COMPILED_IN: Settings = {
    "cpuManagerPolicy": "none",
    "memoryManagerPolicy": "None",
    "topologyManagerPolicy": "none",
    "topologyManagerScope": "container",
    "enforceNodeAllocatable": ["pods"],
    "cgroupsPerQOS": True,
    "failSwapOn": True,
}

EVICTION_HARD: Mapping[str, str] = {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
}
"""Applied to the file behind --config where it has no evictionHard, and to nothing else."""

RANCHER: Settings = {
    "evictionHard": {"imagefs.available": "5%", "nodefs.available": "5%"},
    "evictionMinimumReclaim": {"imagefs.available": "10%", "nodefs.available": "10%"},
    "failSwapOn": False,
}
"""What RKE2 and k3s give their kubelet: no memory.available."""
RANCHER_FLAGS = (
    "eviction-hard=imagefs.available<5%,nodefs.available<5%",
    "eviction-minimum-reclaim=imagefs.available=10%,nodefs.available=10%",
    "fail-swap-on=false",
)
"""The same before RANCHER_DROPINS."""
RANCHER_DROPINS: Version = (1, 32)
"""From here on RKE2 and k3s configure their kubelet by drop-ins, without --config."""

DISTRIBUTIONS = (
    "upstream",
    "kubeadm",
    "kubespray",
    "rke2",
    "k3s",
    "eks-al2",
    "eks-al2023",
    "bottlerocket",
)

_VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:[.+-].*)?\Z", re.ASCII | re.DOTALL)


def version_of(text: str) -> Version:
    """``v1.35.4+rke2r1`` as (1, 35).

    Raises HomenodeProblem where it is no version, or older than any of the rules here.
    """
    match = _VERSION.match(text)
    if match is None:
        raise HomenodeProblem("version", text, "is no kubelet version", "write it like 1.35")
    version = (int(match[1]), int(match[2]))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise HomenodeProblem(
            "version", text, f"is older than {oldest}", f"upgrade the kubelet to {oldest} or later"
        )
    return version
