# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubelet_numa on a scratch node: a life from the first look to the last trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from roles.kubelet_node import CONFIG, LATENCY, Node, reserved, settings
from roles.local_ansible import Ansible


@pytest.fixture
def node(ansible: Ansible, tmp_path: Path) -> Node:
    return Node(ansible, tmp_path / "node")


def test_a_life(node: Node) -> None:
    before = node.files()

    said = node.apply("--check", "--diff", **LATENCY)
    assert '+memoryManagerPolicy: "Static"' in said
    assert "changed=1" in said
    assert node.files() == before

    said = node.apply(**LATENCY)
    assert "kube 256Mi + system 512Mi + eviction 100Mi (compiled-in default" in said
    assert "changed=1" in said
    assert reserved(node.dropin) == 868
    assert settings(node.dropin)["topologyManagerPolicy"] == "single-numa-node"
    assert node.config.read_text() == CONFIG

    written = node.files()
    said = node.apply(**LATENCY)
    assert "changed=0" in said
    assert node.files() == written
    assert '"to_do": []' in said

    said = node.apply("--diff", **{**LATENCY, "kubelet_numa_system_reserved": {"memory": "1Gi"}})
    assert '- memory: "512Mi" + memory: "1Gi"' in said
    assert reserved(node.dropin) == 1380

    assert "changed=1" in node.apply("--check", kubelet_numa_state="absent")
    assert node.dropin.exists()
    assert "changed=1" in node.apply(kubelet_numa_state="absent")
    assert node.files() == before
    assert "changed=0" in node.apply(kubelet_numa_state="absent")


def test_a_folder_that_was_there_stays_with_what_is_in_it(node: Node) -> None:
    node.dropins.mkdir()
    other = node.dropins / "10-site.conf"
    head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    other.write_text(f"{head}systemReserved: {{memory: 1Gi}}\n")
    before = node.files()
    node.apply(**{**LATENCY, "kubelet_numa_system_reserved": {}})
    assert reserved(node.dropin) == 1380
    node.apply(kubelet_numa_state="absent")
    assert node.files() == before


def test_observing_writes_nothing_and_tells_the_need(node: Node) -> None:
    before = node.files()
    said = node.apply()
    assert f"(compiled-in default, because no evictionHard in {node.config}) = 100Mi" in said
    assert "changed=0" in said
    assert node.files() == before


def test_a_node_without_a_kubelet_is_told_what_one_would_need(node: Node) -> None:
    node.config.unlink()
    assert "no kubelet here; one by kubeadm would need" in node.apply(kubelet_numa_flags=["v=2"])


NUMBERS = f"{CONFIG}kubeReserved: {{memory: 1e9}}\n"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a value that is none": (
        {"kubelet_numa_profile": "bogus"},
        "value of kubelet_numa_profile must be one of",
    ),
    "a policy that is none": (
        {"kubelet_numa_topology_manager_policy": "strict"},
        "value of kubelet_numa_topology_manager_policy must be one of",
    ),
    "no CPU for the static policy": (
        {"kubelet_numa_kube_reserved": {}},
        'kubelet_numa_kube_reserved.cpu "0": [cpumanager] unable to determine reserved CPU'
        " resources for static policy; reserve at least one CPU, as kubelet_numa_kube_reserved.cpu",
    ),
    "a quantity that is none": (
        {"kubelet_numa_system_reserved": {"memory": "512MB"}},
        'kubelet_numa_system_reserved.memory "512MB": --system-reserved value failed to parse',
    ),
    "a number for a text": (
        {"kubelet_numa_system_reserved": {"cpu": 1}},
        'kubelet_numa_system_reserved.cpu "1": json: cannot unmarshal number into Go struct',
    ),
    "more than the machine has": (
        {"kubelet_numa_system_reserved": {"memory": "64Ti"}},
        "kubelet_numa_reserved_memory_split of NUMA node 0",
    ),
    "a split that does not add up": (
        {"kubelet_numa_reserved_memory_split": {0: "1Gi"}},
        "adds up to 1Gi, not to 868Mi",
    ),
    "a node that is not there": (
        {"kubelet_numa_reserved_memory_split": {4711: "868Mi"}},
        "kubelet_numa_reserved_memory_split[4711]",
    ),
    "a flag that wins": (
        {"kubelet_numa_flags": ["--topology-manager-policy=none"]},
        'kubelet_numa_topology_manager_policy "single-numa-node": has no effect:'
        " 'none' wins, from flag --topology-manager-policy",
    ),
    "another folder": (
        {"kubelet_numa_flags": ["--config-dir=/etc/elsewhere"]},
        'Its --config-dir is "/etc/elsewhere". Set the variable to that',
    ),
    "a kubelet that is too new": (
        {"kubelet_numa_version": "2.0"},
        'kubelet_numa_version "2.0": is newer than',
    ),
    "a kubelet that is too old": ({"kubelet_numa_version": "1.20"}, "is older than 1.28"),
    "a name that kubelets ignore": (
        {"kubelet_numa_dropin_name": "50-numa.yaml"},
        "end it in .conf",
    ),
    "another's key in the extra ones": (
        {"kubelet_numa_extra_config": {"cpuManagerPolicy": "none", "maxPods": 20}},
        'kubelet_numa_extra_config "cpuManagerPolicy"',
    ),
    "two ways to reserve CPUs": (
        {"kubelet_numa_reserved_cpus": 1, "kubelet_numa_reserved_system_cpus": "0"},
        'kubelet_numa_reserved_system_cpus "0" say two things',
    ),
    "nobody who drains": (
        {"kubelet_numa_restart": True, "kubelet_numa_drain": "none"},
        "nobody drains the node, and the kubelet has to be restarted",
    ),
    "a collection that is not there": (
        {"kubelet_numa_restart": True, "kubelet_numa_drain": "kubernetes_core"},
        "the controller has no collection kubernetes.core",
    ),
}


def test_bad_values_are_named_and_nothing_is_written(node: Node) -> None:
    before = node.files()
    said = node.refused([{**LATENCY, **variables} for variables, _words in REFUSED.values()])
    unsaid = {
        name: message
        for (name, (_variables, words)), message in zip(REFUSED.items(), said)
        if words not in message
    }
    assert unsaid == {}
    assert node.files() == before


BROKEN = {
    "half written": ("kind: KubeletConfiguration\nevictionHard: {memory", "line 2"),
    "no mapping": ("- 1\n", "is not a mapping"),
    "a bare exponent": (NUMBERS, "cannot unmarshal number into Go struct field"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named_and_nothing_is_written(node: Node, text: str, words: str) -> None:
    node.config.write_text(text)
    before = node.files()
    said = node.apply(**LATENCY)
    assert words in said
    assert f"{node.config}: " in said
    assert node.files() == before


def test_a_drop_in_without_its_kind_is_named(node: Node) -> None:
    node.dropins.mkdir()
    (node.dropins / "10-site.conf").write_text("maxPods: 20\n")
    said = node.apply(**LATENCY)
    assert "10-site.conf: apiVersion" in said
    assert not node.dropin.exists()


def test_a_file_of_somebody_else_is_not_touched(node: Node) -> None:
    node.dropins.mkdir()
    node.dropin.write_text(CONFIG)
    for variables in (LATENCY, {"kubelet_numa_state": "absent"}):
        assert "was written by somebody else" in node.apply(**variables)
        assert node.dropin.read_text() == CONFIG


def test_what_is_left_to_do_is_said(node: Node) -> None:
    state = node.config.parent / "memory_manager_state"
    state.write_text(json.dumps({"policyName": "None", "machineState": {}, "checksum": 1}))
    said = node.apply(**LATENCY)
    assert "drain the node, stop kubelet, and delete memory_manager_state" in said
    assert "restart kubelet" in said


def test_other_keys_come_along(node: Node) -> None:
    node.apply(**LATENCY, kubelet_numa_extra_config={"maxPods": 20})
    assert settings(node.dropin)["maxPods"] == 20


def test_two_owners_of_one_key_are_refused(node: Node) -> None:
    node.dropins.mkdir()
    other = node.dropins / "10-site.conf"
    head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    other.write_text(f"{head}topologyManagerPolicy: restricted\n")
    assert f"is also set by {other}, to 'restricted'" in node.apply(**LATENCY)
    assert not node.dropin.exists()
