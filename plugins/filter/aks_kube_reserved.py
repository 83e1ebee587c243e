# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AKS keeps back for Kubernetes, as far as it can be told from outside."""

from __future__ import annotations

DOCUMENTATION = r"""
name: aks_kube_reserved
short_description: Estimate the kubeReserved that an AKS node will have
version_added: 0.1.0
description:
  - For planning only. On a node its own effective configuration is the truth.
  - Since 1.29, 20 MB for each pod and 50 MB more, at most a quarter of the memory. Before, GKE's
    ladder of 25, 20, 10, 6 and 2 percent.
  - Three things are uncertain. AKS publishes MB and nodes before 1.29 were seen to have Mi, so Mi
    it is here. The memory is that of the VM size as sold, not what Linux sees. CPU is published for
    powers of two up to 64, and drawn in a line between and beyond.
  - Eviction comes on top, C(memory.available) of 100Mi since 1.29 and 750Mi before.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The effective C(maxPods). It counts for nothing before 1.29.
    type: int
    required: true
  vcpus:
    description:
      - The vCPUs of the VM size.
    type: int
    required: true
  mem_total:
    description:
      - The memory of the VM size, in bytes or as a quantity such as V(7Gi).
    type: raw
    required: true
  version:
    description:
      - The version of Kubernetes.
    type: str
    default: "1.35"
seealso:
  - plugin: homenode.numa.gke_kube_reserved
    plugin_type: filter
  - plugin: homenode.numa.kubelet_reservation
    plugin_type: filter
"""

EXAMPLES = r"""
- name: "{'cpu': '140m', 'memory': '650Mi'}"
  ansible.builtin.debug:
    msg: "{{ 30 | homenode.numa.aks_kube_reserved(vcpus=4, mem_total='16Gi') }}"

- name: "{'cpu': '100m', 'memory': '1638Mi'}"
  ansible.builtin.debug:
    msg: "{{ 110 | homenode.numa.aks_kube_reserved(2, '7Gi', version='1.28') }}"
"""

RETURN = r"""
_value:
  description:
    - The map as it stands in a KubeletConfiguration, all values texts.
  type: dict
  contains:
    cpu:
      description: Thousandths of a core.
      type: str
    memory:
      description: Memory, in Mi.
      type: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
    version_of,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import amount
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import whole_number
from ansible_collections.homenode.numa.plugins.plugin_utils.cloud_reservations import (
    MIB,
    aks_cpu_m,
    aks_memory_mib,
    ladder_mib,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters

BY_PODS_SINCE = (1, 29)


def aks_kube_reserved(
    pods: object, vcpus: object, mem_total: object, version: object = DEFAULT_VERSION
) -> dict[str, str]:
    """The map that AKS gives its kubelets."""
    memory = amount(mem_total, field="mem_total")
    max_pods = whole_number("pods", pods, least=0)
    by_pods = version_of(str(version)) >= BY_PODS_SINCE
    memory_mib = aks_memory_mib(max_pods, memory) if by_pods else ladder_mib(memory // MIB)
    return {"cpu": f"{aks_cpu_m(whole_number('vcpus', vcpus))}m", "memory": f"{memory_mib}Mi"}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(aks_kube_reserved)
