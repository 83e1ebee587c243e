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
    memory manager's policy V(Static) needs, divides it over the NUMA nodes, and writes all of it
    where this distribution's kubelet takes it, as a drop-in or as a file of flags.
  - Nothing is written if a kubelet would refuse the result, if a share does not fit its node, if a
    flag or a later drop-in wins over a setting, or if another drop-in sets it to another value. The
    failure names setting, value and remedy.
  - Files of others are neither edited nor replaced.
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
      - With V(absent), our files are removed, and the folders too that were made for them.
      - With V(restored), our files become what O(before) says, and the state files in O(moved) come
        back. That is the way back after a kubelet has not started. Stop the kubelet first.
    type: str
    choices: [present, absent, restored]
    default: present
  path:
    description:
      - The drop-in. The folder has to be the one that the kubelet's C(--config-dir) names, and the
        name has to end in C(.conf).
      - Without it, what O(destination) says, else
        C(/etc/kubernetes/kubelet.conf.d/50-homenode-numa.conf).
    type: path
  destination:
    description:
      - Where and in which form this distribution's kubelet takes settings, as
        M(homenode.numa.kubelet_config_info) returns it.
      - Without it, the drop-in is all that is written, and no service is looked at.
    type: dict
  unit_folder:
    description:
      - Where drop-ins of systemd units are, with which a kubelet gets its C(--config-dir).
    type: path
    default: /etc/systemd/system
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
  need_from_log:
    description:
      - The need in bytes that the kubelet's log tells. It takes the place of what O(sources) say,
        for a node whose files cannot be read. Settings that change the need are refused then.
    type: int
  render_only:
    description:
      - Whether to plan only. Nothing is looked at or written; RV(content) would be the file.
    type: bool
    default: false
  before:
    description:
      - RV(before) of the run that is taken back, for O(state=restored).
    type: list
    elements: dict
    default: []
  moved:
    description:
      - State files that were moved aside, each with C(path) and C(kept), for O(state=restored).
    type: list
    elements: dict
    default: []
  variable_prefix:
    description:
      - With a role's prefix such as V(kubelet_numa_), messages name the role's variables instead of
        the kubelet's keys.
    type: str
    default: ""
seealso:
  - module: homenode.numa.kubelet_config_info
  - module: homenode.numa.kubelet_state
  - module: homenode.numa.kubelet_up
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
    destination: "{{ kubelet.destination }}"
    numa: "{{ ansible_facts.numa }}"
    settings:
      topologyManagerPolicy: single-numa-node
      cpuManagerPolicy: static
      memoryManagerPolicy: Static
      kubeReserved: {cpu: 500m, memory: 256Mi}

- name: Take that back
  homenode.numa.kubelet_numa_config:
    destination: "{{ kubelet.destination }}"
    state: absent
"""

RETURN = r"""
path:
  description: The drop-in, or the file of flags.
  type: str
  returned: success
files:
  description: All files that belong to the settings.
  type: list
  elements: str
  returned: success
content:
  description: What stands in the file at RV(path), or would.
  type: str
  returned: O(state=present)
settings:
  description: The keys and values in it. As flags, maps are whole, with what others say.
  type: dict
  returned: O(state=present)
before:
  description:
    - Our files as they were, each with C(path) and C(content), null where it was not there.
  type: list
  elements: dict
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
effective_after:
  description: The merged configuration, as P(homenode.numa.kubelet_effective#filter) gives it.
  type: dict
  returned: O(state=present)
restart_needed:
  description: Whether the running kubelet does not have these settings yet.
  type: bool
  returned: success
restart_reasons:
  description: Why, in words.
  type: list
  elements: str
  returned: success
reload_needed:
  description: Whether systemd has to read its units again.
  type: bool
  returned: success
running:
  description: Whether the service of O(destination) runs.
  type: bool
  returned: success
written_at:
  description: The node's time in seconds since 1970, from which its log tells of this change.
  type: float
  returned: success
problems:
  description: What is wrong, each with C(field), C(value), C(why) and C(remedy).
  type: list
  elements: dict
  returned: failure
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils import own_files
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_service import (
    look,
    runner,
    unread,
)
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_settings import (
    Place,
    named,
    place,
    request,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.destination import MARK
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.plan import (
    Plan,
    plan,
    stale_without,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)

ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent", "restored"], "default": "present"},
    "path": {"type": "path"},
    "destination": {"type": "dict"},
    "unit_folder": {"type": "path", "default": "/etc/systemd/system"},
    "settings": {"type": "dict", "default": {}},
    "reserved_memory_split": {"type": "raw", "default": "proportional"},
    "sources": {"type": "dict"},
    "numa": {"type": "dict"},
    "need_from_log": {"type": "int"},
    "render_only": {"type": "bool", "default": False},
    "before": {"type": "list", "elements": "dict", "default": []},
    "moved": {"type": "list", "elements": "dict", "default": []},
    "variable_prefix": {"type": "str", "default": ""},
}


class Refused(Exception):
    """The plan has problems; they are all shown."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def rendered(module: AnsibleModule, at: Place) -> dict[str, Any]:
    """A plan for a machine that does not exist yet."""
    planned = judged(module, at)
    return {**planned.as_dict(), "changed": False, "content": planned.text()}


def judged(module: AnsibleModule, at: Place) -> Plan:
    """The plan. Raises Refused where it must not be written; warns of what surprises."""
    planned = plan(request(module.params, at), hardware(module.params["numa"]))
    if planned.problems:
        raise Refused(planned.problems)
    for warning in planned.verdict.warnings:
        module.warn(str(named(warning, module.params["variable_prefix"])))
    return planned


def present(module: AnsibleModule, at: Place) -> dict[str, Any]:
    """Plan, judge, write if something differs."""
    planned = judged(module, at)
    texts = {path: own_files.text_of(path) for path in at.files}
    wanted = {at.path: planned.text(MARK[2:])}
    if at.unit_path and at.unit_text:
        wanted[at.unit_path] = at.unit_text
    for path, text in wanted.items():
        texts[path] = own_files.with_folders(path, text, texts[path])
    if at.leftover:
        texts[at.leftover] = None
    change = own_files.change(texts)
    reasons = [f"{path} changes" for path in change.paths]
    reasons += [f"{problem.field}: {problem.why}" for problem in planned.stale]
    if at.unit and not reasons:
        reasons = unread(at.unit, list(wanted), runner(module))
    return {**planned.as_dict(), **done(module, at, change, reasons), "content": texts[at.path]}


def absent(module: AnsibleModule, at: Place) -> dict[str, Any]:
    """Remove what is ours, and tell which state files are in the way then."""
    change = own_files.change(dict.fromkeys(at.files))
    result = done(module, at, change, [f"{path} goes" for path in change.paths])
    if not change.paths or not module.params["sources"]:
        return result
    given = {**module.params, "need_from_log": None}
    stale = stale_without(request(given, at), hardware(module.params["numa"]))
    return {**result, "stale": [problem.as_dict() for problem in stale]}


def restored(module: AnsibleModule, at: Place) -> dict[str, Any]:
    """Our files as they were, and state files back at their places."""
    wanted = {Path(item["path"]): item["content"] for item in module.params["before"]}
    moved = [(Path(item["kept"]), Path(item["path"])) for item in module.params["moved"]]
    back = [(kept, path) for kept, path in moved if kept.exists()]
    change = own_files.change(wanted)
    reasons = [f"{path} comes back" for path in (*change.paths, *(path for _kept, path in back))]
    result = done(module, at, change, reasons)
    for kept, path in () if module.check_mode else back:
        kept.replace(path)
    return {**result, "changed": bool(reasons)}


def done(
    module: AnsibleModule, at: Place, change: own_files.Change, reasons: list[str]
) -> dict[str, Any]:
    """Write, and what is returned of that. *reasons* are those for a restart."""
    if not module.check_mode:
        change.apply()
    return {
        **change.as_dict(),
        "restart_needed": bool(reasons),
        "restart_reasons": reasons,
        "reload_needed": at.unit_path in change.paths,
        "running": bool(at.unit) and look(at.unit, runner(module)).active,
        "written_at": time.time(),
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    """One of the states; the result is what the module returns."""
    at = place(module.params)
    nothing: dict[str, Any] = {"need": None, "reserved_memory": [], "explanation": [], "stale": []}
    states = {"present": present, "absent": absent, "restored": restored}
    state = rendered if module.params["render_only"] else states[module.params["state"]]
    return {"path": str(at.path), **nothing, **state(module, at)}


def main() -> None:
    """The module's door."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ("sources", "numa"))],
        supports_check_mode=True,
    )
    prefix = module.params["variable_prefix"]
    try:
        module.exit_json(**run(module))
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
