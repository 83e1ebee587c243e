# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubelet settings as kubespray's variables, against what its template does with them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import kubespray_variables as plugin
from ansible_collections.homenode.numa.plugins.plugin_utils.kubespray import (
    ALWAYS,
    OWN,
    RESERVED,
    WHERE_DEFINED,
)

VARIABLES = plugin.FilterModule().filters()["kubespray_variables"]


def each(*shares: str) -> list[dict[str, Any]]:
    return [{"numaNode": n, "limits": {"memory": share}} for n, share in enumerate(shares)]


ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "policies": (
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cpuManagerPolicy": "static",
            "topologyManagerPolicy": "restricted",
            "topologyManagerScope": "pod",
            "memoryManagerPolicy": "None",
            "topologyManagerPolicyOptions": {"prefer-closest-numa-nodes": True},
        },
        {
            "kubelet_cpu_manager_policy": "static",
            "kubelet_topology_manager_policy": "restricted",
            "kubelet_topology_manager_scope": "pod",
            "kubelet_config_extra_args": {
                "memoryManagerPolicy": "None",
                "topologyManagerPolicyOptions": {"prefer-closest-numa-nodes": "true"},
            },
        },
    ),
    "the sum with kubespray's amounts": (
        {"memoryManagerPolicy": "Static", "reservedMemory": each("868Mi")},
        {
            "kubelet_config_extra_args": {
                "memoryManagerPolicy": "Static",
                "reservedMemory": each("868Mi"),
            }
        },
    ),
    "amounts": (
        {
            "kubeReserved": {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "1Gi"},
            "systemReserved": {"pid": "2000"},
        },
        {
            "kube_cpu_reserved": "1",
            "kube_memory_reserved": "1Gi",
            "kube_ephemeral_storage_reserved": "1Gi",
            "system_pid_reserved": "2000",
        },
    ),
    "cgroups": (
        {
            "systemReservedCgroup": "/system.slice",
            "enforceNodeAllocatable": ["pods", "system-reserved"],
        },
        {
            "system_reserved": True,
            "system_reserved_cgroups": "/system.slice",
            "kubelet_enforce_node_allocatable": "pods,system-reserved",
        },
    ),
    "options with texts": (
        {"cpuManagerPolicy": "static", "cpuManagerPolicyOptions": {"full-pcpus-only": True}},
        {
            "kubelet_cpu_manager_policy": "static",
            "kubelet_cpu_manager_policy_options": {"full-pcpus-only": "true"},
        },
    ),
    "eviction": (
        {"evictionHard": {"memory.available": "500Mi"}},
        {"eviction_hard": {"memory.available": "500Mi"}},
    ),
    "no eviction: the template leaves an empty map out": (
        {"evictionHard": {}},
        {"kubelet_config_extra_args": {"evictionHard": {}}},
    ),
    "swap": (
        {"failSwapOn": False, "memorySwap": {"swapBehavior": "NoSwap"}},
        {"kubelet_fail_swap_on": False, "kubelet_swap_behavior": "NoSwap"},
    ),
    "gates": (
        {"featureGates": {"MemoryQoS": True, "NodeSwap": False}},
        {"kubelet_feature_gates": ["MemoryQoS=true", "NodeSwap=false"]},
    ),
    "a list of CPUs": (
        {"reservedSystemCPUs": "0,48"},
        {"kubelet_config_extra_args": {"reservedSystemCPUs": "0,48"}},
    ),
    "nothing said": ({"maxPods": None}, {}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_key_has_one_place(name: str) -> None:
    settings, wanted = ANSWERS[name]
    assert VARIABLES(settings) == wanted


COMPUTED: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "kubespray's amounts and the default of eviction": ({}, each("434Mi", "434Mi")),
    "amounts of one's own": ({"kubeReserved": {"memory": "1Gi"}}, each("818Mi", "818Mi")),
    "eviction without memory": (
        {"evictionHard": {"nodefs.available": "5%"}},
        each("384Mi", "384Mi"),
    ),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_reserved_memory_is_computed_over_what_kubespray_adds(name: str) -> None:
    settings, wanted = COMPUTED[name]
    found = VARIABLES({"memoryManagerPolicy": "Static", **settings}, numa=["4Gi", "4Gi"])
    assert found["kubelet_config_extra_args"]["reservedMemory"] == wanted


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no map": ([], {}, "settings"),
    "a sum without kubespray's amounts": (
        {"memoryManagerPolicy": "Static", "reservedMemory": each("100Mi")},
        {},
        "the total amount .*100Mi.* is not equal to the value .*868Mi.*kube 256Mi",
    ),
    "no sum and no machine": (
        {"memoryManagerPolicy": "Static"},
        {},
        "the total amount .*0.* is not equal to the value .*868Mi",
    ),
    "a share above its node": (
        {"memoryManagerPolicy": "Static", "reservedMemory": each("868Mi")},
        {"numa": ["500Mi", "4Gi"]},
        "more than the node has",
    ),
    "written by kubespray": ({"clusterDNS": ["10.0.0.10"]}, {}, "clusterDNS.*twice.*dns_mode"),
    "swap while it stops the kubelet": (
        {"memorySwap": {"swapBehavior": "NoSwap"}},
        {},
        "failSwapOn",
    ),
    "an amount of something else": ({"kubeReserved": {"gpu": "1"}}, {}, r"kubeReserved\.gpu"),
    "a map that is none": ({"kubeReserved": "cpu=1"}, {}, "kubeReserved"),
    "an exponent": (
        {"evictionHard": {"memory.available": "1e9"}},
        {},
        r"evictionHard\.memory\.available.*quotes",
    ),
    "an old version": ({}, {"version": "1.27"}, "version"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_kubespray_or_the_kubelet_would_spoil_is_refused(name: str) -> None:
    settings, named, words = REFUSED[name]
    with pytest.raises(AnsibleFilterError, match=words):
        VARIABLES(settings, **named)


def test_no_key_is_written_in_two_ways() -> None:
    """The three tables say who writes a key, so they must not share one."""
    assert not set(ALWAYS) & set(WHERE_DEFINED)
    assert not (set(ALWAYS) | set(WHERE_DEFINED)) & set(OWN)
    variables = [*ALWAYS.values(), *WHERE_DEFINED.values()]
    assert len(variables) == len(set(variables))


@pytest.mark.parametrize("key", sorted({**ALWAYS, **WHERE_DEFINED}))
def test_a_key_with_a_variable_never_goes_through_the_extra_arguments(key: str) -> None:
    assert VARIABLES({key: "a"}) == {{**ALWAYS, **WHERE_DEFINED}[key]: "a"}


def test_what_kubespray_reserves_is_known() -> None:
    assert {scope: amounts["memory"] for scope, amounts in RESERVED.items()} == {
        "kube": "256Mi",
        "system": "512Mi",
    }
    assert {scope: amounts["cpu"] for scope, amounts in RESERVED.items()} == {
        "kube": "100m",
        "system": "500m",
    }
