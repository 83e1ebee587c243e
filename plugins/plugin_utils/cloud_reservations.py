# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""What managed Kubernetes keeps back on a node, by the providers' formulas; arithmetic only.

Memory is in bytes or, where a name says so, in MiB; CPU is in thousandths of a core. These figures
plan nodes that do not exist yet: on a living node its own effective configuration is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

MIB = 1 << 20
GIB = 1 << 30

ADDRESSES_PER_PREFIX = 16
"""A /28 prefix stands where one address stood (VPC CNI 1.9 and newer)."""
HOST_NETWORK_PODS = 2
"""aws-node and kube-proxy, which need no address of their own."""
CAP_FEW_CPUS, CAP_MANY_CPUS, MANY_CPUS = 110, 250, 31
"""The pods that AWS recommends at most: the second from so many vCPUs on."""

Band = tuple[Optional[int], int]
"""A width (None: all the rest), and how much of it is kept back, in ten-thousandths."""

EKS_CPU_BANDS: tuple[Band, ...] = ((1, 600), (1, 100), (2, 50), (None, 25))
"""In cores: 6% of the first, 1% of the second, 0.5% of the next two, 0.25% of the rest."""
MEMORY_BANDS_MIB: tuple[Band, ...] = (
    (4096, 2500),
    (4096, 2000),
    (8192, 1000),
    (114688, 600),
    (None, 200),
)
"""25% of the first 4 GiB, 20% of the next 4, 10% of 8, 6% of 112, 2% above 128: GKE's ladder, which
AKS before 1.29 and the EKS images of winter 2019/20 took over."""
SMALL_MACHINE_MIB = 255
"""What the ladder keeps back of a machine below 1 GiB."""
AKS_CPU_BANDS: tuple[Band, ...] = ((1, 600), (1, 400), (2, 200), (None, 100))
"""In cores, drawn through the sizes that AKS publishes: 1, 2, 4, 8, 16, 32 and 64."""


def eni_max_pods(
    enis: int,
    ipv4_per_eni: int,
    *,
    prefix_delegation: bool = False,
    custom_networking: bool = False,
    cni_max_eni: Optional[int] = None,
) -> int:
    """How many pods have an address; as AWS' max-pods-calculator counts them.

    The primary address of an interface is no pod's, and custom networking takes a whole interface.
    """
    usable = enis if cni_max_eni is None else min(enis, cni_max_eni)
    usable -= custom_networking
    each = (ipv4_per_eni - 1) * (ADDRESSES_PER_PREFIX if prefix_delegation else 1)
    return usable * each + HOST_NETWORK_PODS


def recommended(pods: int, vcpus: int) -> int:
    """*pods* under the limit that AWS recommends for so many vCPUs."""
    return min(pods, CAP_MANY_CPUS if vcpus >= MANY_CPUS else CAP_FEW_CPUS)


def eks_cpu_m(vcpus: int) -> int:
    """Thousandths of a core that every EKS image keeps back."""
    return _banded(vcpus, EKS_CPU_BANDS, 1000)


def eks_memory_mib(pods: int) -> int:
    """MiB since the AL2 images of 2020-04-23, and on AL2023 and Bottlerocket."""
    return 255 + 11 * pods


def ladder_mib(total_mib: int) -> int:
    """MiB by GKE's ladder, each band rounded down, as the AL2 images of 2019-11-19 had it."""
    return SMALL_MACHINE_MIB if total_mib <= 1024 else _banded(total_mib, MEMORY_BANDS_MIB, 1)


def gke_memory(total: int) -> int:
    """Bytes of *total* bytes that GKE keeps back, without the 100 MiB of eviction."""
    return SMALL_MACHINE_MIB * MIB if total < GIB else _banded(total // MIB, MEMORY_BANDS_MIB, MIB)


def aks_cpu_m(vcpus: int) -> int:
    """Thousandths of a core that AKS keeps back: 60, 100, 140, 180, 260, 420, 740 for 1 to 64."""
    return _banded(vcpus, AKS_CPU_BANDS, 1000)


def aks_memory_mib(pods: int, total: int) -> int:
    """MiB of *total* bytes on AKS 1.29 and newer: by pods, and a quarter at most."""
    return min(20 * pods + 50, total // 4 // MIB)


def _banded(amount: int, bands: Sequence[Band], scale: int) -> int:
    """The parts of *amount*, each times *scale* and rounded down."""
    kept = 0
    for width, share in bands:
        part = amount if width is None else min(amount, width)
        kept += part * share * scale // 10_000
        amount -= part
    return kept
