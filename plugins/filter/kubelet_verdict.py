# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a kubelet starts with a configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_verdict
short_description: Tell whether a kubelet starts with a configuration on a machine
version_added: 0.1.0
description:
  - Judges what decides about NUMA, the static validation of the configuration, the three resource
    managers, and the state files of the last run.
  - A kubelet prints only the first of several errors. Here are all of them, in its own words and in
    the order in which it looks.
author:
  - homenode contributors (@homenode)
positional: numa
options:
  _input:
    description:
      - The whole result of P(homenode.numa.kubelet_effective#filter).
    type: dict
    required: true
  numa:
    description:
      - The machine, V(ansible_facts.numa) as M(homenode.numa.numa_facts) gives it.
    type: dict
    required: true
  checkpoints:
    description:
      - The parsed state files that are there, by name, C(cpu_manager_state) and
        C(memory_manager_state). A file that is no JSON is given as its text.
    type: dict
    default: {}
  version:
    description:
      - The kubelet's version, if it is not the one of the input.
    type: str
seealso:
  - plugin: homenode.numa.kubelet_effective
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse what the kubelet would refuse
  ansible.builtin.assert:
    that: verdict.starts
    fail_msg: "{{ verdict.errors | join('; ') }}"
  vars:
    effective: "{{ base | homenode.numa.kubelet_effective }}"
    verdict: "{{ effective | homenode.numa.kubelet_verdict(numa=ansible_facts.numa) }}"
"""

RETURN = r"""
_value:
  description:
    - The verdict.
  type: dict
  contains:
    starts:
      description: Whether the kubelet starts, the state files being as they are.
      type: bool
    errors:
      description: What it would say if it could say everything.
      type: list
      elements: str
    warnings:
      description:
        - What it takes and should not, such as a share above its node's memory, and what works and
          surprises.
      type: list
      elements: str
    reset:
      description: The state files that have to go before it starts, on a drained node.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.checkpoints import (
    live,
    stale,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import from_dict
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.validation import verdict
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_verdict(
    effective: object, numa: object, checkpoints: object = None, version: object = None
) -> dict[str, object]:
    """The verdict on *effective* for the machine *numa*."""
    if not isinstance(checkpoints, (Mapping, type(None))):
        raise HomenodeProblem(
            "checkpoints", checkpoints, "is not a map", "give state files by name, parsed"
        )
    found = from_dict(effective)
    if version is not None:
        found = replace(found, version=str(version))
    machine = hardware(numa)
    judged = verdict(found, machine)
    hindering = list(stale(found, machine, checkpoints or {}))
    reset = [problem.field for problem in hindering]
    warnings = (*judged.hazards, *judged.warnings, *live(checkpoints or {}, reset))
    return {
        "starts": judged.starts and not hindering,
        "errors": [problem.why for problem in (*judged.refusals, *hindering)],
        "warnings": [str(problem) for problem in warnings],
        "reset": reset,
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_verdict)
