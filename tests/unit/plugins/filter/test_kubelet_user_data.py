# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""User data: what goes in comes out again, read as the machine reads it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from email import message_from_string
from typing import Any

import pytest
import tomllib  # type: ignore[import-not-found]  # mypy looks at Python 3.10
import yaml
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.homenode.numa.plugins.filter import kubelet_effective
from ansible_collections.homenode.numa.plugins.filter.kubelet_user_data import FilterModule

user_data: Callable[..., str] = FilterModule().filters()["kubelet_user_data"]
effective: Callable[..., Any] = kubelet_effective.FilterModule().filters()["kubelet_effective"]

NUMA: dict[str, Any] = {
    "cpuManagerPolicy": "static",
    "cpuManagerPolicyOptions": {"full-pcpus-only": "true"},
    "memoryManagerPolicy": "Static",
    "topologyManagerPolicy": "single-numa-node",
    "topologyManagerScope": "pod",
    "reservedMemory": [
        {"numaNode": 0, "limits": {"memory": "4226Mi"}},
        {"numaNode": 1, "limits": {"memory": "4236Mi"}},
    ],
}
CLUSTER = {
    "name": "west",
    "apiServerEndpoint": "https://ABC.gr7.eu-west-1.eks.amazonaws.com",
    "certificateAuthority": "LS0tLS1CRUdJTg==",
    "cidr": "10.100.0.0/16",
}


def node_config(settings: dict[str, Any], **options: Any) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(user_data(settings, "eks-al2023", **options))
    return read


def kubernetes(settings: dict[str, Any], **options: Any) -> dict[str, Any]:
    read = tomllib.loads(user_data(settings, "bottlerocket", **options))
    assert list(read) == ["settings"]
    assert list(read["settings"]) == ["kubernetes"]
    within: dict[str, Any] = read["settings"]["kubernetes"]
    return within


def flags(settings: dict[str, Any]) -> list[str]:
    option, value = shlex.split(user_data(settings, "eks-al2"))
    assert option == "--kubelet-extra-args"
    return value.split()


def test_node_config() -> None:
    assert node_config(NUMA) == {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {"kubelet": {"config": NUMA}},
    }


def test_node_config_without_settings() -> None:
    assert node_config({"cpuManagerPolicy": None})["spec"] == {"kubelet": {"config": {}}}


def test_node_config_with_its_cluster() -> None:
    assert node_config(NUMA, cluster=CLUSTER)["spec"]["cluster"] == CLUSTER


def test_every_text_is_quoted() -> None:
    settings = {"kubeReserved": {"memory": "1e9", "cpu": "1"}, "topologyManagerScope": "pod"}
    text = user_data(settings, "eks-al2023")
    assert 'cpu: "1"' in text
    assert 'memory: "1e9"' in text
    assert 'topologyManagerScope: "pod"' in text


def test_reserved_cpus_empty_the_cgroups_of_nodeadm() -> None:
    config = node_config({"reservedSystemCPUs": "0,48"})["spec"]["kubelet"]["config"]
    assert config == {
        "reservedSystemCPUs": "0,48",
        "kubeReservedCgroup": "",
        "systemReservedCgroup": "",
    }


def test_node_config_in_mime() -> None:
    message = message_from_string(user_data(NUMA, "eks-al2023", mime=True))
    assert message.get_content_type() == "multipart/mixed"
    (part,) = list(message.walk())[1:]
    assert part.get_content_type() == "application/node.eks.aws"
    assert yaml.safe_load(str(part.get_payload())) == node_config(NUMA)


def test_bottlerocket() -> None:
    assert kubernetes(NUMA) == {
        "cpu-manager-policy": "static",
        "cpu-manager-policy-options": ["full-pcpus-only"],
        "memory-manager-policy": "Static",
        "topology-manager-policy": "single-numa-node",
        "topology-manager-scope": "pod",
        "memory-manager-reserved-memory": {
            "0": {"enabled": True, "memory": "4226Mi"},
            "1": {"enabled": True, "memory": "4236Mi"},
        },
    }


def test_bottlerocket_maps_and_numbers() -> None:
    settings = {
        "kubeReserved": {"cpu": "310m", "memory": "8362Mi", "ephemeral-storage": "1Gi"},
        "evictionHard": {"memory.available": "100Mi"},
        "maxPods": 737,
        "singleProcessOOMKill": False,
        "memorySwap": {"swapBehavior": "LimitedSwap"},
        "reservedSystemCPUs": "0,48",
        "kubeReservedCgroup": "",
        "systemReservedCgroup": "",
    }
    assert kubernetes(settings, cluster=CLUSTER) == {
        "api-server": CLUSTER["apiServerEndpoint"],
        "cluster-certificate": CLUSTER["certificateAuthority"],
        "cluster-name": "west",
        "eviction-hard": {"memory.available": "100Mi"},
        "kube-reserved": settings["kubeReserved"],
        "max-pods": 737,
        "memory-swap-behavior": "LimitedSwap",
        "reserved-cpus": "0,48",
        "single-process-oom-kill": False,
    }


def test_bottlerocket_has_no_policy_without_reserved_memory() -> None:
    assert kubernetes({"memoryManagerPolicy": "None"}) == {}


@pytest.mark.parametrize("off", ["false", "0"])
def test_bottlerocket_lists_options_that_are_on(off: str) -> None:
    options = {"full-pcpus-only": "true", "strict-cpu-reservation": off}
    assert kubernetes({"cpuManagerPolicyOptions": options}) == {
        "cpu-manager-policy-options": ["full-pcpus-only"]
    }


def test_bootstrap_arguments_are_read_by_a_kubelet_as_they_were_meant() -> None:
    whole = {"cpu": "1", "memory": "8362Mi", "ephemeral-storage": "1Gi"}
    settings = {**NUMA, "kubeReserved": whole, "evictionHard": {"memory.available": "100Mi"}}
    read = effective({"kubeReserved": {"cpu": "310m"}}, flags=flags(settings))
    assert read["errors"] == []
    assert {key: read["config"][key] for key in settings} == settings


def test_bootstrap_arguments_are_one_shell_word() -> None:
    settings = {"evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%"}}
    wanted = "--kubelet-extra-args '--eviction-hard=memory.available<100Mi,nodefs.available<10%'\n"
    assert user_data(settings, "eks-al2") == wanted


def test_bootstrap_arguments_with_max_pods() -> None:
    text = user_data({"cpuManagerPolicy": "static", "maxPods": 110}, "eks-al2")
    wanted = (
        "--use-max-pods false --kubelet-extra-args '--cpu-manager-policy=static --max-pods=110'"
    )
    assert text == wanted + "\n"


def test_bootstrap_drops_the_cgroups_beside_reserved_cpus() -> None:
    settings = {"reservedSystemCPUs": "0", "kubeReservedCgroup": "", "systemReservedCgroup": ""}
    assert flags(settings) == ["--reserved-cpus=0"]


def test_the_article_s_line_is_refused_with_what_a_kubelet_would_say() -> None:
    """kubelet.md §0: the flag wipes the memory of the file that the line counts on."""
    settings = {
        "memoryManagerPolicy": "Static",
        "reservedMemory": [{"numaNode": 0, "limits": {"memory": "8462Mi"}}],
        "kubeReserved": {"cpu": "1"},
    }
    with pytest.raises(AnsibleFilterError) as caught:
        user_data(settings, "eks-al2")
    said = str(caught.value)
    assert "kubeReserved" in said
    assert 'total amount "8462Mi" is not equal to the value "100Mi"' in said
    assert "leave kubeReserved out" in said


def entries(*limits: Any) -> dict[str, Any]:
    return {"reservedMemory": [{"numaNode": 0, "limits": each} for each in limits]}


AL2, AL2023, BR = "eks-al2", "eks-al2023", "bottlerocket"
COMPLAINTS: dict[str, tuple[Any, str, dict[str, Any], str]] = {
    "no map": ("kind: x", AL2023, {}, "is not a mapping"),
    "an unknown distribution": ({}, "rke2", {}, "eks-al2023, bottlerocket, eks-al2"),
    "a number for a text": ({"kubeReserved": {"cpu": 1}}, AL2023, {}, "kubeReserved.cpu"),
    "small letters": ({"memoryManagerPolicy": "static"}, AL2023, {}, "None, Static"),
    "capital letters": ({"cpuManagerPolicy": "Static"}, BR, {}, "none, static"),
    "huge pages": (entries({"hugepages-2Mi": "10Mi"}), AL2023, {}, "take no huge pages"),
    "a share of zero": (entries({"memory": "0"}), BR, {}, "leave the node out"),
    "a share below zero": (entries({"memory": "-1Mi"}), AL2, {}, "not above zero"),
    "a node twice": (entries({"memory": "1"}, {"memory": "1"}), BR, {}, "two entries"),
    "no limits": (entries({}), AL2023, {}, "limits"),
    "no quantity": (entries({"memory": "lots"}), AL2023, {}, "quantities must match"),
    "a node of text": ({"reservedMemory": [{"numaNode": "0"}]}, AL2023, {}, "of type int32"),
    "a cgroup beside reserved CPUs": (
        {"reservedSystemCPUs": "0", "kubeReservedCgroup": "/runtime"},
        AL2023,
        {},
        "excludes reservedSystemCPUs",
    ),
    "an unknown cluster key": ({}, AL2023, {"cluster": {"nam": "x"}}, "certificateAuthority"),
    "a cluster as flags": ({}, AL2, {"cluster": CLUSTER}, "bootstrap.sh"),
    "MIME around TOML": ({}, BR, {"mime": True}, "no NodeConfig"),
    "no setting": ({"topologyManagerPolicyOptions": {}}, BR, {}, "no setting in Bottlerocket"),
    "a cgroup": ({"kubeReservedCgroup": "/x"}, BR, {}, "no setting in Bottlerocket"),
    "a policy that would be left out": (
        {"memoryManagerPolicy": "Static"},
        BR,
        {},
        "Bottlerocket leaves the policy out",
    ),
    "a policy without shares": (
        {"memoryManagerPolicy": "Static", "reservedMemory": []},
        AL2023,
        {},
        "total amount of 0",
    ),
    "an option too new": (
        {"cpuManagerPolicyOptions": {"strict-cpu-reservation": "true"}},
        BR,
        {"version": "1.31"},
        "before Kubernetes 1.32",
    ),
    "a setting too new": (
        {"singleProcessOOMKill": True},
        BR,
        {"version": "1.31"},
        "before Kubernetes 1.32",
    ),
    "an option that it has not": (
        {"cpuManagerPolicyOptions": {"align-by-socket": "true"}},
        BR,
        {},
        "align-by-socket",
    ),
    "an option that is no truth": (
        {"cpuManagerPolicyOptions": {"full-pcpus-only": "maybe"}},
        BR,
        {},
        "neither true nor false",
    ),
    "a number as text": ({"maxPods": "110"}, BR, {}, "is no int"),
    "a truth as number": ({"maxPods": True}, BR, {}, "is no int"),
    "processes reserved": ({"systemReserved": {"pid": "1000"}}, BR, {}, "systemReserved.pid"),
    "swap as text": ({"memorySwap": "LimitedSwap"}, BR, {}, "swapBehavior"),
    "no flag": ({"serializeImagePulls": False}, AL2, {}, "serializeImagePulls"),
    "eviction lost": ({"evictionHard": {"nodefs.available": "5%"}}, AL2, {}, "memory.available"),
    "a quote": ({"kubeReservedCgroup": "it's"}, AL2, {}, "quotes"),
    "a space": ({"kubeReservedCgroup": "/a b"}, AL2, {}, "quotes"),
}


@pytest.mark.parametrize(
    ("settings", "distribution", "options", "words"), COMPLAINTS.values(), ids=COMPLAINTS
)
def test_complaints(settings: Any, distribution: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        user_data(settings, distribution, **options)
    assert str(caught.value).startswith("homenode.numa.kubelet_user_data: ")
    assert words in str(caught.value)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_any_text_survives(values: dict[str, str]) -> None:
    settings = {"evictionHard": values}
    config = node_config(settings)["spec"]["kubelet"]["config"]
    assert (config["evictionHard"] or {}) == values
    assert kubernetes(settings)["eviction-hard"] == values
