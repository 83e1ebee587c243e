# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory divided over NUMA nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_reserved_memory
short_description: Divide a kubelet's reserved memory over NUMA nodes
version_added: 0.1.0
description:
  - Gives the value of C(reservedMemory) in a KubeletConfiguration.
  - Shares are whole MiB. What is left below a MiB goes to the lowest node that has memory. Nodes
    with a share of zero are left out, because a kubelet refuses zeros.
  - A share above what its node has without its preallocated huge pages raises an error that names
    the node. A kubelet would take it, and its bookkeeping of that node would be wrong ever after.
author:
  - homenode contributors (@homenode)
positional: numa_nodes, strategy
options:
  _input:
    description:
      - The total, in bytes or as a quantity. It is V(bytes) of
        P(homenode.numa.kubelet_reservation#filter).
    type: raw
    required: true
  numa_nodes:
    description:
      - The nodes as M(homenode.numa.numa_facts) gives them, in V(ansible_facts.numa.nodes).
      - For planning without a machine, maps with C(id) and C(memory_total), or only the sizes in
        the order of ids from 0.
    type: list
    elements: raw
    required: true
  strategy:
    description:
      - With V(proportional), by the nodes' memory. With V(even), the same on each. With V(first),
        all on the lowest node, and what does not fit there on the next.
      - "A map of node id to quantity, such as C({0: 1Gi, 1: 2Gi}), has to add up to the total."
    type: raw
    default: proportional
seealso:
  - plugin: homenode.numa.kubelet_reservation
    plugin_type: filter
  - plugin: homenode.numa.kubelet_reserved_memory_flags
    plugin_type: filter
"""

EXAMPLES = r"""
- name: 4226Mi on node 0, 4236Mi on node 1
  ansible.builtin.debug:
    msg: "{{ '8462Mi' | homenode.numa.kubelet_reserved_memory(['131821728Ki', '132118248Ki']) }}"

- name: As much as this machine's kubelet would need
  ansible.builtin.debug:
    msg: "{{ need.bytes | homenode.numa.kubelet_reserved_memory(nodes, 'even') }}"
  vars:
    nodes: "{{ ansible_facts.numa.nodes }}"
    need: "{{ {} | homenode.numa.kubelet_effective | homenode.numa.kubelet_reservation }}"
"""

RETURN = r"""
_value:
  description:
    - One entry for each node with a share, ascending.
  type: list
  elements: dict
  contains:
    numaNode:
      description: The node's id.
      type: int
    limits:
      description: Its share, as C(memory).
      type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import (
    reserved_memory,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.split import (
    PROPORTIONAL,
    rooms,
    split,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import amount
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_reserved_memory(
    total: object, numa_nodes: object, strategy: object = PROPORTIONAL
) -> list[dict[str, object]]:
    """*total* over *numa_nodes* by *strategy*."""
    return reserved_memory(split(amount(total, field="total"), rooms(numa_nodes), strategy))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_reserved_memory)
