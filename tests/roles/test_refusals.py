# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles refuse, before they touch a host."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from roles.local_ansible import Ansible
from tools.staging import COLLECTIONS


def apply(role: str, **variables: object) -> dict[str, object]:
    return {"ansible.builtin.include_role": {"name": f"homenode.numa.{role}"}, "vars": variables}


def test_what_is_not_built_says_so(ansible: Ansible) -> None:
    said = ansible.playbook([apply("nri_memtierd", nri_memtierd_state="present")])
    assert "is not built yet, so nothing was changed" in " ".join(said.split())
    assert said.endswith("\n2\n")


def test_what_is_not_built_has_nothing_to_take_away(ansible: Ansible) -> None:
    said = ansible.playbook([apply("nri_memtierd", nri_memtierd_state="absent")])
    assert "failed=0" in said
    assert "changed=0" in said


@pytest.mark.parametrize(
    ("role", "variables", "says"),
    [
        ("cri_rm", {"cri_rm_policy": "bogus"}, "value of cri_rm_policy must be one of"),
        ("agent", {"agent_state": "gone"}, "value of agent_state must be one of"),
        ("agent", {"agent_python": "/nowhere/python3"}, 'agent_python "/nowhere/python3"'),
        ("agent", {"agent_metrics_listen": "unix:/tmp/x"}, "may only make sockets in its own"),
        ("agent", {"agent_metrics_textfile": "/no/where.prom"}, "there is no such folder"),
        ("agent", {"agent_release": "9.9.9-x"}, 'agent_release "9.9.9-x" is not installed'),
    ],
)
def test_a_bad_value_is_named_before_anything_is_done(
    ansible: Ansible, role: str, variables: dict[str, str], says: str
) -> None:
    said = " ".join(ansible.playbook([apply(role, **variables)]).split())
    assert says in said.replace('\\"', '"')
    assert "changed=0" in said


def test_the_agent_alone_pins_nothing(ansible: Ansible) -> None:
    """A section that is absent has its defaults, so the role says that pinning is off."""
    files = (COLLECTIONS / "ansible_collections/homenode/numa/roles/agent").glob("*s/main.yml")
    wanted = [path for path in files if path.parent.name in ("defaults", "vars")]
    tasks: list[Mapping[str, object]] = [
        {"ansible.builtin.include_vars": str(path)} for path in sorted(wanted)
    ]
    said = ansible.playbook([*tasks, {"ansible.builtin.debug": {"var": "__agent_sections"}}])
    assert '"pinning": null' in said
