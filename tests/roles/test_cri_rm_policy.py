# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role cri_rm tells the agent for each policy, and that the agent takes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from roles.local_ansible import Ansible

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "files/agent"), str(ROOT / "plugins/module_utils")]

from homenode.intent.balloons_object import BALLOON_TYPE, BALLOONS  # noqa: E402
from homenode.intent.config import parse_config  # noqa: E402  (needs the paths above)
from homenode.intent.topology_aware_object import TOPOLOGY_AWARE  # noqa: E402

OBJECT = {
    "apiVersion": "config.nri/v1alpha1",
    "kind": "BalloonsPolicy",
    "metadata": {"name": "default"},
    "spec": {"reservedResources": {"cpu": "1"}, "balloonTypes": [{"name": "db", "minCPUs": 2}]},
}


def sections(ansible: Ansible, **variables: object) -> dict[str, Any]:
    """The drop-in's content for these variables, on a node whose kubelet reserves CPUs 0 and 4."""
    effective = "{{ {'reservedSystemCPUs': '0,4'} | homenode.numa.kubelet_effective }}"
    given = {"kubelet_numa_result": {"effective": effective}, **variables}
    look = {
        "ansible.builtin.include_role": {
            "name": "homenode.numa.cri_rm",
            "tasks_from": "beside_kubelet",
            "public": True,
        },
        "vars": given,
    }
    told = {
        "ansible.builtin.debug": {"msg": "told {{ __cri_rm_sections | to_json }} end"},
        "vars": given,
    }
    said = " ".join(ansible.playbook([look, told]).replace('\\"', '"').split())
    found = json.loads(said[said.index("told ") + 5 : said.index(" end")])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("variables", "pinning"),
    [
        (
            {"cri_rm_policy": "topology-aware"},
            {
                "policy": "topology-aware",
                "spec": {
                    "pinCPU": True,
                    "pinMemory": True,
                    "reservedResources": {"cpu": "cpuset:0,4"},
                },
            },
        ),
        (
            {
                "cri_rm_policy": "topology-aware",
                "cri_rm_topology_aware": {"pinCPU": False, "reservedResources": {"cpu": "750m"}},
            },
            {
                "policy": "topology-aware",
                "spec": {
                    "pinCPU": False,
                    "pinMemory": True,
                    "reservedResources": {"cpu": "750m"},
                },
            },
        ),
        (
            {"cri_rm_policy_object": OBJECT},
            {
                "policy": "balloons",
                "spec": {
                    "pinCPU": True,
                    "pinMemory": True,
                    "reservedResources": {"cpu": "1"},
                    "balloonTypes": [{"name": "db", "minCPUs": 2}],
                },
            },
        ),
    ],
)
def test_what_the_agent_is_told(
    ansible: Ansible, variables: dict[str, object], pinning: dict[str, Any]
) -> None:
    told = sections(ansible, **variables)
    assert told["pinning"] == pinning
    config = parse_config(told, source="drop-in")
    assert config.pinning is not None
    assert config.pinning.spec is not None


def test_bypass_is_told_with_its_socket(ansible: Ansible) -> None:
    told = sections(ansible, cri_rm_runtime_mode="bypass", cri_rm_cri_socket="/run/x.sock")
    assert told["runtime"] == {"mode": "bypass", "cri_socket": "/run/x.sock"}
    assert parse_config(told, source="drop-in").runtime.mode == "bypass"


SPEC_FILE = ROOT / "roles/cri_rm/meta/argument_specs.yml"
OPTIONS = yaml.safe_load(SPEC_FILE.read_text())["argument_specs"]["main"]["options"]


def test_the_role_knows_the_keys_that_the_agent_knows() -> None:
    balloons = OPTIONS["cri_rm_balloons"]["options"]
    assert set(OPTIONS["cri_rm_topology_aware"]["options"]) == set(TOPOLOGY_AWARE)
    assert set(balloons) == set(BALLOONS)
    assert set(balloons["balloonTypes"]["options"]) == set(BALLOON_TYPE)
