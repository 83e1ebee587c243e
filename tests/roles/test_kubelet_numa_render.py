# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubelet_numa plans machines that do not exist yet, for every distribution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from roles.local_ansible import Ansible

GIB = 1 << 30
MACHINE = {
    "nodes": [
        {"id": 0, "cpus": "0-47", "memory": {"total_bytes": 188 * GIB}},
        {"id": 1, "cpus": "48-95", "memory": {"total_bytes": 188 * GIB}},
    ]
}
OWN = {"kubelet_numa_kube_reserved": {"cpu": "1", "memory": "1Gi"}}
CLOUD = {"kubelet_numa_planned_base": {"kubeReserved": {"cpu": "310m", "memory": "8362Mi"}}}

PLANNED: dict[str, tuple[dict[str, Any], str, str]] = {
    "kubeadm": (OWN, "1124Mi", '    memory: "562Mi"\n  numaNode: 1\n'),
    "kubespray": ({}, "868Mi", "kubelet_topology_manager_policy: single-numa-node\n"),
    "rke2": (OWN, "1Gi", "kubelet-arg+:\n- cpu-manager-policy=static\n"),
    "k3s": (OWN, "1Gi", "- reserved-memory=1:memory=512Mi\n"),
    "eks-al2023": (CLOUD, "8462Mi", "kind: NodeConfig\n"),
    "eks-al2": (CLOUD, "8462Mi", "--reserved-memory=0:memory=4231Mi"),
    "bottlerocket": (CLOUD, "8462Mi", 'memory = "4231Mi"\n'),
}
"""By distribution: what is given, the need, and words of the text."""


def test_every_distribution_is_planned_for(ansible: Ansible, tmp_path: Path) -> None:
    said = planned(ansible, tmp_path / "said", list(PLANNED))
    for name, (_given, need, words) in PLANNED.items():
        assert said[name]["need"] == need, name
        assert words in said[name]["text"], name


def test_a_plan_without_its_facts_is_refused(ansible: Ansible) -> None:
    role: dict[str, Any] = {"name": "homenode.numa.kubelet_numa", "tasks_from": "render"}
    asked = {
        "kubelet_numa_planned_distribution": "eks-al2",
        "kubelet_numa_planned_numa": MACHINE,
        "kubelet_numa_profile": "latency",
    }
    said = ansible.playbook([{"ansible.builtin.include_role": role, "vars": asked}])
    assert "the images of EKS reserve by instance type" in " ".join(said.split())
    del asked["kubelet_numa_planned_numa"]
    said = ansible.playbook([{"ansible.builtin.include_role": role, "vars": asked}])
    assert "give both" in said


def planned(ansible: Ansible, report: Path, names: list[str]) -> dict[str, Any]:
    tasks: list[dict[str, Any]] = []
    role = {"name": "homenode.numa.kubelet_numa", "tasks_from": "render"}
    for name in names:
        asked = {
            "kubelet_numa_planned_distribution": name,
            "kubelet_numa_planned_numa": MACHINE,
            "kubelet_numa_profile": "latency",
            **PLANNED[name][0],
        }
        line = {
            "name": name,
            "need": "{{ kubelet_numa_result.need.quantity }}",
            "text": "{{ kubelet_numa_rendered }}",
        }
        note = {
            "path": str(report),
            "create": True,
            "mode": "0600",
            "line": "{{ note | to_json }}",
            "insertafter": "EOF",
        }
        tasks += [
            {"ansible.builtin.include_role": role, "vars": asked},
            {"ansible.builtin.lineinfile": note, "vars": {"note": line}},
        ]
    ansible.playbook(tasks)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    return {line["name"]: line for line in lines}
