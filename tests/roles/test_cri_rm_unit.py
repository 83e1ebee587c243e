# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role cri_rm has the agent's unit allowed: what was asked for, and no more."""

from __future__ import annotations

import json
from typing import Any

from roles.local_ansible import Ansible

CLOCKS, CGROUPS = "ReadWritePaths=/sys/devices/system/cpu", "ProtectControlGroups=no"
IDLE_STATES, INTERRUPTS = "CapabilityBoundingSet=CAP_SYS_ADMIN", "ProtectKernelTunables=no"
SLOW = {"name": "slow", "maxFreq": "2GHz"}
SINK = {"name": "io", "irqMode": "sink"}

ASKED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing": ({}, set()),
    "home-node knows no classes": ({"cri_rm_balloons": {"cpuClasses": [SLOW]}}, set()),
    "bypass": ({"cri_rm_runtime_mode": "bypass"}, {CGROUPS}),
    "annotations may claim interrupts": ({"cri_rm_policy": "topology-aware"}, {INTERRUPTS}),
    "annotations may not": (
        {
            "cri_rm_policy": "topology-aware",
            "cri_rm_topology_aware": {"controllableInterrupts": []},
        },
        set(),
    ),
    "clocks": (
        {"cri_rm_policy": "balloons", "cri_rm_balloons": {"cpuClasses": [SLOW]}},
        {CLOCKS},
    ),
    "classes in their older form": (
        {
            "cri_rm_policy": "balloons",
            "cri_rm_balloons": {"control": {"cpu": {"classes": {"slow": {"maxFreq": 2000000}}}}},
        },
        {CLOCKS},
    ),
    "idle states": (
        {
            "cri_rm_policy": "balloons",
            "cri_rm_balloons": {"cpuClasses": [SLOW, {"name": "a", "disabledCstates": ["C6"]}]},
        },
        {CLOCKS, IDLE_STATES},
    ),
    "a whole object": (
        {"cri_rm_policy_object": {"kind": "BalloonsPolicy", "spec": {"balloonTypes": [SINK]}}},
        {INTERRUPTS},
    ),
}


def test_the_unit_is_opened_for_what_is_asked(ansible: Ansible) -> None:
    """All rows in one play: each is one task."""
    role = {"name": "homenode.numa.cri_rm", "tasks_from": "beside_kubelet", "public": True}
    known = {"kubelet_numa_result": {"effective": "{{ {} | homenode.numa.kubelet_effective }}"}}
    message = "row {{ __cri_rm_unit_lines | to_json }}"
    said = ansible.playbook(
        [
            {"ansible.builtin.include_role": role, "vars": known},
            *(
                {"ansible.builtin.debug": {"msg": message}, "vars": variables}
                for variables, _lines in ASKED.values()
            ),
        ]
    ).replace('\\"', '"')
    read = json.JSONDecoder().raw_decode
    rows = [set(read(rest)[0]) for rest in said.split('"msg": "row ')[1:]]
    opened = {CLOCKS, CGROUPS, IDLE_STATES, INTERRUPTS}
    expected = {name: lines for name, (_variables, lines) in ASKED.items()}
    assert {name: row & opened for name, row in zip(ASKED, rows)} == expected
    assert rows[0] == set()
