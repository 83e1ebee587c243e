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
  - Finds out which distribution the node has and which service runs its kubelet, takes the flags of
    the running kubelet, or those that its service would give it, reads the file behind C(--config)
    and the drop-ins behind C(--config-dir), and merges them as the kubelet does.
  - For RKE2 and k3s it reads their own configuration, and gives the kubelet the flags that they
    would give it.
  - The files are parsed on the controller, as the node needs no YAML library.
  - Nothing is written. A file that a kubelet could not read fails the task with its name.
  - Warns of flags that win over a file, and of quotes that reach the kubelet.
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
      - Without it, a kubelet whose flags are known and do not name a file has none. Where they are
        not known, it is the file that the distribution uses.
    type: path
  config_dir:
    description:
      - The folder of drop-ins that is looked at if the kubelet's flags do not name one, to see what
        else would come alive with it.
      - Without it, the one that suits the distribution, such as
        V(/etc/kubernetes/kubelet.conf.d).
    type: path
  environment_files:
    description:
      - Files of a service manager that hold the kubelet's flags while it does not run, as
        C(KUBELET_…ARGS).
      - Without it, the flags are those of the service itself, with its variables. Where there is
        no service, the distribution's own files are read.
    type: list
    elements: path
  state_dir:
    description:
      - Where the kubelet keeps its state files, if its flags do not name it.
      - Without it, V(/var/lib/kubelet), as in every distribution.
    type: path
  distribution:
    description:
      - Who starts the kubelet, see P(homenode.numa.kubelet_effective#filter).
      - With V(auto), it is found by the service in which the kubelet runs, by the services that are
        enabled, and by files that only one distribution leaves. Where none fits, or two do, the
        task fails.
      - A node of V(bottlerocket) has no files that a play could read, so that fails as well.
    type: str
    choices: [auto, upstream, kubeadm, kubespray, rke2, k3s, eks-al2, eks-al2023, bottlerocket]
    default: auto
  version:
    description:
      - The kubelet's version. If it is not given, the program is asked.
    type: str
  tolerate_unreadable:
    description:
      - Whether to go on when a file cannot be read or parsed. It is left out then, and is in
        RV(unreadable).
    type: bool
    default: false
  root:
    description:
      - The root folder of the node whose files are read, for a node that was recorded. No program
        is asked there, so give O(version) too.
    type: path
    default: /
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
distribution:
  description: Who starts the kubelet.
  type: str
  returned: success
  sample: kubeadm
distribution_why:
  description: What told it.
  type: str
  returned: success
unit:
  description: The service that runs the kubelet, without its suffix. Empty if there is none.
  type: str
  returned: success
  sample: rke2-server
state_dir:
  description: Where the kubelet keeps its state files.
  type: str
  returned: success
config_dir:
  description: The folder of drop-ins that the kubelet reads. Empty if it reads none.
  type: str
  returned: success
destination:
  description:
    - Where settings go, for O(homenode.numa.kubelet_numa_config#module:destination).
  type: dict
  returned: success
  contains:
    form:
      description:
        - V(dropin) for a KubeletConfiguration, V(kubelet_args) for flags in a file of RKE2 or k3s.
      type: str
    path:
      description: The file.
      type: str
    config_dir:
      description: The folder of drop-ins. Empty with V(kubelet_args).
      type: str
    unit:
      description: The service that has to be restarted.
      type: str
    unit_dropin:
      description:
        - The C(path) and C(text) of a drop-in for that service, with which the kubelet gets
          C(--config-dir). Null if it has that, or if its command was not found.
      type: dict
    leftover:
      description:
        - Our file of flags from before an upgrade of RKE2 or k3s to 1.32. Its flags would win, so
          it goes. Empty if there is none.
      type: str
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
      description: The flags. For RKE2 and k3s, those that the user adds to theirs.
      type: list
      elements: str
    own_args:
      description: The flags in our own file of RKE2 or k3s, which are not in C(flags).
      type: list
      elements: str
    distribution:
      description: As RV(distribution).
      type: str
    version:
      description: The kubelet's version.
      type: str
    checkpoints:
      description: The state files of the last run by name, parsed. Null for one that is not there.
      type: dict
unreadable:
  description:
    - Files that could not be read or parsed, each with C(field), C(why), C(remedy) and C(source).
  type: list
  elements: dict
  returned: success
effective:
  description:
    - The merged configuration, as P(homenode.numa.kubelet_effective#filter) gives it. Null if a
      file of it is in RV(unreadable).
  type: dict
  returned: success
need:
  description:
    - The memory that has to be reserved for it, as P(homenode.numa.kubelet_reservation#filter)
      gives it. Null, with a warning, if it cannot be computed.
  type: dict
  returned: success
problems:
  description: Files that could not be read or parsed.
  type: list
  elements: dict
  returned: failure
"""

from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils import kubelet_node
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_host import Host
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DISTRIBUTIONS,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.distributions import (
    KUBELET,
    RANCHERS,
    TABLE,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import (
    name_and_value,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.state_files import NAMES
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)

ARGUMENTS: dict[str, Any] = {
    "flags": {"type": "list", "elements": "str"},
    "config_file": {"type": "path"},
    "config_dir": {"type": "path"},
    "environment_files": {"type": "list", "elements": "path"},
    "state_dir": {"type": "path"},
    "distribution": {"type": "str", "choices": ["auto", *DISTRIBUTIONS], "default": "auto"},
    "version": {"type": "str"},
    "tolerate_unreadable": {"type": "bool", "default": False},
    "root": {"type": "path", "default": "/"},
}


def run(given: dict[str, Any], host: Host, ask: kubelet_node.Ask) -> dict[str, Any]:
    """One look at the node; the result is what the action parses."""
    process = kubelet_node.process_of(host)
    finding = kubelet_node.finding(host, given["distribution"], process)
    program = finding.distribution if finding.distribution in RANCHERS else KUBELET
    service = kubelet_node.service_of(host, finding.unit, program)
    running = process is not None and process.unit in (finding.unit, "")
    seen = process if running else None
    look = _rancher if finding.distribution in RANCHERS else _elsewhere
    return {
        "changed": False,
        "running": running,
        "distribution": finding.distribution,
        "distribution_why": finding.why,
        "unit": finding.unit,
        **look(given, host, finding.distribution, service, seen),
        "version": given["version"] or kubelet_node.version_of(host, seen, service, ask),
        "memory_total": kubelet_node.memory_total(host),
        "problems": [problem.as_dict() for problem in host.problems],
    }


def _elsewhere(
    given: dict[str, Any],
    host: Host,
    distribution: str,
    service: kubelet_node.Service,
    process: Optional[kubelet_node.Process],
) -> dict[str, Any]:
    """A kubelet with a service of its own."""
    known = TABLE[distribution]
    flags, base = given["flags"], given["config_file"]
    if flags is None and process is not None:
        flags = kubelet_node.joined(host.arguments(process.pid))
    elif flags is None and given["environment_files"] is None and service.command is not None:
        flags = kubelet_node.joined(service.arguments)
    elif flags is None:
        files = given["environment_files"] or known.environment_files
        flags, base = kubelet_node.flags_in(host, files), base or known.base
    named = dict(map(name_and_value, flags))
    path = named.get("config") or base
    file = kubelet_node.text_of(host, path) if path else None
    if "config" in named and not host.exists(path):
        host.problems.append(
            Problem("--config", path, "is not there", "restore the file", source=path)
        )
    own = dict(map(name_and_value, kubelet_node.joined(service.arguments)))
    adds = "config-dir" not in own and (service.has_our_dropin or "config-dir" not in named)
    config_dir = named.get("config-dir") or given["config_dir"] or known.dropin_dir
    state_dir = named.get("root-dir") or given["state_dir"] or known.root_dir
    return {
        "flags": flags,
        "config_dir": named.get("config-dir", ""),
        "dropin_dir": config_dir,
        "config_file": file,
        "dropins": kubelet_node.texts_below(host, config_dir),
        "command": service.command if adds and not service.wins_over_ours else None,
        "wins_over_ours": service.wins_over_ours if adds else "",
        **_state(host, state_dir),
    }


def _rancher(
    given: dict[str, Any],
    host: Host,
    distribution: str,
    service: kubelet_node.Service,
    _process: Optional[kubelet_node.Process],
) -> dict[str, Any]:
    """A kubelet that RKE2 or k3s starts, with the flags that it would be given."""
    files = kubelet_node.rancher_files(host, distribution, service)
    config_dir = given["config_dir"] or f"{files['data_dir']}/agent/etc/kubelet.conf.d"
    state_dir = files["root_dir"] or given["state_dir"] or TABLE[distribution].root_dir
    return {
        "flags": given["flags"],
        "config_dir": config_dir,
        "dropin_dir": config_dir,
        "config_file": None,
        "dropins": kubelet_node.texts_below(host, config_dir),
        "command": None,
        "rancher": files,
        **_state(host, state_dir),
    }


def _state(host: Host, folder: str) -> dict[str, Any]:
    folder = folder.rstrip("/")
    return {
        "state_dir": folder,
        "checkpoints": {name: host.read(f"{folder}/{name}") for name in NAMES},
    }


def main() -> None:
    """The module's door."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)

    def ask(words: list[str]) -> str:
        try:
            return str(module.run_command(words, handle_exceptions=False)[1])
        except OSError:
            return ""

    try:
        found = run(module.params, Host(module.params["root"]), ask)
    except HomenodeProblem as error:
        module.fail_json(msg=str(error), problem=error.problem.as_dict())
    module.exit_json(**found)


if __name__ == "__main__":
    main()
