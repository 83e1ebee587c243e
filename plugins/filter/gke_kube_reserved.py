# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GKE keeps back for Kubernetes, as far as it can be told from outside."""

from __future__ import annotations

DOCUMENTATION = r"""
name: gke_kube_reserved
short_description: Estimate the kubeReserved that a GKE node will have
version_added: 0.1.0
description:
  - For planning the size of workloads only. Nobody edits the kubelet of a GKE node, and real nodes
    differ from the published formula by tens of MiB, so no reserved memory can be computed from it.
  - 255 MiB below 1 GiB. Else 25 percent of the first 4 GiB, 20 of the next 4, 10 of the next 8, 6
    of the next 112, and 2 of what is above 128 GiB.
  - Eviction comes on top, C(memory.available) of 100Mi.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The memory of the machine type, in bytes or as a quantity such as V(150Gi).
    type: raw
    required: true
  vcpus:
    description:
      - The vCPUs of the machine type.
    type: int
    required: true
seealso:
  - plugin: homenode.numa.aks_kube_reserved
    plugin_type: filter
"""

EXAMPLES = r"""
- name: "{'cpu': '80m', 'memory': '2662Mi'}"
  ansible.builtin.debug:
    msg: "{{ '16Gi' | homenode.numa.gke_kube_reserved(vcpus=4) }}"
"""

RETURN = r"""
_value:
  description:
    - The map as it would stand in a KubeletConfiguration, all values texts.
  type: dict
  contains:
    cpu:
      description: Thousandths of a core.
      type: str
    memory:
      description: Memory, in whole Mi.
      type: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import amount
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import whole_number
from ansible_collections.homenode.numa.plugins.plugin_utils.cloud_reservations import (
    MIB,
    eks_cpu_m,
    gke_memory,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def gke_kube_reserved(mem_total: object, vcpus: object) -> dict[str, str]:
    """The map that GKE gives its kubelets, within tens of MiB."""
    memory = gke_memory(amount(mem_total, field="mem_total"))
    cpu_m = eks_cpu_m(whole_number("vcpus", vcpus))  # EKS took GKE's bands over
    return {"cpu": f"{cpu_m}m", "memory": f"{memory // MIB}Mi"}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(gke_kube_reserved)
