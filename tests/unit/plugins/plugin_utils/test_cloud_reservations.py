# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The providers' formulas against what they publish and what nodes were seen to have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.homenode.numa.plugins.plugin_utils import cloud_reservations as clouds

EKS_CPU_M = {
    **{1: 60, 2: 70, 3: 75, 4: 80, 5: 82, 8: 90, 16: 110, 48: 190, 64: 230, 96: 310, 128: 390},
    **{192: 550, 224: 630, 448: 1190},
}
AKS_CPU_M = {1: 60, 2: 100, 4: 140, 8: 180, 16: 260, 32: 420, 64: 740}
LADDER_MIB = {512: 255, 1024: 255, 3876: 969, 7168: 1638, 7680: 1740, 786432: 22650}
GKE_GIB = {4: 1.0, 8: 1.8, 16: 2.6, 32: 3.56, 64: 5.48, 128: 9.32, 150: 9.76, 256: 11.88}
AKS_PODS_MIB = {(30, 64): 650, (110, 64): 2250, (250, 64): 5050, (70, 4): 1024}

ENIS: dict[str, tuple[int, int, dict[str, Any], int]] = {
    "plain": (15, 50, {}, 737),
    "prefixes": (3, 10, {"prefix_delegation": True}, 434),
    "custom networking": (3, 10, {"custom_networking": True}, 20),
    "both": (3, 10, {"prefix_delegation": True, "custom_networking": True}, 290),
    "fewer by the CNI": (15, 50, {"cni_max_eni": 2}, 100),
    "not more by the CNI": (3, 10, {"cni_max_eni": 9}, 29),
    "one that pods cannot have": (1, 50, {"custom_networking": True}, 2),
}


@pytest.mark.parametrize(("vcpus", "millicores"), EKS_CPU_M.items())
def test_eks_cpu(vcpus: int, millicores: int) -> None:
    assert clouds.eks_cpu_m(vcpus) == millicores


@pytest.mark.parametrize(("vcpus", "millicores"), AKS_CPU_M.items())
def test_aks_cpu(vcpus: int, millicores: int) -> None:
    assert clouds.aks_cpu_m(vcpus) == millicores


@pytest.mark.parametrize(("total", "kept"), LADDER_MIB.items())
def test_ladder(total: int, kept: int) -> None:
    assert clouds.ladder_mib(total) == kept


@pytest.mark.parametrize(("total", "kept"), GKE_GIB.items())
def test_gke_memory(total: int, kept: float) -> None:
    assert clouds.gke_memory(total * clouds.GIB) / clouds.GIB == pytest.approx(kept, abs=0.005)


def test_gke_below_a_gibibyte() -> None:
    assert clouds.gke_memory(clouds.GIB - 1) == 255 * clouds.MIB
    assert clouds.gke_memory(clouds.GIB) == 256 * clouds.MIB


@pytest.mark.parametrize(("case", "kept"), AKS_PODS_MIB.items())
def test_aks_memory(case: tuple[int, int], kept: int) -> None:
    pods, gib = case
    assert clouds.aks_memory_mib(pods, gib * clouds.GIB) == kept


def test_aks_example_of_its_documentation_with_thousands_of_mib() -> None:
    assert clouds.aks_memory_mib(70, 4000 * clouds.MIB) == 1000


@pytest.mark.parametrize(("enis", "addresses", "options", "pods"), ENIS.values(), ids=ENIS)
def test_pods_with_an_address(
    enis: int, addresses: int, options: dict[str, Any], pods: int
) -> None:
    assert clouds.eni_max_pods(enis, addresses, **options) == pods


@pytest.mark.parametrize(("vcpus", "most"), [(2, 110), (30, 110), (31, 250), (96, 250)])
def test_recommended(vcpus: int, most: int) -> None:
    assert clouds.recommended(737, vcpus) == most
    assert clouds.recommended(4, vcpus) == 4


@given(st.integers(1, 2000), st.integers(1, 100))
def test_more_cpus_never_keep_back_less(vcpus: int, more: int) -> None:
    for kept in (clouds.eks_cpu_m, clouds.aks_cpu_m):
        assert 0 < kept(vcpus) <= kept(vcpus + more) <= (vcpus + more) * 1000


@given(st.integers(1 << 20, 1 << 45), st.integers(0, 1 << 40))
def test_more_memory_never_keeps_back_less(total: int, more: int) -> None:
    assert clouds.gke_memory(total) <= clouds.gke_memory(total + more)
