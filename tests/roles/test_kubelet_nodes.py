# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet_config_info as a task, on a recorded node of each distribution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.kubelet.distributions import TABLE
from roles.local_ansible import Ansible

NODES = Path(__file__).resolve().parents[1] / "nodes"
LOOKED = {
    "kubeadm": ("kubeadm", "kubelet", "dropin"),
    "kubespray": ("kubespray", "kubelet", "dropin"),
    "rke2": ("rke2", "rke2-server", "dropin"),
    "rke2-1.31": ("rke2", "rke2-agent", "kubelet_args"),
    "k3s": ("k3s", "k3s", "dropin"),
    "eks-al2": ("eks-al2", "kubelet", "dropin"),
    "eks-al2023": ("eks-al2023", "kubelet", "dropin"),
    "upstream": ("upstream", "kubelet", "dropin"),
}


def unpack(name: str, folder: Path) -> None:
    """A recorded node as a folder; the format is that of tests/machines."""
    place = folder
    for line in (NODES / f"{name}.node").read_text().splitlines():
        if line.startswith("/"):
            place = folder / line[1:]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("")
        elif line.startswith("  "):
            with place.open("a") as file:
                file.write(f"{line[2:]}\n")


def test_every_recorded_node_in_one_play(ansible: Ansible, tmp_path: Path) -> None:
    for name in LOOKED:
        unpack(name, tmp_path / "nodes" / name)
    look = {
        "homenode.numa.kubelet_config_info": {
            "root": f"{tmp_path}/nodes/{{{{ item }}}}",
            "version": "{{ '1.31.9' if '1.31' in item else '1.35.4' }}",
        },
        "loop": list(LOOKED),
        "register": "looked",
    }
    keep = {
        "ansible.builtin.copy": {
            "content": "{{ looked.results | to_json }}",
            "dest": str(tmp_path / "looked.json"),
            "mode": "0600",
        },
    }
    said = ansible.playbook([look, keep])
    results: list[dict[str, Any]] = json.loads((tmp_path / "looked.json").read_text())
    found = {
        result["item"]: (
            result["distribution"],
            result["destination"]["unit"],
            result["destination"]["form"],
        )
        for result in results
    }
    assert found == LOOKED
    assert "is replaced whole by flag --kube-reserved" in said
    assert "not-to-be-seen" not in said
    assert not any(result["changed"] for result in results)


def test_every_distribution_is_recorded() -> None:
    assert {found for found, _unit, _form in LOOKED.values()} | {"bottlerocket"} == set(TABLE)


@pytest.mark.parametrize("options", [{"root": "nowhere"}, {"distribution": "bottlerocket"}])
def test_a_node_that_cannot_be_told_fails_the_task(
    ansible: Ansible, tmp_path: Path, options: dict[str, str]
) -> None:
    given = {name: value.replace("nowhere", str(tmp_path)) for name, value in options.items()}
    result = ansible.module("kubelet_config_info", **given)
    assert "FAILED!" in result["printed"]
    assert result["problem"]["field"] == "distribution"
    assert result["problem"]["remedy"] in result["msg"]


def test_a_half_written_file_fails_the_task_or_is_tolerated(
    ansible: Ansible, tmp_path: Path
) -> None:
    unpack("kubeadm", tmp_path / "node")
    config = tmp_path / "node/var/lib/kubelet/config.yaml"
    config.write_text("kind: KubeletConfiguration\nevictionHard: {memory")
    given = {"root": str(tmp_path / "node"), "version": "1.35.4"}
    result = ansible.module("kubelet_config_info", **given)
    assert result["msg"].startswith("/var/lib/kubelet/config.yaml: line 2")
    assert result["problems"][0]["source"] == "/var/lib/kubelet/config.yaml"
    result = ansible.module("kubelet_config_info", **given, tolerate_unreadable=True)
    assert "FAILED!" not in result["printed"]
    assert result["effective"] is None
    assert result["unreadable"][0]["source"] == "/var/lib/kubelet/config.yaml"
