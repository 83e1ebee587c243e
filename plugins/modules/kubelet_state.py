#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a kubelet's state files, move them aside, or put them back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_state
short_description: Read a kubelet's state files, move them aside, or put them back
version_added: 0.1.0
description:
  - The CPU manager and the memory manager keep C(cpu_manager_state) and C(memory_manager_state). A
    kubelet whose policy or memory is another than in the file does not start.
  - A file that is moved aside stays beside its place as a copy. The last three copies are kept.
  - Nothing is moved while a kubelet runs on these files.
  - Drain the node first. If pods still run when their state is gone, the kubelet gives them other
    CPUs, and their memory stays where it is.
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
  action:
    description:
      - With V(info), the files are read.
      - With V(reset), those of O(files) are moved aside.
      - With V(restore), those of O(copies) come back to their places.
    type: str
    choices: [info, reset, restore]
    default: info
    aliases: [state]
  state_dir:
    description:
      - The kubelet's C(--root-dir).
    type: path
    default: /var/lib/kubelet
  files:
    description:
      - The files that are read or moved aside.
    type: list
    elements: str
    choices: [cpu_manager_state, memory_manager_state]
    default: [cpu_manager_state, memory_manager_state]
  copies:
    description:
      - Copies, as RV(moved) names them with C(kept).
    type: list
    elements: path
    default: []
seealso:
  - module: homenode.numa.kubelet_numa_config
"""

EXAMPLES = r"""
- name: See which pods have CPUs of their own
  homenode.numa.kubelet_state:
  register: kubelet

- name: Move the memory manager's state aside, the kubelet being stopped and the node drained
  homenode.numa.kubelet_state:
    action: reset
    files: [memory_manager_state]
"""

RETURN = r"""
files:
  description: The files by name. Null for one that is not there.
  type: dict
  returned: success
  contains:
    policy:
      description: The policy under which it was written.
      type: str
    problem:
      description: Why a kubelet cannot read it. Empty if it can.
      type: str
    content:
      description: All of it, parsed.
      type: dict
    pods:
      description:
        - What containers have, by the C(uid) of their pods. A pod that was refused may still be
          listed.
      type: list
      elements: dict
    default_cpus:
      description: The CPUs that nobody has for itself. Of C(cpu_manager_state) only.
      type: str
    nodes:
      description: The memory of each NUMA node in bytes. Of C(memory_manager_state) only.
      type: list
      elements: dict
moved:
  description: What was moved, each with the C(path) and the place where it is C(kept).
  type: list
  elements: dict
  returned: success
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils import kubelet_state_files
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_host import Host
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.state_files import (
    NAMES,
    described,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

ARGUMENTS: dict[str, Any] = {
    "action": {
        "type": "str",
        "choices": ["info", "reset", "restore"],
        "default": "info",
        "aliases": ["state"],
    },
    "state_dir": {"type": "path", "default": "/var/lib/kubelet"},
    "files": {
        "type": "list",
        "elements": "str",
        "choices": list(NAMES),
        "default": list(NAMES),
    },
    "copies": {"type": "list", "elements": "path", "default": []},
}


def info(given: dict[str, Any]) -> dict[str, Any]:
    """What the files say."""
    found = {}
    for name in given["files"]:
        text = kubelet_state_files.text_of(Path(given["state_dir"], name))
        found[name] = None if text is None else described(name, text)
    return {"changed": False, "files": found, "moved": [], "diff": []}


def reset(given: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Move aside what is there; what it said is returned."""
    result = info(given)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for name in [name for name, found in result["files"].items() if found is not None]:
        path = Path(given["state_dir"], name)
        kept = kubelet_state_files.aside(path, stamp)
        result["diff"].append(difference(path, kept, kubelet_state_files.text_of(path) or ""))
        if not check_mode:
            kubelet_state_files.move_aside(path, kept)
        result["moved"].append({"path": str(path), "kept": str(kept)})
    return {**result, "changed": bool(result["moved"])}


def restore(given: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Put copies back; those that are gone already have been put back."""
    moved, differences = [], []
    for kept in map(Path, given["copies"]):
        path = kubelet_state_files.place_of(kept)
        text = kubelet_state_files.text_of(kept)
        if text is None:
            continue
        differences.append(difference(kept, path, text))
        if not check_mode:
            kept.replace(path)
        moved.append({"path": str(path), "kept": str(kept)})
    return {"changed": bool(moved), "moved": moved, "files": {}, "diff": differences}


def difference(before: Path, after: Path, text: str) -> dict[str, str]:
    """A file that moves, for ``--diff``."""
    return {
        "before_header": str(before),
        "after_header": str(after),
        "before": text,
        "after": f"moved to {after}\n",
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    """One of the actions. Raises HomenodeProblem while a kubelet runs on the files."""
    given = module.params
    if given["action"] == "info":
        return info(given)
    change = reset if given["action"] == "reset" else restore
    planned = change(given, True)
    user = kubelet_state_files.user_of(given["state_dir"], Host()) if planned["changed"] else None
    if user is not None:
        why = f"is in use: {user.name} runs as process {user.pid}"
        remedy = f"drain the node, and stop {user.unit or user.name} first"
        problem = HomenodeProblem("state_dir", given["state_dir"], why, remedy)
        if not module.check_mode:  # in which nobody has stopped it
            raise problem
        module.warn(str(problem))
    return planned if module.check_mode else change(given, False)


def main() -> None:
    """The module's door."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**run(module))
    except HomenodeProblem as error:
        module.fail_json(msg=str(error), problem=error.problem.as_dict())
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}; run this task as root")


if __name__ == "__main__":
    main()
