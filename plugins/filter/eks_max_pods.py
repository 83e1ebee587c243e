# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods with an address of their own on an EC2 instance type."""

from __future__ import annotations

DOCUMENTATION = r"""
name: eks_max_pods
short_description: Tell how many pods the network of an EC2 instance type has addresses for
version_added: 0.1.0
description:
  - Counts as AWS' C(max-pods-calculator.sh) does, from a table of all instance types that ships
    with the collection. The head of C(plugins/plugin_utils/ec2_eni_limits.txt) says where the facts
    come from, of which date they are, and how to refresh them.
  - Without options it is the figure from which the images AL2 and AL2023 compute C(kubeReserved),
    whatever C(maxPods) a node has. The options change C(maxPods) only.
  - An instance type that is not in the table raises an error with the types that are like it.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The instance type.
    type: str
    required: true
  prefix_delegation:
    description:
      - Whether the CNI takes a prefix of 16 addresses where it takes one address otherwise. That
        needs a Nitro instance and raises an error for the families that run on Xen.
    type: bool
    default: false
  custom_networking:
    description:
      - Whether the pods have subnets of their own, so that the first interface carries no pods.
    type: bool
    default: false
  cni_max_eni:
    description:
      - How many interfaces the CNI may use, if fewer than there are, as in C(MAX_ENI).
    type: int
  cap:
    description:
      - Whether to stay below what AWS recommends, 110 pods, or 250 with more than 30 vCPUs. It
        needs O(vcpus), because the table has none.
    type: bool
    default: false
  vcpus:
    description:
      - The vCPUs of the instance type.
    type: int
seealso:
  - plugin: homenode.numa.eks_kube_reserved
    plugin_type: filter
"""

EXAMPLES = r"""
- name: 737, from 15 interfaces with 50 addresses each
  ansible.builtin.debug:
    msg: "{{ 'm5.24xlarge' | homenode.numa.eks_max_pods }}"

- name: 110, because 16 addresses for one are more than two vCPUs should serve
  ansible.builtin.debug:
    msg: "{{ 'm5.large' | homenode.numa.eks_max_pods(prefix_delegation=true, cap=true, vcpus=2) }}"
"""

RETURN = r"""
_value:
  description:
    - A number of pods.
  type: int
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import (
    whole_number,
    yes_or_no,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.cloud_reservations import (
    eni_max_pods,
    recommended,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.ec2_eni_limits import limits_of
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters

XEN_FAMILIES = (
    *("c1", "c3", "c4", "d2", "f1", "g2", "g3", "g3s", "h1", "i2", "i3", "m1", "m2", "m3", "m4"),
    *("p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e"),
)
"""Families before Nitro; the bare metal of i3 is no Xen guest."""


def eks_max_pods(
    instance_type: object,
    prefix_delegation: object = False,
    custom_networking: object = False,
    cni_max_eni: object = None,
    cap: object = False,
    vcpus: object = None,
) -> int:
    """The pods that *instance_type* has addresses for."""
    limits = limits_of(instance_type)
    prefixes = yes_or_no("prefix_delegation", prefix_delegation)
    if prefixes:
        _refuse_xen(str(instance_type))
    pods = eni_max_pods(
        limits.enis,
        limits.ipv4_per_eni,
        prefix_delegation=prefixes,
        custom_networking=yes_or_no("custom_networking", custom_networking),
        cni_max_eni=None if cni_max_eni is None else whole_number("cni_max_eni", cni_max_eni),
    )
    if not yes_or_no("cap", cap):
        return pods
    if vcpus is None:
        raise HomenodeProblem(
            "vcpus", instance_type, "is missing, and cap=true depends on it", "give vcpus=96"
        )
    return recommended(pods, whole_number("vcpus", vcpus))


def _refuse_xen(instance_type: str) -> None:
    family, _dot, size = instance_type.partition(".")
    if family in XEN_FAMILIES and size != "metal":
        raise HomenodeProblem(
            "prefix_delegation",
            instance_type,
            "is not a Nitro instance, and the CNI gives prefixes to those only",
            "leave prefix_delegation out, as the node does",
        )


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(eks_max_pods)
