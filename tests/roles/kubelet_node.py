# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scratch node for the role kubelet_numa: a folder, and runs of the role against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from roles.fake_kubelet import FakeKubelet
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
        self.config.parent.mkdir(parents=True)
        self.config.write_text(CONFIG)
        self.kubelet = FakeKubelet(folder.parent / "fake", self.config.parent, self.dropins)
        ansible.environment["PATH"] = self.kubelet.path

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
            "kubelet_numa_distribution": "kubeadm",
            "kubelet_numa_service": "kubelet",
            "kubelet_numa_restart": False,
            "kubelet_numa_healthz": "",
            "kubelet_numa_stays_up_s": 1,
            "kubelet_numa_start_timeout_s": 20,
            "kubelet_numa_boot_helper": "false",
            "__kubelet_numa_unit_folder": str(self.folder / "systemd"),
            "__kubelet_numa_boot_home": str(self.folder / "boot/lib"),
            "__kubelet_numa_boot_record": str(self.folder / "boot/record"),
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


def settings(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def reserved(path: Path) -> int:
    """The sum of the drop-in's reservedMemory, in MiB."""
    shares = [entry["limits"]["memory"] for entry in settings(path)["reservedMemory"]]
    return sum(int(share.removesuffix("Mi")) for share in shares)
