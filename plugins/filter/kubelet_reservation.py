# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory that a kubelet keeps back."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_reservation
short_description: The memory that reservedMemory must add up to
version_added: 0.1.0
description:
  - A kubelet with the memory manager's policy V(Static) starts only if the reservations of all NUMA
    nodes add up, to the byte, to what it keeps back anyway.
  - That is C(kubeReserved.memory), C(systemReserved.memory) and the hard eviction threshold
    C(memory.available). The machine's size does not matter.
  - A percentage is computed in the kubelet's own precision, so that the result is the same byte.
author:
  - homenode contributors (@homenode)
positional: mem_total
options:
  _input:
    description:
      - The whole result of P(homenode.numa.kubelet_effective#filter).
    type: dict
    required: true
  mem_total:
    description:
      - C(MemTotal) of C(/proc/meminfo), in bytes or as a quantity. It is needed only if the
        threshold is a percentage. It is V(memory_total_bytes) of M(homenode.numa.numa_facts).
    type: raw
seealso:
  - plugin: homenode.numa.kubelet_effective
    plugin_type: filter
  - plugin: homenode.numa.kubelet_reserved_memory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: 868Mi, of which 100Mi are written nowhere
  ansible.builtin.debug:
    msg: "{{ base | homenode.numa.kubelet_effective | homenode.numa.kubelet_reservation }}"
  vars:
    base: {kubeReserved: {memory: 256Mi}, systemReserved: {memory: 512Mi}}
"""

RETURN = r"""
_value:
  description:
    - The need.
  type: dict
  contains:
    bytes:
      description: The sum.
      type: int
    quantity:
      description: The sum as the kubelet would print it.
      type: str
    terms:
      description: The three terms, V(kube), V(system) and V(eviction), in bytes.
      type: dict
    equation:
      description: The sum in words, with the origin of the eviction threshold.
      type: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.arithmetic import need
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import from_dict
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import amount
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_reservation(effective: object, mem_total: object = None) -> dict[str, object]:
    """The need of an effective configuration."""
    total = None if mem_total is None else amount(mem_total, field="mem_total")
    return need(from_dict(effective), total).as_dict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_reservation)
