# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubelet settings as arguments of RKE2 and k3s."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.homenode.numa.plugins.filter import rke2_kubelet_args as plugin

ARGS = plugin.FilterModule().filters()["rke2_kubelet_args"]

ARTICLE = [
    "cpu-manager-policy=static",
    "kube-reserved=cpu=1,memory=1Gi",
    "memory-manager-policy=Static",
    "reserved-memory=0:memory=2Gi",
    "system-reserved=memory=1Gi",
    "topology-manager-policy=single-numa-node",
    "topology-manager-scope=pod",
]

ANSWERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "flags": (
        {
            "topology-manager-policy": "single-numa-node",
            "topology-manager-scope": "pod",
            "cpu-manager-policy": "static",
            "memory-manager-policy": "Static",
            "reserved-memory": "0:memory=2Gi",
            "kube-reserved": {"cpu": 1, "memory": "1Gi"},
            "system-reserved": "memory=1Gi",
        },
        ARTICLE,
    ),
    "keys of a KubeletConfiguration": (
        {
            "topologyManagerPolicy": "single-numa-node",
            "topologyManagerScope": "pod",
            "cpuManagerPolicy": "static",
            "memoryManagerPolicy": "Static",
            "reservedMemory": [{"numaNode": 0, "limits": {"memory": "2Gi"}}],
            "kubeReserved": {"memory": "1Gi", "cpu": "1"},
            "systemReserved": {"memory": "1Gi"},
        },
        ARTICLE,
    ),
    "a list is repeated in its order": (
        {"reserved-memory": ["1:memory=2Gi", "0:memory=1Gi"]},
        ["reserved-memory=1:memory=2Gi", "reserved-memory=0:memory=1Gi"],
    ),
    "records under the flag's name": (
        {"reserved-memory": [{"numaNode": n, "limits": {"memory": "1Gi"}} for n in (0, 10)]},
        ["reserved-memory=0:memory=1Gi", "reserved-memory=10:memory=1Gi"],
    ),
    "dashes in front": ({"--max-pods": 250}, ["max-pods=250"]),
    "booleans": ({"failSwapOn": False}, ["fail-swap-on=false"]),
    "thresholds": (
        {"evictionHard": {"nodefs.available": "5%", "memory.available": "100Mi"}},
        ["eviction-hard=memory.available<100Mi,nodefs.available<5%"],
    ),
    "reclaim has an equals sign": (
        {"evictionMinimumReclaim": {"nodefs.available": "10%"}},
        ["eviction-minimum-reclaim=nodefs.available=10%"],
    ),
    "options of a policy, one item each": (
        {"cpuManagerPolicyOptions": {"strict-cpu-reservation": True, "full-pcpus-only": "true"}},
        [
            "cpu-manager-policy-options=full-pcpus-only=true",
            "cpu-manager-policy-options=strict-cpu-reservation=true",
        ],
    ),
    "an empty map empties the kubelet's": ({"eviction-hard": {}}, ["eviction-hard="]),
    "an empty list": ({"reservedMemory": []}, []),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_settings_become_items(name: str) -> None:
    settings, wanted = ANSWERS[name]
    assert ARGS(settings) == wanted


REFUSED: dict[str, tuple[Any, str]] = {
    "no map": (["a=1"], "settings"),
    "an unknown key": ({"imageGCHighThresholdPercent": 80}, "imageGCHighThresholdPercent"),
    "the same flag twice": ({"kubeReserved": {}, "kube-reserved": "cpu=1"}, "--kube-reserved"),
    "quotes": ({"reserved-memory": '"0:memory=2Gi"'}, "quotes"),
    "no value": ({"kube-reserved": None}, "kube-reserved"),
    "a map in a map": ({"kubeReserved": {"cpu": {}}}, r"kubeReserved\.cpu"),
    "the comma form": (
        {"reserved-memory": "0:memory=1Gi,1:memory=1Gi"},
        "the reserved memory has incorrect format",
    ),
    "a reservation without node": ({"reservedMemory": [{"limits": {}}]}, "numaNode"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_kubelet_takes_is_named(name: str) -> None:
    settings, words = REFUSED[name]
    with pytest.raises(AnsibleFilterError, match=words):
        ARGS(settings)


@given(st.dictionaries(st.from_regex(r"x-[a-z]{1,4}", fullmatch=True), st.integers()), st.data())
def test_equal_settings_give_equal_items(settings: dict[str, int], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(settings.items()))))
    assert ARGS(settings) == ARGS(shuffled) == sorted(ARGS(settings))
