# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quantity and kubelet filters: what comes out for plain data, and how they complain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import (
    k8s_quantity,
    k8s_quantity_format,
    kubelet_effective,
    kubelet_reservation,
    kubelet_reserved_memory,
    kubelet_reserved_memory_flags,
    kubelet_verdict,
)

FILTERS: dict[str, Callable[..., Any]] = {}
for _plugin in (
    k8s_quantity,
    k8s_quantity_format,
    kubelet_effective,
    kubelet_reservation,
    kubelet_reserved_memory,
    kubelet_reserved_memory_flags,
    kubelet_verdict,
):
    FILTERS.update(_plugin.FilterModule().filters())

EKS = ["131821728Ki", "132118248Ki"]
NODES = [
    {
        "id": number,
        "cpus": "0-3",
        "kind": "dram",
        "package": number,
        "memory": {
            "total_bytes": (4 + number) << 30,
            "free_bytes": 1,
            "hugepages": {"2Mi": {"total": 512, "free": 0}, "1Gi": {"total": 1, "free": 1}},
        },
        "distances": {"0": 10, "1": 21},
    }
    for number in (0, 1)
]


def entries(*shares: str) -> list[dict[str, Any]]:
    return [{"numaNode": n, "limits": {"memory": share}} for n, share in enumerate(shares)]


ANSWERS: dict[str, tuple[str, tuple[Any, ...], Any]] = {
    "bytes": ("k8s_quantity", ("8462Mi",), 8873050112),
    "a number": ("k8s_quantity", (5,), 5),
    "thousandths": ("k8s_quantity", ("310m", "m"), 310),
    "an exponent": ("k8s_quantity", ("1e9",), 10**9),
    "canonical": ("k8s_quantity_format", (8873050112, "BinarySI"), "8462Mi"),
    "canonical by default": ("k8s_quantity_format", (1 << 30,), "1Gi"),
    "another form": ("k8s_quantity_format", ("1024Mi",), "1Gi"),
    "decimal": ("k8s_quantity_format", ("1500000k", "DecimalSI"), "1500M"),
    "with exponent": ("k8s_quantity_format", (10**9, "DecimalExponent"), "1e9"),
    "proportional": ("kubelet_reserved_memory", ("8462Mi", EKS), entries("4226Mi", "4236Mi")),
    "even": ("kubelet_reserved_memory", (8462 << 20, EKS, "even"), entries("4231Mi", "4231Mi")),
    "even over four": (
        "kubelet_reserved_memory",
        (8462 << 20, [{"id": n, "memory_total": "64Gi"} for n in range(4)], "even"),
        entries("2116Mi", "2116Mi", "2115Mi", "2115Mi"),
    ),
    "over facts": ("kubelet_reserved_memory", (1 << 30, NODES, "first"), entries("1Gi")),
    "by node": (
        "kubelet_reserved_memory",
        ("3Gi", NODES, {0: "1Gi", 1: "2Gi"}),
        entries("1Gi", "2Gi"),
    ),
    "flags": (
        "kubelet_reserved_memory_flags",
        (entries("4226Mi", "4236Mi"),),
        ["reserved-memory=0:memory=4226Mi", "reserved-memory=1:memory=4236Mi"],
    ),
}

COMPLAINTS: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "garbage": ("k8s_quantity", ("lots",), '"lots"'),
    "an empty text": ("k8s_quantity", ("",), "is not a quantity"),
    "no text": ("k8s_quantity", (None,), "None"),
    "a truth": ("k8s_quantity", (True,), "True"),
    "a float": ("k8s_quantity", (1.5,), "1.5"),
    "a fraction": ("k8s_quantity", ("310m",), "unit='m'"),
    "a unit that is none": ("k8s_quantity", ("1", "0"), "unit"),
    "a format that is none": ("k8s_quantity_format", (1, "Mi"), "BinarySI, DecimalSI"),
    "more than a node has": (
        "kubelet_reserved_memory",
        ("7Gi", NODES, {0: "3Gi", 1: "4Gi"}),
        "NUMA node 0",
    ),
    "not the total": ("kubelet_reserved_memory", ("3Gi", NODES, {0: "1Gi"}), "not to 3Gi"),
    "a total that is none": ("kubelet_reserved_memory", ("x", NODES), 'total "x"'),
    "text for a file": ("kubelet_effective", ("kind: KubeletConfiguration",), "from_yaml"),
    "text for drop-ins": ("kubelet_effective", ({}, "x"), "dropins"),
    "an unknown distribution": ("kubelet_effective", ({}, [], [], "minikube"), "minikube"),
    "an old kubelet": ("kubelet_effective", ({}, [], [], "upstream", "1.20"), "1.20"),
    "not an effective configuration": ("kubelet_reservation", ({"kubeReserved": {}},), "effective"),
    "flags of nothing": ("kubelet_reserved_memory_flags", ([{"numaNode": 0}],), "limits"),
}


@pytest.mark.parametrize(("name", "arguments", "wanted"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers(name: str, arguments: tuple[Any, ...], wanted: Any) -> None:
    assert FILTERS[name](*arguments) == wanted


@pytest.mark.parametrize(("name", "arguments", "words"), COMPLAINTS.values(), ids=COMPLAINTS.keys())
def test_complaints_name_the_filter_and_the_value(
    name: str, arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments)
    assert str(caught.value).startswith(f"homenode.numa.{name}: ")
    assert words in str(caught.value)


def test_from_sources_to_the_need() -> None:
    found = FILTERS["kubelet_effective"](
        {"kubeReserved": {"memory": "256Mi"}},
        dropins=[{"systemReserved": {"memory": "256Mi"}}, {"systemReserved": {"memory": "512Mi"}}],
        flags=["--topology-manager-policy=restricted"],
        distribution="kubeadm",
        version="1.34.2",
    )
    assert found["config"]["topologyManagerPolicy"] == "restricted"
    assert found["origins"]["systemReserved.memory"] == "drop-in 2"
    assert found["origins"]["evictionHard.memory.available"] == (
        "compiled-in default, because no evictionHard in the configuration file"
    )
    assert (found["version"], found["distribution"]) == ("1.34.2", "kubeadm")
    need = FILTERS["kubelet_reservation"](found)
    assert (need["bytes"], need["quantity"]) == (910163968, "868Mi")
    assert need["terms"] == {"kube": 268435456, "system": 536870912, "eviction": 104857600}


def test_a_percentage_needs_the_total() -> None:
    found = FILTERS["kubelet_effective"]({"evictionHard": {"memory.available": "5%"}})
    assert FILTERS["kubelet_reservation"](found, mem_total="64Gi")["bytes"] == 3435973888
    with pytest.raises(AnsibleFilterError, match="mem_total"):
        FILTERS["kubelet_reservation"](found)


def test_a_kubelet_without_a_file_has_no_default() -> None:
    found = FILTERS["kubelet_effective"](None)
    assert FILTERS["kubelet_reservation"](found)["bytes"] == 0


STATIC = {"memoryManagerPolicy": "Static", "kubeReserved": {"memory": "924Mi"}}
NUMA = {"nodes": NODES, "cpus": {"online": "0-3"}, "memory_total_bytes": 9 << 30}


def verdict(config: dict[str, Any], **options: object) -> Any:
    return FILTERS["kubelet_verdict"](FILTERS["kubelet_effective"](config), numa=NUMA, **options)


def test_a_kubelet_that_starts() -> None:
    found = verdict({**STATIC, "reservedMemory": entries("1Gi")})
    assert found == {"starts": True, "errors": [], "warnings": [], "reset": []}


def test_a_kubelet_that_refuses() -> None:
    found = verdict(STATIC)
    assert not found["starts"]
    assert found["errors"] == [
        'the total amount "0" of type "memory" is not equal to the value "1Gi"'
        " determined by Node Allocatable feature"
    ]


def test_a_share_above_its_node_starts_and_warns() -> None:
    config = {"memoryManagerPolicy": "Static", "kubeReserved": {"memory": "3996Mi"}}
    found = verdict({**config, "reservedMemory": entries("4Gi")})
    assert found["starts"]
    assert "NUMA node 0" in found["warnings"][0]


def test_a_state_file_of_another_policy_has_to_go() -> None:
    config = {**STATIC, "reservedMemory": entries("1Gi")}
    found = verdict(config, checkpoints={"memory_manager_state": {"policyName": "None"}})
    assert (found["starts"], found["reset"]) == (False, ["memory_manager_state"])
    assert 'configured policy "Static" differs' in found["errors"][0]
