# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubelet_numa drains with kubernetes.core where that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roles.fake_kubernetes_core import install
from roles.kubelet_node import LATENCY, Node
from roles.local_ansible import Ansible

ROLLOUT: dict[str, Any] = {
    **LATENCY,
    "kubelet_numa_restart": True,
    "kubelet_numa_node_name": "localhost",
    "kubelet_numa_drain_timeout_s": 5,
}
DAEMON = {
    "metadata": {"name": "daemon", "ownerReferences": [{"kind": "DaemonSet"}]},
    "status": {"phase": "Running"},
}
SLOW = {
    "metadata": {"name": "slow", "ownerReferences": [{"kind": "ReplicaSet"}]},
    "status": {"phase": "Running"},
}
STAYS = {**SLOW, "metadata": {"name": "stays", "ownerReferences": [{"kind": "ReplicaSet"}]}}


@pytest.fixture
def node(ansible: Ansible, tmp_path: Path) -> Iterator[Node]:
    found = Node(ansible, tmp_path / "node")
    install(ansible, found.kubelet, tmp_path / "core")
    found.kubelet.start()
    yield found
    found.kubelet.end()


def test_the_collection_comes_before_kubectl_and_waits_for_pods(node: Node) -> None:
    node.kubelet.set(pods=[SLOW, DAEMON])
    assert "failed=0" in node.apply(**ROLLOUT)
    services = ["systemctl stop", "systemctl start"]
    assert node.kubelet.calls() == [
        *("cordon", "drain", "pods", "pods"),
        *services,
        *("ready", "uncordon"),
    ]
    assert not node.kubelet.state()["cordoned"]


def test_pods_that_stay_keep_the_kubelet_as_it_is(node: Node) -> None:
    node.kubelet.set(pods=[STAYS])
    before = node.files()
    said = node.apply(**ROLLOUT)
    assert "Nothing was written." in said
    assert node.files() == before
    assert node.kubelet.calls() == ["cordon", "drain", "pods", "pods", "uncordon"]


def test_a_disruption_budget_is_waited_for(node: Node) -> None:
    node.kubelet.set(stubborn=True)
    said = node.apply(**ROLLOUT)
    assert "violate the pod's disruption budget" in said
    assert node.kubelet.calls() == ["cordon", "drain", "drain", "uncordon"]
    assert not node.dropin.exists()


def test_a_node_that_the_cluster_does_not_know(node: Node) -> None:
    said = node.apply(**{**ROLLOUT, "kubelet_numa_node_name": "elsewhere"})
    assert 'kubelet_numa_node_name "elsewhere": the cluster has no such node' in said
    assert node.kubelet.calls() == []
