# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role cri_rm and the files for schedulers: where they may lie, and who tells the cluster."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from roles.local_ansible import Ansible

OBJECT = {"kind": "NodeResourceTopology", "metadata": {"name": "worker-1"}, "zones": []}
KUBECTL = f"""#!{sys.executable}
import pathlib, sys
folder = pathlib.Path(__file__).parent
words = [word for word in sys.argv[1:] if not word.startswith("--")]
with open(folder / "calls", "a") as calls:
    print(*words, file=calls)
known, given = folder / "known", "" if "delete" in words else sys.stdin.read()
if "diff" in words:
    sys.exit(not known.exists() or known.read_text() != given)
if "apply" in words:
    known.write_text(given)
if "delete" in words and known.exists():
    known.unlink()
    print("deleted")
"""


class Cluster:
    """A kubectl that knows one object, and the file that it is applied from."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self._ansible, self._folder = ansible, folder
        self.file = folder / "nrt.json"
        command = folder / "kubectl"
        command.write_text(KUBECTL)
        command.chmod(0o755)
        ansible.environment["PATH"] = f"{folder}:{os.environ['PATH']}"

    def run(self, tasks_from: str, **variables: object) -> str:
        given = {"cri_rm_node_resource_topology": str(self.file), **variables}
        return " ".join(self._ansible.playbook([step(tasks_from, given)]).split())

    def calls(self) -> list[str]:
        return (self._folder / "calls").read_text().splitlines()


def step(tasks_from: str, variables: dict[str, object]) -> dict[str, object]:
    role = {"name": "homenode.numa.cri_rm", "tasks_from": tasks_from, "public": True}
    return {"ansible.builtin.include_role": role, "vars": variables}


@pytest.fixture
def cluster(ansible: Ansible, tmp_path: Path) -> Cluster:
    (tmp_path / "cluster").mkdir()
    return Cluster(ansible, tmp_path / "cluster")


def test_an_object_is_applied_where_the_cluster_knows_another(cluster: Cluster) -> None:
    cluster.file.write_text(json.dumps(OBJECT))
    assert "changed=1" in cluster.run("export")
    assert "changed=0" in cluster.run("export")
    assert cluster.calls() == ["diff", "apply", "diff"]


def test_it_is_deleted_by_its_name(cluster: Cluster) -> None:
    assert "changed=0" in cluster.run("unexport"), "nothing was written yet"
    cluster.file.write_text(json.dumps(OBJECT))
    cluster.run("export")
    assert "changed=1" in cluster.run("unexport")
    assert "changed=0" in cluster.run("unexport")
    assert cluster.calls()[-1] == "delete noderesourcetopologies.topology.node.k8s.io worker-1"


def test_applying_nothing_is_refused(cluster: Cluster) -> None:
    said = cluster.run("export", cri_rm_node_resource_topology="")
    assert "give cri_rm_node_resource_topology a path" in said


def test_a_folder_that_is_not_there_is_refused(ansible: Ansible) -> None:
    variables: dict[str, object] = {"cri_rm_node_features": "/no/where/homenode"}
    said = " ".join(ansible.playbook([step("unit", variables)]).split())
    assert "/no/where/homenode: there is no such folder on the host" in said
    assert "changed=0" in said


def test_what_the_agent_is_told_and_allowed(ansible: Ansible) -> None:
    variables: dict[str, object] = {
        "kubelet_numa_result": {"effective": "{{ {} | homenode.numa.kubelet_effective }}"},
        "cri_rm_node_resource_topology": "/run/homenode/nrt.json",
        "cri_rm_node_features": "/etc/features.d/homenode",
        "cri_rm_node_name": "worker-1",
    }
    shown = "{{ [__cri_rm_sections.exports, __cri_rm_unit_lines] | to_json }}"
    told = {"ansible.builtin.debug": {"msg": f"told {shown}"}, "vars": variables}
    said = ansible.playbook([step("beside_kubelet", variables), told]).replace('\\"', '"')
    found = json.JSONDecoder().raw_decode(said[said.index("told ") + 5 :])[0]
    assert found == [
        {
            "node_resource_topology": "/run/homenode/nrt.json",
            "node_features": "/etc/features.d/homenode",
            "node_name": "worker-1",
        },
        ["ReadWritePaths=/etc/features.d"],
    ]
