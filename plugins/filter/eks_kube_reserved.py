# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an EKS image keeps back for Kubernetes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: eks_kube_reserved
short_description: Tell the kubeReserved that an EKS node will have
version_added: 0.1.0
description:
  - For planning, before there is a node. On a node its own effective configuration is the truth,
    because user data, a launch template or Karpenter may have changed it.
  - A kubelet with memory policy C(Static) needs this memory and that of C(evictionHard), 100Mi on
    every EKS image.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - Pods. With O(generation=al2) and O(generation=al2023) it is the figure of
        P(homenode.numa.eks_max_pods#filter) without options, whatever C(maxPods) the node has, and
        110 on AL2023 for an instance type that nodeadm does not know.
      - With O(generation=bottlerocket) it is the effective C(max-pods), and V(none) if nothing sets
        it; then Bottlerocket keeps no memory back.
      - With O(generation=al2-2020-01) it counts for nothing.
    type: int
    required: true
  vcpus:
    description:
      - The vCPUs of the instance type.
    type: int
    required: true
  generation:
    description:
      - The image. V(al2-2020-01) stands for the AL2 images from v20191119 to v20200406, V(al2) for
        newer ones and for Canonical's Ubuntu images.
    type: str
    choices: [al2023, al2, al2-2020-01, bottlerocket]
    default: al2023
  mem_total:
    description:
      - The machine's memory in bytes, or as a quantity. O(generation=al2-2020-01) needs it.
    type: raw
seealso:
  - plugin: homenode.numa.eks_max_pods
    plugin_type: filter
  - plugin: homenode.numa.kubelet_reservation
    plugin_type: filter
"""

EXAMPLES = r"""
- name: "{'cpu': '310m', 'memory': '8362Mi', 'ephemeral-storage': '1Gi'}"
  ansible.builtin.debug:
    msg: "{{ 'm5.24xlarge' | homenode.numa.eks_max_pods | homenode.numa.eks_kube_reserved(96) }}"
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
      description: Memory, missing on Bottlerocket without C(max-pods).
      type: str
    ephemeral-storage:
      description: Disk.
      type: str
"""

from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import amount
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import one_of, whole_number
from ansible_collections.homenode.numa.plugins.plugin_utils.cloud_reservations import (
    MIB,
    eks_cpu_m,
    eks_memory_mib,
    ladder_mib,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters

GENERATIONS = ("al2023", "al2", "al2-2020-01", "bottlerocket")


def eks_kube_reserved(
    pods: object, vcpus: object, generation: object = "al2023", mem_total: object = None
) -> dict[str, str]:
    """The map that the image writes."""
    image = one_of("generation", generation, GENERATIONS)
    reserved = {"cpu": f"{eks_cpu_m(whole_number('vcpus', vcpus))}m"}
    memory_mib = _ladder(mem_total) if image == "al2-2020-01" else _by_pods(pods, image)
    if memory_mib is not None:
        reserved["memory"] = f"{memory_mib}Mi"
    return {**reserved, "ephemeral-storage": "1Gi"}


def _by_pods(pods: object, image: str) -> Optional[int]:
    if pods is None and image == "bottlerocket":
        return None
    if pods is None:
        raise HomenodeProblem(
            "pods",
            pods,
            f"is missing, and {image} computes its memory from it",
            "pipe the figure of eks_max_pods in; for an unknown type nodeadm takes 110",
        )
    return eks_memory_mib(whole_number("pods", pods, least=0))


def _ladder(mem_total: object) -> int:
    if mem_total is None:
        raise HomenodeProblem(
            "mem_total",
            mem_total,
            "is missing, and the images of early 2020 compute their memory from it",
            "give mem_total in bytes or as a quantity",
        )
    return ladder_mib(amount(mem_total, field="mem_total") // MIB)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(eks_kube_reserved)
