# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who decides what where a kubelet's managers and our pinning stand on one node."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_beside_pinning
short_description: Tell how a kubelet's managers and the agent's pinning divide the work
version_added: 0.1.0
description:
  - The agent keeps CPUs and memory nodes that the kubelet has chosen for a container. This tells
    who chooses what under the given settings, and what the two cannot both mean.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The result of P(homenode.numa.kubelet_effective#filter).
    type: dict
    required: true
  pin_cpu:
    description:
      - Whether the agent sets CPUs.
    type: bool
    default: true
  pin_memory:
    description:
      - Whether the agent sets memory nodes.
    type: bool
    default: true
  reserved_cpus:
    description:
      - The CPUs that the agent gives to nobody, such as V(0,48).
    type: str
    default: ""
  available_cpus:
    description:
      - The CPUs that the agent hands out. If it is empty, all of them.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: See who chooses CPUs here
  ansible.builtin.debug:
    msg: "{{ effective | homenode.numa.kubelet_beside_pinning(reserved_cpus='0,48') }}"
  vars:
    effective: "{{ base | homenode.numa.kubelet_effective }}"
    base: {cpuManagerPolicy: static, reservedSystemCPUs: 0-1}
"""

RETURN = r"""
_value:
  description: Both sides of it.
  type: dict
  contains:
    conflicts:
      description: What cannot both be meant, each with C(field), C(value), C(why), C(remedy).
      type: list
      elements: dict
    notes:
      description: Who chooses what, a sentence each.
      type: list
      elements: str
    reserved_cpus:
      description: The CPUs that the kubelet reserves by name. Empty if it reserves amounts.
      type: str
"""

from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.homenode.numa.plugins.module_utils.model.cpuset import CpuSet
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.beside_pinning import (
    Pinning,
    conflicts,
    notes,
    reserved,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import from_dict
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_beside_pinning(
    effective: object,
    pin_cpu: bool = True,
    pin_memory: bool = True,
    reserved_cpus: str = "",
    available_cpus: str = "",
) -> dict[str, object]:
    """Conflicts and notes for the agent's settings beside *effective*."""
    found = from_dict(effective)
    pinning = Pinning(
        pin_cpu,
        pin_memory,
        _cpus("reserved_cpus", reserved_cpus),
        _cpus("available_cpus", available_cpus),
    )
    return {
        "conflicts": [problem.as_dict() for problem in conflicts(found, pinning)],
        "notes": notes(found, pinning),
        "reserved_cpus": str(reserved(found)),
    }


def _cpus(field: str, listed: str) -> Optional[CpuSet]:
    return CpuSet.parse(listed, field=field) or None


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_beside_pinning)
