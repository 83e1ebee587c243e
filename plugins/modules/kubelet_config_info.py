#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch what a node's kubelet is configured with; the action of the same name parses it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_config_info
short_description: Tell what a node's kubelet is configured with, and where each value comes from
version_added: 0.1.0
description:
  - Finds the flags of the running kubelet, reads the file behind C(--config) and the drop-ins
    behind C(--config-dir), and merges them as the kubelet does.
  - The files are parsed on the controller, as the node needs no YAML library.
  - If no kubelet runs, its flags are those in O(environment_files).
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  flags:
    description:
      - The kubelet's flags, each one V(name=value). If they are not given, they are found.
    type: list
    elements: str
  config_file:
    description:
      - The kubelet's file, for a kubelet whose flags do not name one.
    type: path
    default: /var/lib/kubelet/config.yaml
  config_dir:
    description:
      - The folder of drop-ins that is looked at if the kubelet's flags do not name one, to see what
        else would come alive with it.
    type: path
    default: /etc/kubernetes/kubelet.conf.d
  environment_files:
    description:
      - Files of a service manager that hold the kubelet's flags while it does not run.
    type: list
    elements: path
    default:
      - /var/lib/kubelet/kubeadm-flags.env
      - /etc/default/kubelet
      - /etc/sysconfig/kubelet
  state_dir:
    description:
      - Where the kubelet keeps its state files, if its flags do not name it.
    type: path
    default: /var/lib/kubelet
  distribution:
    description:
      - Who starts the kubelet, see P(homenode.numa.kubelet_effective#filter).
    type: str
    choices: [upstream, kubeadm, kubespray, rke2, k3s, eks-al2, eks-al2023, bottlerocket]
    default: kubeadm
  version:
    description:
      - The kubelet's version. If it is not given, the program is asked.
    type: str
"""

EXAMPLES = r"""
- name: See what the kubelet has
  homenode.numa.kubelet_config_info:
  register: kubelet

- name: Tell where its eviction threshold comes from
  ansible.builtin.debug:
    msg: "{{ kubelet.effective.origins['evictionHard.memory.available'] }}"
"""

RETURN = r"""
running:
  description: Whether a kubelet runs.
  type: bool
  returned: success
config_dir:
  description: The folder of drop-ins that the kubelet's flags name. Empty if they name none.
  type: str
  returned: success
sources:
  description: What was read, for O(homenode.numa.kubelet_numa_config#module:sources).
  type: dict
  returned: success
  contains:
    base:
      description: The keys of the file behind C(--config), null without one.
      type: dict
    base_path:
      description: Where that file is.
      type: str
    dropins:
      description: The path and the settings of each drop-in, in the order of merging.
      type: list
      elements: dict
    flags:
      description: The flags.
      type: list
      elements: str
    distribution:
      description: The option.
      type: str
    version:
      description: The kubelet's version.
      type: str
    checkpoints:
      description: The state files of the last run by name, parsed. Null for one that is not there.
      type: dict
effective:
  description: The merged configuration, as P(homenode.numa.kubelet_effective#filter) gives it.
  type: dict
  returned: success
"""

import os
import re
import shlex
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DISTRIBUTIONS,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import (
    name_and_value,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

ARGUMENTS: dict[str, Any] = {
    "flags": {"type": "list", "elements": "str"},
    "config_file": {"type": "path", "default": "/var/lib/kubelet/config.yaml"},
    "config_dir": {"type": "path", "default": "/etc/kubernetes/kubelet.conf.d"},
    "environment_files": {
        "type": "list",
        "elements": "path",
        "default": [
            "/var/lib/kubelet/kubeadm-flags.env",
            "/etc/default/kubelet",
            "/etc/sysconfig/kubelet",
        ],
    },
    "state_dir": {"type": "path", "default": "/var/lib/kubelet"},
    "distribution": {"type": "str", "choices": list(DISTRIBUTIONS), "default": "kubeadm"},
    "version": {"type": "str"},
}
CHECKPOINTS = ("cpu_manager_state", "memory_manager_state")
MAX_BYTES = 1 << 20


def read(path: Path) -> Optional[str]:
    """A file's text; None where there is none. Raises HomenodeProblem for one that is too large."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(content) > MAX_BYTES:
        raise HomenodeProblem(
            "size",
            len(content),
            "is too large for a kubelet's file",
            "look at it",
            source=str(path),
        )
    return content.decode("utf-8", errors="replace")


def kubelet_process() -> Optional[Path]:
    """The folder in /proc of the running kubelet, the oldest one."""
    for number in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        folder = Path("/proc", str(number))
        try:
            if (folder / "comm").read_text() == "kubelet\n":
                return folder
        except OSError:
            continue  # it has ended meanwhile
    return None


def joined(words: list[str]) -> list[str]:
    """Each flag with its value in one text, also where a space stood between them."""
    flags: list[str] = []
    for word in words:
        if word.startswith("-") or not flags:
            flags.append(word)
        elif "=" not in flags[-1]:
            flags[-1] += f"={word}"
    return [flag for flag in flags if flag.startswith("--")]


def found_flags(process: Optional[Path], files: list[str]) -> list[str]:
    """Those of the running kubelet, else those that the service manager would give it."""
    if process is not None:
        words = (process / "cmdline").read_bytes().decode("utf-8", errors="replace")
        return joined(words.rstrip("\0").split("\0")[1:])
    flags = []
    for name in files:
        for line in (read(Path(name)) or "").splitlines():
            match = re.match(r"\s*(?:export\s+)?KUBELET_\w*ARGS=(.*)", line)
            if match:
                flags += joined(shlex.split(" ".join(shlex.split(match[1]))))
    return flags


def version_of(module: AnsibleModule, process: Optional[Path]) -> Optional[str]:
    """What the program says of itself; None where there is no program."""
    program = module.get_bin_path("kubelet")
    if process is not None:
        program = os.readlink(process / "exe").replace(" (deleted)", "")
    if not program or not os.access(program, os.X_OK):
        return None
    _status, out, _errors = module.run_command([program, "--version"])
    match = re.search(r"v(\d+\.\d+\S*)", out)
    return match[1] if match else None


def dropins_in(folder: str) -> list[dict[str, str]]:
    """What a kubelet merges from this folder, in its order: *.conf, folders inside included."""
    found = [
        Path(where, name)
        for where, _folders, names in os.walk(folder)
        for name in names
        if name.endswith(".conf")
    ]
    return [
        {"path": str(path), "content": read(path) or ""}
        for path in sorted(found, key=lambda path: path.parts)
    ]


def run(module: AnsibleModule) -> dict[str, Any]:
    """One look at the node; the result is what the action parses."""
    given = module.params
    process = kubelet_process() if given["flags"] is None else None
    flags = given["flags"]
    if flags is None:
        flags = found_flags(process, given["environment_files"])
    named = dict(map(name_and_value, flags))
    config_file = named.get("config") or given["config_file"]
    content = read(Path(config_file))
    if content is None and "config" in named:
        raise HomenodeProblem("--config", config_file, "is not there", "restore the file")
    state_dir = Path(named.get("root-dir") or given["state_dir"])
    return {
        "changed": False,
        "running": process is not None,
        "flags": flags,
        "config_dir": named.get("config-dir", ""),
        "config_file": None if content is None else {"path": config_file, "content": content},
        "dropins": dropins_in(named.get("config-dir") or given["config_dir"]),
        "checkpoints": {name: read(state_dir / name) for name in CHECKPOINTS},
        "version": given["version"] or version_of(module, process),
    }


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
