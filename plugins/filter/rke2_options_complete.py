# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's part of an inventory for the role lablabs.rke2, completed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rke2_options_complete
short_description: Add the reserved memory to the options of lablabs.rke2
version_added: 0.1.0
description:
  - Gives C(rke2_server_options) or C(rke2_agent_options) back with the C(reserved-memory) that the
    kubelet's Memory Manager needs on a machine.
  - An amount that is there and right stays, even if it is all on one NUMA node. One that is wrong
    is replaced. All other arguments and options stay as they are, and options that need nothing
    are given back unchanged.
  - What else is lost or refused raises an error. P(homenode.numa.rke2_options_check#filter) shows
    all of it, and what only surprises.
author:
  - homenode contributors (@homenode)
positional: numa, strategy, version
options:
  _input:
    description:
      - C(rke2_server_options) or C(rke2_agent_options).
    type: list
    elements: raw
    required: true
  numa:
    description:
      - The machine, V(ansible_facts.numa) as M(homenode.numa.numa_facts) gives it, or its nodes as
        P(homenode.numa.kubelet_reserved_memory#filter) takes them.
    type: raw
    required: true
  strategy:
    description:
      - How the memory is divided, see P(homenode.numa.kubelet_reserved_memory#filter).
    type: raw
    default: proportional
  version:
    description:
      - The version of RKE2 or of Kubernetes, 1.28 or newer.
    type: str
    default: "1.35"
seealso:
  - plugin: homenode.numa.rke2_options_check
    plugin_type: filter
  - plugin: homenode.numa.kubelet_reserved_memory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The arguments with 1Gi on each of two equal nodes
  ansible.builtin.debug:
    msg: "{{ options | homenode.numa.rke2_options_complete(numa=['64Gi', '64Gi']) }}"
  vars:
    options:
      - "kubelet-arg: ['memory-manager-policy=Static', 'kube-reserved=memory=2Gi']"
"""

RETURN = r"""
_value:
  description:
    - The list for the inventory.
  type: list
  elements: raw
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.split import PROPORTIONAL
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters
from ansible_collections.homenode.numa.plugins.plugin_utils.rke2_completion import completed


def rke2_options_complete(
    options: object,
    numa: object,
    strategy: object = PROPORTIONAL,
    version: object = DEFAULT_VERSION,
) -> list[object]:
    """*options* with the reserved memory that the machine *numa* needs."""
    return completed(options, hardware(numa), strategy, str(version))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(rke2_options_complete)
