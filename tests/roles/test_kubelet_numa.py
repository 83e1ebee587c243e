# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubelet_numa on a scratch node: a life from the first look to the last trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from roles.local_ansible import Ansible

CONFIG = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
"""
LATENCY = {
    "kubelet_numa_profile": "latency",
    "kubelet_numa_kube_reserved": {"cpu": "500m", "memory": "256Mi"},
    "kubelet_numa_system_reserved": {"memory": "512Mi"},
}
NAME = "50-homenode-numa.conf"


class Node:
    """A folder with what kubeadm leaves on a node."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self.ansible = ansible
        self.folder = folder
        self.config = folder / "kubelet/config.yaml"
        self.dropins = folder / "kubelet.conf.d"
        self.dropin = self.dropins / NAME
        self.config.parent.mkdir()
        self.config.write_text(CONFIG)

    def apply(self, *flags: str, **variables: object) -> str:
        """One run of the role; what it printed, in one line."""
        shown = {"ansible.builtin.debug": {"var": "kubelet_numa_result"}}
        said = self.ansible.playbook([self._role(variables), shown], *flags)
        return " ".join(said.replace('\\"', '"').replace("\\n", " ").split())

    def refused(self, runs: list[dict[str, Any]]) -> list[str]:
        """Several runs of the role in one play; the message with which each of them failed."""
        report = self.folder.parent / "said"
        note = {
            "ansible.builtin.lineinfile": {
                "path": str(report),
                "create": True,
                "mode": "0600",
                "insertafter": "EOF",
                "line": "{{ [item, ansible_failed_result.msg] | to_json }}",
            },
            "check_mode": False,
        }
        self.ansible.playbook(
            [
                {
                    "block": [self._role(variables)],
                    "rescue": [{**note, "vars": {"item": number}}],
                }
                for number, variables in enumerate(runs)
            ]
        )
        said = dict(json.loads(line) for line in report.read_text().splitlines())
        return [said.get(number, "nothing failed") for number in range(len(runs))]

    def _role(self, variables: dict[str, Any]) -> dict[str, Any]:
        own = {
            "kubelet_numa_config_file": str(self.config),
            "kubelet_numa_dropin_dir": str(self.dropins),
            "kubelet_numa_state_dir": str(self.config.parent),
            "kubelet_numa_version": "1.35",
            "kubelet_numa_flags": [f"--config-dir={self.dropins}"],
        }
        return {
            "ansible.builtin.include_role": {"name": "homenode.numa.kubelet_numa"},
            "vars": {**own, **variables},
        }

    def files(self) -> dict[str, bytes]:
        """Every file of the node, by name."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else b""
            for path in sorted(self.folder.rglob("*"))
        }


@pytest.fixture
def node(ansible: Ansible, tmp_path: Path) -> Node:
    folder = tmp_path / "node"
    folder.mkdir()
    return Node(ansible, folder)


def settings(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def reserved(path: Path) -> int:
    """The sum of the drop-in's reservedMemory, in MiB."""
    shares = [entry["limits"]["memory"] for entry in settings(path)["reservedMemory"]]
    return sum(int(share.removesuffix("Mi")) for share in shares)


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
        'Its --config-dir is "/etc/elsewhere". Set the variable to that.',
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
    "a restart without the folder": (
        {"kubelet_numa_restart": True, "kubelet_numa_flags": ["v=2"]},
        "the kubelet has no --config-dir, so it would not read the drop-in",
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


def test_a_restart_into_an_old_state_file_is_refused(node: Node) -> None:
    state = node.config.parent / "memory_manager_state"
    state.write_text(json.dumps({"policyName": "None", "machineState": {}, "checksum": 1}))
    said = node.apply(**LATENCY, kubelet_numa_restart=True)
    assert "memory_manager_state" in said
    assert 'configured policy "Static" differs from state checkpoint policy "None"' in said
    assert not node.dropin.exists()
    said = node.apply(**LATENCY)
    assert "drain the node, stop the kubelet, and delete memory_manager_state" in said


def test_what_is_left_to_do_is_said(node: Node) -> None:
    said = node.apply(**LATENCY, kubelet_numa_flags=["v=2"])
    assert f"add --config-dir={node.dropins} to the flags of the kubelet" in said
    assert "restart the kubelet" in said
