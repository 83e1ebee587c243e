# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubelet_numa where the kubelet does not run and its log tells what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from roles.kubelet_node import CONFIG, LATENCY, Node, reserved
from roles.local_ansible import Ansible

ASKED = (
    'Nov 22 10:00:00 node kubelet[7]: E1122 10:00:00.000000 7 run.go:72] "command failed" err='
    '"failed to run Kubelet: the total amount \\"0\\" of type \\"memory\\" is not equal to the'
    ' value \\"868Mi\\" determined by Node Allocatable feature"\n'
)
HALF = "kind: KubeletConfiguration\nevictionHard: {memory"
FROM_LOG = {
    "kubelet_numa_profile": "latency",
    "kubelet_numa_reserved_system_cpus": "0",
}


@pytest.fixture
def node(ansible: Ansible, tmp_path: Path) -> Node:
    found = Node(ansible, tmp_path / "node")
    found.kubelet.set(active="inactive")
    (found.kubelet.folder / "journal").write_text(ASKED)
    return found


def test_the_need_of_the_log_is_divided_where_the_files_cannot_be_read(node: Node) -> None:
    node.config.write_text(HALF)
    said = node.apply(**FROM_LOG)
    assert '"need_from": "log"' in said
    assert reserved(node.dropin) == 868


def test_what_would_change_that_need_is_refused(node: Node) -> None:
    node.config.write_text(HALF)
    said = node.apply(**LATENCY)
    assert "kubelet_numa_kube_reserved" in said
    assert "changes the need, of which only the present value is known" in said
    assert not node.dropin.exists()


def test_observing_tells_it_too(node: Node) -> None:
    node.config.write_text(HALF)
    assert "868Mi, as the kubelet's log says" in node.apply()


def test_a_log_and_files_that_contradict_each_other_are_both_named(node: Node) -> None:
    said = node.apply(**LATENCY)
    assert 'log asks for "868Mi", but its files add up to "100Mi"' in said
    assert not node.dropin.exists()


def test_a_log_and_files_that_agree(node: Node) -> None:
    node.config.write_text(f"{CONFIG}systemReserved: {{memory: 768Mi}}\n")
    said = node.apply(**{**LATENCY, "kubelet_numa_system_reserved": {}})
    assert '"need_from": "configuration"' in said
    assert reserved(node.dropin) == 868 + 256
