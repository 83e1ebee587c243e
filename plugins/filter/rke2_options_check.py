# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's part of an inventory for the role lablabs.rke2, judged."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rke2_options_check
short_description: Judge the kubelet arguments in an inventory for lablabs.rke2
version_added: 0.1.0
description:
  - Reads C(rke2_server_options) or C(rke2_agent_options) as the role lablabs.rke2 writes them
    to RKE2's file, then as RKE2 reads that file, then as the kubelet reads its arguments.
  - Tells what is lost on the way, such as C(kubelet-arg) that is written twice, and what the
    kubelet refuses, in its own words.
  - RKE2 gives its kubelet no threshold for C(memory.available), so C(reserved-memory) has to add up
    to C(kube-reserved) and C(system-reserved) alone.
  - The same file format is k3s's. Its settings go in as one mapping in a list.
author:
  - homenode contributors (@homenode)
positional: kubelet_args
options:
  _input:
    description:
      - C(rke2_server_options) or C(rke2_agent_options), texts as they are written to the file, or
        mappings.
    type: list
    elements: raw
    required: true
  kubelet_args:
    description:
      - C(rke2_kubelet_arg), if it is defined. The role writes it as a second C(kubelet-arg), which
        wins even if it is empty.
    type: list
    elements: str
  kubelet_config:
    description:
      - C(rke2_kubelet_config), if it is defined. The kubelet reads it only if C(config) among the
        arguments names its file.
    type: dict
  version:
    description:
      - The version of RKE2 or of Kubernetes, 1.28 or newer, such as V(v1.31.4+rke2r1).
    type: str
    default: "1.35"
  numa:
    description:
      - The machine, V(ansible_facts.numa) as M(homenode.numa.numa_facts) gives it. Without it, any
        NUMA node is taken as there, with memory enough.
    type: dict
seealso:
  - plugin: homenode.numa.rke2_options_complete
    plugin_type: filter
  - plugin: homenode.numa.rke2_kubelet_args
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse to go on with arguments that would be lost, or that stop the kubelet
  ansible.builtin.assert:
    that: findings | length == 0
    fail_msg: "{{ findings }}"
  vars:
    findings: >-
      {{ rke2_server_options | default([]) | homenode.numa.rke2_options_check(
           kubelet_args=rke2_kubelet_arg | default(none), version=rke2_version) }}
"""

RETURN = r"""
_value:
  description:
    - What is wrong, in the order in which it is read. Empty if nothing is.
  type: list
  elements: dict
  contains:
    field:
      description: The option, argument or key of a KubeletConfiguration.
      type: str
    value:
      description: Its value.
      type: str
    why:
      description: What is wrong with it. If the kubelet refuses it, in the kubelet's words.
      type: str
    remedy:
      description: What to do.
      type: str
    source:
      description: Where it stands, such as C(options[0]), if that is known.
      type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters
from ansible_collections.homenode.numa.plugins.plugin_utils.rke2_findings import (
    Inventory,
    as_dicts,
    findings,
)


def rke2_options_check(
    options: object,
    kubelet_args: object = None,
    kubelet_config: object = None,
    version: object = DEFAULT_VERSION,
    numa: object = None,
) -> list[dict[str, str]]:
    """What is wrong with *options* and the variables beside them."""
    if not isinstance(kubelet_config, (Mapping, type(None))):
        raise HomenodeProblem(
            "kubelet_config", kubelet_config, "is no map", "give rke2_kubelet_config"
        )
    if not isinstance(options, (list, tuple, type(None))):
        raise HomenodeProblem("options", options, "is not a list", "give rke2_server_options")
    inventory = Inventory(
        options=options,
        kubelet_args=kubelet_args,
        kubelet_config=kubelet_config,
        version=str(version),
        machine=None if numa is None else hardware(numa),
    )
    return as_dicts(findings(inventory))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(rke2_options_check)
