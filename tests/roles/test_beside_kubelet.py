# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role cri_rm beside a kubelet that decides too: what it says, takes over, and refuses."""

from __future__ import annotations

from roles.local_ansible import Ansible

BASE = {
    "cpuManagerPolicy": "static",
    "memoryManagerPolicy": "Static",
    "reservedSystemCPUs": "0,4",
}


def beside(ansible: Ansible, base: dict[str, str], **variables: object) -> str:
    """Only the step that looks at the kubelet; then what the agent would be told."""
    effective = "{{ base | homenode.numa.kubelet_effective }}"
    look = {
        "ansible.builtin.include_role": {
            "name": "homenode.numa.cri_rm",
            "tasks_from": "beside_kubelet",
            "public": True,
        },
        "vars": {"base": base, "kubelet_numa_result": {"effective": effective}, **variables},
    }
    told = {
        "ansible.builtin.debug": {"msg": "reserved {{ __cri_rm_reserved | to_json }}"},
        "vars": look["vars"],
    }
    return " ".join(ansible.playbook([look, told]).replace('\\"', '"').split())


def test_the_kubelets_reserved_cpus_become_the_agents(ansible: Ansible) -> None:
    said = beside(ansible, BASE)
    assert 'reserved "0,4"' in said
    assert "cpuManagerPolicy static: the kubelet chooses the CPUs" in said
    assert "memoryManagerPolicy Static: the kubelet chooses the memory nodes" in said


def test_a_stock_kubelet_decides_nothing(ansible: Ansible) -> None:
    said = beside(ansible, {})
    assert 'reserved ""' in said
    assert "the kubelet chooses" not in said


def test_another_set_is_refused_by_its_variable(ansible: Ansible) -> None:
    said = beside(ansible, BASE, cri_rm_reserved_cpus="0-1")
    assert 'cri_rm_reserved_cpus "0-1" is not what the kubelet reserves (0,4' in said
    assert "Remedy: make both 0,4" in said
    assert said.endswith(" 2")
