#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read in a node's log what its kubelet asks for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_log_reserved
short_description: Read in a node's log the reserved memory that its kubelet asks for
version_added: 0.1.0
description:
  - A kubelet whose C(reservedMemory) does not add up ends with an error that names the sum it
    wants. This module finds it in the journal or in a file.
  - The last error of the last process counts. If that is up, or failed for another reason, nothing
    is found.
  - It is the way for a node whose files cannot be read. Otherwise
    M(homenode.numa.kubelet_config_info) tells the same before a kubelet fails.
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
  unit:
    description:
      - The services whose journal is read. Those that do not exist are passed over, if one does.
      - For V(rke2-server) and V(rke2-agent), the file
        C(/var/lib/rancher/rke2/agent/logs/kubelet.log) is read as well, as RKE2's kubelet writes
        there.
    type: list
    elements: str
    default: [kubelet, rke2-server, rke2-agent, k3s, k3s-agent]
  path:
    description:
      - A file to read instead of the journal.
    type: path
  max_mib:
    description:
      - How much is read, from the end, in MiB.
    type: int
    default: 8
seealso:
  - plugin: homenode.numa.kubelet_log_reserved
    plugin_type: filter
  - module: homenode.numa.kubelet_config_info
"""

EXAMPLES = r"""
- name: Ask the journal
  homenode.numa.kubelet_log_reserved:
  register: told

- name: What to write
  ansible.builtin.debug:
    msg: "{{ told.want_bytes | homenode.numa.kubelet_reserved_memory(ansible_facts.numa.nodes) }}"
  when: told.found and told.action == 'set'

- name: Ask a file
  homenode.numa.kubelet_log_reserved:
    path: /var/log/kubelet.log
"""

RETURN = r"""
found:
  description: Whether the kubelet asks for anything.
  type: bool
  returned: success
type:
  description: The type of memory, C(memory) or such as C(hugepages-2Mi).
  type: str
  returned: if RV(found)
have:
  description: The sum of C(reservedMemory), as printed.
  type: str
  returned: if RV(found)
  sample: "0"
want:
  description: What it has to be, as printed.
  type: str
  returned: if RV(found)
  sample: 8462Mi
want_bytes:
  description: The same in bytes.
  type: int
  returned: if RV(found)
action:
  description:
    - With C(set), the shares have to add up to RV(want). With C(remove), the type has to go from
      C(reservedMemory).
  type: str
  returned: if RV(found)
errors:
  description:
    - The errors with which the last process ended, in the kubelet's words. Empty if it is up.
  type: list
  elements: str
  returned: success
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils.kubelet_log_text import (
    MIB,
    end_of_file,
    end_of_text,
    own_file,
    question,
)
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_service import look
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.log import (
    last_errors,
    reservation,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

ARGUMENTS: dict[str, Any] = {
    "unit": {
        "type": "list",
        "elements": "str",
        "default": ["kubelet", "rke2-server", "rke2-agent", "k3s", "k3s-agent"],
    },
    "path": {"type": "path"},
    "max_mib": {"type": "int", "default": 8},
}


def log_text(module: AnsibleModule, most: int) -> str:
    """The end of the log, *most* bytes. Raises HomenodeProblem where there is none."""
    if module.params["path"] is not None:
        return end_of_file(Path(module.params["path"]), most)
    units = [unit[:-8] if unit.endswith(".service") else unit for unit in module.params["unit"]]
    if not units:
        raise HomenodeProblem("unit", units, "names no service", "name the kubelet's")
    return journal(module, units, most) + own_file(units, most)


def journal(module: AnsibleModule, units: list[str], most: int) -> str:
    """The end of the journal of *units*; HomenodeProblem if it has none and they do not exist."""
    if module.get_bin_path("journalctl") is None:
        why = "cannot be asked, because this machine has no journalctl"
        raise HomenodeProblem("journal", ", ".join(units), why, "give the log's file as path")
    status, text, errors = module.run_command(question(units), errors="replace")
    if status != 0:
        why = f"cannot be read ({errors.strip()})"
        raise HomenodeProblem("journal", ", ".join(units), why, "run this task as root")
    if not text.strip() and not any(loaded(module, unit) for unit in units):
        why = "is no service of this machine"
        raise HomenodeProblem("unit", ", ".join(units), why, "name the service of the kubelet")
    return end_of_text(text, most)


def loaded(module: AnsibleModule, unit: str) -> bool:
    """Whether systemd knows the service."""
    if module.get_bin_path("systemctl") is None:
        return False
    return look(unit, lambda words: module.run_command(words)[1]).loaded


def run(module: AnsibleModule) -> dict[str, Any]:
    """What the log tells."""
    most = module.params["max_mib"]
    if not 1 <= most <= 1024:
        raise HomenodeProblem("max_mib", most, "is out of bounds", "give a number from 1 to 1024")
    text = log_text(module, most * MIB)
    found = reservation(text)
    told = {} if found is None else found.as_dict()
    return {
        "changed": False,
        "found": found is not None,
        "errors": list(last_errors(text)),
        **told,
    }


def main() -> None:
    """The module's door."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**run(module))
    except HomenodeProblem as error:
        module.fail_json(msg=str(error), problems=[error.problem.as_dict()])


if __name__ == "__main__":
    main()
