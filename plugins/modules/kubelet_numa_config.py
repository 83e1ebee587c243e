#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a kubelet's NUMA settings as a drop-in, with the reserved memory that they need."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_numa_config
short_description: Write a kubelet's NUMA settings, with the reserved memory computed
version_added: 0.1.0
description:
  - Merges the settings with everything else that the kubelet reads, computes the memory that the
    memory manager's policy V(Static) needs, divides it over the NUMA nodes, and writes all of it as
    one drop-in.
  - Nothing is written if a kubelet would refuse the result, if a share does not fit its node, or if
    a flag or a later drop-in wins over a setting. The failure names setting, value and remedy.
  - A file that another program has put in the place of the drop-in is not touched.
  - The kubelet is not restarted. RV(stale) tells which state files would keep it from starting.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  state:
    description:
      - With V(absent), the drop-in is removed, and its folder too if this module has made it.
    type: str
    choices: [present, absent]
    default: present
  path:
    description:
      - The drop-in. The folder has to be the one that the kubelet's C(--config-dir) names, and the
        name has to end in C(.conf).
    type: path
    default: /etc/kubernetes/kubelet.conf.d/50-homenode-numa.conf
  settings:
    description:
      - Keys of a KubeletConfiguration. Those that are null, an empty text or an empty map are left
        to the other files.
      - C(reservedMemory) is computed.
    type: dict
    default: {}
  reserved_memory_split:
    description:
      - How the memory is divided over NUMA nodes, see
        P(homenode.numa.kubelet_reserved_memory#filter).
    type: raw
    default: proportional
  sources:
    description:
      - What the kubelet reads otherwise, as M(homenode.numa.kubelet_config_info) returns it.
      - Required with O(state=present).
    type: dict
  numa:
    description:
      - The machine, V(ansible_facts.numa) as M(homenode.numa.numa_facts) gives it.
      - Required with O(state=present).
    type: dict
  variable_prefix:
    description:
      - With a role's prefix such as V(kubelet_numa_), messages name the role's variables instead of
        the kubelet's keys.
    type: str
    default: ""
seealso:
  - module: homenode.numa.kubelet_config_info
  - module: homenode.numa.numa_facts
"""

EXAMPLES = r"""
- name: Learn the machine
  homenode.numa.numa_facts:

- name: Learn what the kubelet reads
  homenode.numa.kubelet_config_info:
  register: kubelet

- name: Keep Guaranteed pods on one NUMA node
  homenode.numa.kubelet_numa_config:
    sources: "{{ kubelet.sources }}"
    numa: "{{ ansible_facts.numa }}"
    settings:
      topologyManagerPolicy: single-numa-node
      cpuManagerPolicy: static
      memoryManagerPolicy: Static
      kubeReserved: {cpu: 500m, memory: 256Mi}

- name: Take that back
  homenode.numa.kubelet_numa_config:
    state: absent
"""

RETURN = r"""
path:
  description: The drop-in.
  type: str
  returned: success
need:
  description:
    - The memory that had to be divided, as P(homenode.numa.kubelet_reservation#filter) gives it.
      Null if the memory manager reserves nothing.
  type: dict
  returned: success
reserved_memory:
  description: The value of C(reservedMemory).
  type: list
  elements: dict
  returned: success
explanation:
  description: The sum and its split in words.
  type: list
  elements: str
  returned: success
stale:
  description:
    - State files that a kubelet with this configuration refuses, each with C(field), C(why) and
      C(remedy).
  type: list
  elements: dict
  returned: success
problems:
  description: What is wrong, each with C(field), C(value), C(why) and C(remedy).
  type: list
  elements: dict
  returned: failure
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import (
    Layer,
    Sources,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.plan import (
    Plan,
    Request,
    plan,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)

ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "path": {"type": "path", "default": "/etc/kubernetes/kubelet.conf.d/50-homenode-numa.conf"},
    "settings": {"type": "dict", "default": {}},
    "reserved_memory_split": {"type": "raw", "default": "proportional"},
    "sources": {"type": "dict"},
    "numa": {"type": "dict"},
    "variable_prefix": {"type": "str", "default": ""},
}
MARK = "Written by homenode.numa.kubelet_numa_config: what is changed here will be lost."
MADE_FOLDER = "Its folder was made with it."
VARIABLES = {
    "topologyManagerPolicy": "topology_manager_policy",
    "topologyManagerPolicyOptions": "topology_manager_policy_options",
    "topologyManagerScope": "topology_manager_scope",
    "cpuManagerPolicy": "cpu_manager_policy",
    "cpuManagerPolicyOptions": "cpu_manager_policy_options",
    "memoryManagerPolicy": "memory_manager_policy",
    "kubeReserved": "kube_reserved",
    "systemReserved": "system_reserved",
    "evictionHard": "eviction_hard",
    "reservedSystemCPUs": "reserved_system_cpus",
    "reservedMemory": "reserved_memory_split",
    "strategy": "reserved_memory_split",
    "version": "version",
    "path": "dropin_name",
}
"""A role's variables, less their prefix, by the field of a problem."""


class Refused(Exception):
    """The plan has problems; they are all shown."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def request(given: Mapping[str, Any]) -> Request:
    """The options as the model wants them."""
    found = given["sources"]
    try:
        base = found["base"]
        sources = Sources(
            base=None if base is None else Layer(str(found["base_path"]), base),
            dropins=tuple(Layer(file["path"], file["settings"]) for file in found["dropins"]),
            flags=tuple(found["flags"]),
            distribution=found["distribution"],
            version=found["version"],
        )
        checkpoints = found["checkpoints"]
    except (KeyError, TypeError) as error:
        why = f"is not what kubelet_config_info returns as sources ({error})"
        raise HomenodeProblem("sources", "", why, "give that result as it is") from error
    return Request(
        sources=sources,
        dropin=given["path"],
        settings=given["settings"],
        strategy=given["reserved_memory_split"],
        checkpoints=checkpoints,
    )


def named(problem: Problem, prefix: str) -> Problem:
    """The same, naming the role's variable: kubeReserved.cpu is kubelet_numa_kube_reserved.cpu."""
    if not prefix:
        return problem
    field = re.sub(r"^\w+", lambda found: variable(found[0], prefix), problem.field)
    remedy = re.sub(r"\b[a-z]+[A-Z]\w+", lambda found: variable(found[0], prefix), problem.remedy)
    return replace(problem, field=field, remedy=remedy)


def variable(key: str, prefix: str) -> str:
    """The role's variable for a key; the key itself where there is none."""
    return f"{prefix}{VARIABLES[key]}" if key in VARIABLES else key


def ours(path: Path) -> Optional[str]:
    """The text of the drop-in; None where there is none. Raises HomenodeProblem if not ours."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    if MARK not in text.split("\n", 1)[0]:
        raise HomenodeProblem(
            "path", str(path), "was written by somebody else", "give the drop-in another name"
        )
    return text


def put(module: AnsibleModule, path: Path, text: str) -> None:
    """Write the drop-in in one step, and make its folder."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(module.tmpdir) / path.name
    unfinished.write_text(text, encoding="utf-8")
    module.atomic_move(os.fspath(unfinished), os.fspath(path))
    path.chmod(0o644)


def remove(path: Path, before: str) -> None:
    """Remove the drop-in, and its folder where it was made for it and nobody else uses it."""
    path.unlink()
    if MADE_FOLDER in before and not any(path.parent.iterdir()):
        path.parent.rmdir()


def present(module: AnsibleModule) -> dict[str, Any]:
    """Plan, judge, write if something differs."""
    given = module.params
    path = Path(given["path"])
    if path.suffix != ".conf":
        raise HomenodeProblem("path", given["path"], "is ignored by kubelets", "end it in .conf")
    planned = plan(request(given), hardware(given["numa"]))
    if planned.problems:
        raise Refused(planned.problems)
    before = ours(path)
    notes = (
        [MARK]
        if path.parent.is_dir() and MADE_FOLDER not in (before or "")
        else [MARK, MADE_FOLDER]
    )
    after = planned.text(*notes)
    if before != after and not module.check_mode:
        put(module, path, after)
    for warning in planned.verdict.warnings:
        module.warn(str(named(warning, given["variable_prefix"])))
    return {**said(planned), "changed": before != after, "diff": diff(path, before, after)}


def absent(module: AnsibleModule) -> dict[str, Any]:
    """Remove what is ours."""
    path = Path(module.params["path"])
    before = ours(path)
    if before is not None and not module.check_mode:
        remove(path, before)
    nothing: dict[str, list[object]] = {"reserved_memory": [], "explanation": [], "stale": []}
    return {
        "need": None,
        **nothing,
        "changed": before is not None,
        "diff": diff(path, before, None),
    }


def said(planned: Plan) -> dict[str, Any]:
    """What is returned of a plan."""
    return {
        "need": None if planned.need is None else planned.need.as_dict(),
        "reserved_memory": planned.reserved_memory,
        "explanation": planned.explanation(),
        "stale": [problem.as_dict() for problem in planned.stale],
    }


def diff(path: Path, before: Optional[str], after: Optional[str]) -> dict[str, str]:
    """One file for --diff."""
    headers = dict.fromkeys(("before_header", "after_header"), str(path))
    return {**headers, "before": before or "", "after": after or ""}


def main() -> None:
    """The module's door."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ("sources", "numa"))],
        supports_check_mode=True,
    )
    prefix = module.params["variable_prefix"]
    try:
        result = present(module) if module.params["state"] == "present" else absent(module)
        module.exit_json(path=module.params["path"], **result)
    except HomenodeProblem as error:
        fail(module, (named(error.problem, prefix),))
    except Refused as error:
        fail(module, tuple(named(problem, prefix) for problem in error.problems))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}; run this task as root")


def fail(module: AnsibleModule, problems: tuple[Problem, ...]) -> None:
    """All that is wrong, a line each."""
    module.fail_json(
        msg="\n".join(map(str, problems)), problems=[problem.as_dict() for problem in problems]
    )


if __name__ == "__main__":
    main()
