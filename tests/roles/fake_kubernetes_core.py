# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two modules of kubernetes.core that the role uses, on the cluster of ``fake_kubelet``.

They take the options of the real ones and do what those do: a drain whose time is over says so in
a warning only, and one that a disruption budget forbids fails at once. Besides, a Python package
``kubernetes``, which is looked for.
"""

from __future__ import annotations

from pathlib import Path

from roles.fake_kubelet import FakeKubelet
from roles.local_ansible import Ansible

HEAD = '''#!/usr/bin/python
DOCUMENTATION = """
module: @name@
short_description: A module of the tests
description: [It looks like the real one.]
"""
import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

HERE = Path("@here@")
STATE = json.loads((HERE / "state.json").read_text())


def note(text):
    with (HERE / "calls").open("a") as file:
        file.write(text + "\\n")


def keep():
    (HERE / "state.json").write_text(json.dumps(STATE))

'''
INFO = """
module = AnsibleModule(
    argument_spec={
        "kind": {"type": "str"},
        "name": {"type": "str"},
        "field_selectors": {"type": "list", "elements": "str", "default": []},
        "kubeconfig": {"type": "raw"},
        "wait": {"type": "bool", "default": False},
        "wait_condition": {
            "type": "dict",
            "options": {"type": {"type": "str"}, "status": {"type": "str"}},
        },
        "wait_timeout": {"type": "int", "default": 120},
    }
)
given = module.params
if given["kind"] == "Pod":
    note("pods")
    found = list(STATE["pods"])
    if STATE["pods"] and STATE["pods"][0]["metadata"]["name"] == "slow":
        del STATE["pods"][0]
        keep()
    module.exit_json(resources=found)
if given["wait"]:
    note("ready")
known = given["name"] == STATE["node"]
module.exit_json(
    resources=[{"spec": {"unschedulable": True} if STATE["cordoned"] else {}}] if known else []
)
"""
DRAIN = """
module = AnsibleModule(
    argument_spec={
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["cordon", "drain", "uncordon"], "default": "drain"},
        "kubeconfig": {"type": "raw"},
        "delete_options": {
            "type": "dict",
            "options": {
                "terminate_grace_period": {"type": "int"},
                "force": {"type": "bool", "default": False},
                "ignore_daemonsets": {"type": "bool", "default": False},
                "delete_emptydir_data": {"type": "bool", "default": False},
                "disable_eviction": {"type": "bool", "default": False},
                "wait_timeout": {"type": "int"},
                "wait_sleep": {"type": "int", "default": 5},
            },
        },
    }
)
state = module.params["state"]
note(state)
if state == "drain":
    if STATE["stubborn"]:
        module.fail_json(msg="Failed to delete pod default/web due to: Cannot evict pod as it would"
                         " violate the pod's disruption budget.")
    if STATE["pods"]:
        module.warn("timeout reached while pods were still running.")
else:
    STATE["cordoned"] = state == "cordon"
    keep()
module.exit_json(changed=True)
"""


def install(ansible: Ansible, kubelet: FakeKubelet, folder: Path) -> None:
    """Put the collection and the package where this *ansible* finds them."""
    modules = folder / "ansible_collections/kubernetes/core/plugins/modules"
    modules.mkdir(parents=True)
    for name, text in (("k8s_info", INFO), ("k8s_drain", DRAIN)):
        head = HEAD.replace("@here@", str(kubelet.folder)).replace("@name@", name)
        (modules / f"{name}.py").write_text(head + text)
    package = folder / "python/kubernetes"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    paths = ansible.environment
    paths["ANSIBLE_COLLECTIONS_PATH"] = f"{paths['ANSIBLE_COLLECTIONS_PATH']}:{folder}"
    paths["PYTHONPATH"] = str(package.parent)
    kubelet.set(pods=[])
