# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters that plan nodes of managed Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import (
    aks_kube_reserved,
    eks_kube_reserved,
    eks_max_pods,
    gke_kube_reserved,
    kubelet_effective,
    kubelet_reservation,
)

FILTERS: dict[str, Callable[..., Any]] = {}
for _plugin in (
    aks_kube_reserved,
    eks_kube_reserved,
    eks_max_pods,
    gke_kube_reserved,
    kubelet_effective,
    kubelet_reservation,
):
    FILTERS.update(_plugin.FilterModule().filters())

EKS = {
    "t3.medium": (17, 442, 542),
    "m5.large": (29, 574, 674),
    "m5.xlarge": (58, 893, 993),
    "m5.4xlarge": (234, 2829, 2929),
    "c6in.32xlarge": (394, 4589, 4689),
    "c8gn.48xlarge": (590, 6745, 6845),
    "g7e.48xlarge": (632, 7207, 7307),
    "m5.24xlarge": (737, 8362, 8462),
    "hpc7a.96xlarge": (100, 1355, 1455),
    "p5.48xlarge": (100, 1355, 1455),
    "p5en.48xlarge": (198, 2433, 2533),
    "trn1.32xlarge": (247, 2972, 3072),
    "i8ge.48xlarge": (1178, 13213, 13313),
    "r8i.96xlarge": (1514, 16909, 17009),
    "m8a.48xlarge": (1514, 16909, 17009),
}
"""Pods, MiB of kubeReserved, and MiB that a kubelet with memory policy Static needs."""


@pytest.mark.parametrize(("instance_type", "figures"), EKS.items(), ids=EKS)
@pytest.mark.parametrize("generation", ["al2", "al2023", "bottlerocket"])
def test_eks(instance_type: str, figures: tuple[int, int, int], generation: str) -> None:
    pods, kept, need = figures
    assert FILTERS["eks_max_pods"](instance_type) == pods
    reserved = FILTERS["eks_kube_reserved"](pods, vcpus=96, generation=generation)
    assert reserved == {"cpu": "310m", "memory": f"{kept}Mi", "ephemeral-storage": "1Gi"}
    base = {"kubeReserved": reserved}
    name = generation if generation == "bottlerocket" else f"eks-{generation}"
    effective = FILTERS["kubelet_effective"](base, distribution=name)
    assert FILTERS["kubelet_reservation"](effective)["bytes"] == need << 20


def test_the_article_s_node() -> None:
    assert 255 + 11 * FILTERS["eks_max_pods"]("m5.24xlarge") + 100 == 8462


ANSWERS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], Any]] = {
    "prefixes": ("eks_max_pods", ("m5.large",), {"prefix_delegation": True}, 434),
    "prefixes, capped": (
        "eks_max_pods",
        ("m5.large",),
        {"prefix_delegation": True, "cap": True, "vcpus": 2},
        110,
    ),
    "capped with many CPUs": ("eks_max_pods", ("m5.24xlarge",), {"cap": True, "vcpus": "96"}, 250),
    "custom networking": ("eks_max_pods", ("m5.24xlarge",), {"custom_networking": True}, 688),
    "fewer interfaces": ("eks_max_pods", ("m5.24xlarge",), {"cni_max_eni": 2}, 100),
    "bare metal of i3": ("eks_max_pods", ("i3en.metal",), {"prefix_delegation": True}, 11762),
    "bottlerocket without max-pods": (
        "eks_kube_reserved",
        (None,),
        {"vcpus": 4, "generation": "bottlerocket"},
        {"cpu": "80m", "ephemeral-storage": "1Gi"},
    ),
    "early 2020": (
        "eks_kube_reserved",
        (None,),
        {"vcpus": 2, "generation": "al2-2020-01", "mem_total": 7680 << 20},
        {"cpu": "70m", "memory": "1740Mi", "ephemeral-storage": "1Gi"},
    ),
    "a type that nodeadm does not know": (
        "eks_kube_reserved",
        (110, 96),
        {},
        {"cpu": "310m", "memory": "1465Mi", "ephemeral-storage": "1Gi"},
    ),
    "aks": ("aks_kube_reserved", (30, 4, "16Gi"), {}, {"cpu": "140m", "memory": "650Mi"}),
    "aks, a quarter at most": (
        "aks_kube_reserved",
        (70, 2, "4Gi"),
        {},
        {"cpu": "100m", "memory": "1024Mi"},
    ),
    "aks before 1.29": (
        "aks_kube_reserved",
        (110, 2, "7Gi"),
        {"version": "1.28"},
        {"cpu": "100m", "memory": "1638Mi"},
    ),
    "gke": ("gke_kube_reserved", ("16Gi", 4), {}, {"cpu": "80m", "memory": "2662Mi"}),
}

COMPLAINTS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], str]] = {
    "an unknown type": ("eks_max_pods", ("m5.25xlarge",), {}, '"m5.25xlarge"'),
    "no type": ("eks_max_pods", (5,), {}, '"5"'),
    "a cap without CPUs": ("eks_max_pods", ("m5.large",), {"cap": True}, "vcpus"),
    "text for a truth": ("eks_max_pods", ("m5.large",), {"cap": "yes"}, 'cap "yes"'),
    "no interface": ("eks_max_pods", ("m5.large",), {"cni_max_eni": 0}, 'cni_max_eni "0"'),
    "prefixes on Xen": ("eks_max_pods", ("m4.large",), {"prefix_delegation": True}, "Nitro"),
    "an unknown image": ("eks_kube_reserved", (1, 1, "al1"), {}, "al2-2020-01"),
    "no pods": ("eks_kube_reserved", (None, 4), {}, "pods"),
    "negative pods": ("eks_kube_reserved", (-1, 4), {}, 'pods "-1"'),
    "pods as a truth": ("eks_kube_reserved", (True, 4), {}, 'pods "True"'),
    "no CPUs": ("eks_kube_reserved", (1, 0), {}, 'vcpus "0"'),
    "no memory": ("eks_kube_reserved", (1, 1, "al2-2020-01"), {}, "mem_total"),
    "memory that is none": ("gke_kube_reserved", ("lots", 1), {}, '"lots"'),
    "an old version": ("aks_kube_reserved", (1, 1, 1, "1.20"), {}, "1.20"),
}


@pytest.mark.parametrize(("name", "arguments", "named", "wanted"), ANSWERS.values(), ids=ANSWERS)
def test_answers(
    name: str, arguments: tuple[Any, ...], named: dict[str, Any], wanted: object
) -> None:
    assert FILTERS[name](*arguments, **named) == wanted


@pytest.mark.parametrize(
    ("name", "arguments", "named", "words"), COMPLAINTS.values(), ids=COMPLAINTS
)
def test_complaints_name_the_filter_and_the_value(
    name: str, arguments: tuple[Any, ...], named: dict[str, Any], words: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments, **named)
    assert str(caught.value).startswith(f"homenode.numa.{name}: ")
    assert words in str(caught.value)
