# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reserved memory that a kubelet's log asks for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_log_reserved
short_description: Find in a kubelet's log the reserved memory that it asks for
version_added: 0.1.0
description:
  - Reads C(the total amount "0" of type "memory" is not equal to the value "8462Mi" determined by
    Node Allocatable feature) from a log, or from that line alone, also where it is cut off.
  - The last such line of the last process counts. What an earlier process asked for is outdated if
    a later one came up or failed for another reason.
  - A text without such a line raises an error.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The log, as C(journalctl) prints it (short forms or JSON), as the kubelet or k3s wrote it,
        or a part of it.
    type: str
    required: true
seealso:
  - module: homenode.numa.kubelet_log_reserved
  - plugin: homenode.numa.kubelet_reserved_memory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: What a kubelet asks for, divided over two NUMA nodes
  ansible.builtin.debug:
    msg: "{{ told.want_bytes | homenode.numa.kubelet_reserved_memory(['64Gi', '64Gi']) }}"
  vars:
    told: "{{ lookup('ansible.builtin.file', 'kubelet.log') | homenode.numa.kubelet_log_reserved }}"
"""

RETURN = r"""
_value:
  description:
    - What the line says.
  type: dict
  contains:
    type:
      description: The type of memory, C(memory) or such as C(hugepages-2Mi).
      type: str
    have:
      description: The sum of C(reservedMemory), as printed.
      type: str
    want:
      description: What it has to be, as printed.
      type: str
    want_bytes:
      description: The same in bytes.
      type: int
    action:
      description:
        - With C(set), the shares in C(reservedMemory) have to add up to RV(_value.want).
        - With C(remove), the type has to go from C(reservedMemory), because nothing of it can be
          reserved. That is so for all huge pages.
      type: str
  sample:
    {type: memory, have: "0", want: 8462Mi, want_bytes: 8873050112, action: set}
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.log import reservation
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_log_reserved(text: object) -> dict[str, object]:
    """What the last process in *text* asks for."""
    remedy = "give the text of a kubelet's log"
    if not isinstance(text, str):
        raise HomenodeProblem("log", text, f"is of type {type(text).__name__}", remedy)
    found = reservation(text)
    if found is None:
        why = "has no error about reserved memory from its last process"
        raise HomenodeProblem("log", text, why, remedy + " that ended with that error")
    return found.as_dict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_log_reserved)
