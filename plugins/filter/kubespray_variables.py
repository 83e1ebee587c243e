# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubelet settings as kubespray's variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubespray_variables
short_description: Kubelet settings as inventory variables of kubespray
version_added: 0.1.0
description:
  - Gives the variables that kubespray 2.32 has for keys of a KubeletConfiguration, and puts the
    other keys in C(kubelet_config_extra_args), so that no key stands twice in the kubelet's file.
  - Kubespray reserves CPU and memory where its variables say nothing, V(100m) and V(256Mi) for
    Kubernetes, V(500m) and V(512Mi) for the system. What is not given here keeps these amounts, and
    they count where C(reservedMemory) is checked or computed.
  - The result replaces variables as a whole. What an inventory already has in
    C(kubelet_config_extra_args) or C(eviction_hard) belongs among the settings.
  - What the kubelet would refuse about its reserved memory raises an error in its own words.
author:
  - homenode contributors (@homenode)
positional: numa, strategy
options:
  _input:
    description:
      - Keys of a KubeletConfiguration.
    type: dict
    required: true
  numa:
    description:
      - The machine, V(ansible_facts.numa) as M(homenode.numa.numa_facts) gives it, or its nodes as
        P(homenode.numa.kubelet_reserved_memory#filter) takes them. With it, a C(reservedMemory)
        that is missing is computed.
    type: raw
  strategy:
    description:
      - How the memory is divided, see P(homenode.numa.kubelet_reserved_memory#filter).
    type: raw
    default: proportional
  version:
    description:
      - The kubelet's version, 1.28 or newer.
    type: str
    default: "1.35"
seealso:
  - plugin: homenode.numa.kubelet_reserved_memory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: 434Mi on each of two equal nodes, for 256Mi, 512Mi and the 100Mi of eviction
  ansible.builtin.debug:
    msg: "{{ settings | homenode.numa.kubespray_variables(numa=['64Gi', '64Gi']) }}"
  vars:
    settings:
      cpuManagerPolicy: static
      memoryManagerPolicy: Static
      topologyManagerPolicy: single-numa-node
"""

RETURN = r"""
_value:
  description:
    - Variables for the group of the nodes, such as C(kubelet_cpu_manager_policy).
  type: dict
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.arithmetic import need
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.configuration import (
    TEXT_MAPS,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import (
    Effective,
    Layer,
    Sources,
    effective,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import (
    Hardware,
    hardware,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import (
    reserved_memory,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.split import (
    PROPORTIONAL,
    split,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters
from ansible_collections.homenode.numa.plugins.plugin_utils.kubespray import (
    ALWAYS,
    OWN,
    RESERVED,
    WHERE_DEFINED,
    reserved_variable,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.planned_verdict import judged

_ENFORCED = "enforceNodeAllocatable"
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+\Z", re.ASCII)
"""A text that PyYAML writes without quotes and that a kubelet reads as a number."""


def kubespray_variables(
    settings: object,
    numa: object = None,
    strategy: object = PROPORTIONAL,
    version: object = DEFAULT_VERSION,
) -> dict[str, object]:
    """*settings* as variables."""
    if not isinstance(settings, Mapping):
        raise HomenodeProblem("settings", settings, "is not a map", "give kubelet settings by name")
    wanted = {
        str(key): _texts(str(key), value)
        for key, value in settings.items()
        if key not in ("apiVersion", "kind") and value is not None
    }
    machine = None if numa is None else hardware(numa)
    _complete(wanted, machine, strategy, str(version))
    variables: dict[str, object] = {}
    extra: dict[str, object] = {}
    for key, value in sorted(wanted.items()):
        found = _variables(key, value, wanted)
        variables.update({} if found is None else found)
        if found is None:
            extra[key] = value
    if extra:
        variables["kubelet_config_extra_args"] = extra
    return dict(sorted(variables.items()))


def _variables(
    key: str, value: object, wanted: Mapping[str, object]
) -> Optional[dict[str, object]]:
    """The variables for one key; None where kubespray has none."""
    if key in OWN:
        why = "is written by kubespray itself, and would stand in the file twice"
        raise HomenodeProblem(key, value, why, f"use {OWN[key]}")
    for names in (ALWAYS, WHERE_DEFINED):
        if key in names:
            return {names[key]: value}
    if key in ("kubeReserved", "systemReserved"):
        return _reserved(key, value)
    if key in ("kubeReservedCgroup", "systemReservedCgroup"):
        scope = key.partition("Reserved")[0]
        return {f"{scope}_reserved": True, f"{scope}_reserved_cgroups": value}
    if key == "evictionHard" and value:
        return {"eviction_hard": value}
    if key == _ENFORCED and isinstance(value, (list, tuple)) and value:
        return {"kubelet_enforce_node_allocatable": ",".join(map(str, value))}
    if key == "featureGates" and isinstance(value, Mapping):
        gates = [f"{name}={str(on).lower()}" for name, on in sorted(value.items())]
        return {"kubelet_feature_gates": gates}
    if key == "memorySwap":
        return _swap(value, wanted)
    return None


def _reserved(key: str, amounts: object) -> dict[str, object]:
    scope = key.partition("Reserved")[0]
    if not isinstance(amounts, Mapping):
        raise HomenodeProblem(
            key, amounts, "is not a map", 'write a map, such as {"memory": "1Gi"}'
        )
    for resource, amount in amounts.items():
        if resource not in RESERVED[scope]:
            known = ", ".join(RESERVED[scope])
            raise HomenodeProblem(
                f"{key}.{resource}", amount, "cannot be reserved", f"use one of {known}"
            )
    return {reserved_variable(scope, resource): amounts[resource] for resource in sorted(amounts)}


def _swap(value: object, wanted: Mapping[str, object]) -> dict[str, object]:
    behavior = value.get("swapBehavior") if isinstance(value, Mapping) else None
    if behavior is None or wanted.get("failSwapOn") is not False:
        why = "is written by kubespray where failSwapOn is false, and only with its swapBehavior"
        raise HomenodeProblem("memorySwap", value, why, "set failSwapOn to false, and swapBehavior")
    return {"kubelet_swap_behavior": behavior}


def _texts(key: str, value: object) -> object:
    """Maps of texts with texts alone: kubespray writes them by PyYAML, numbers stop the kubelet."""
    if key not in TEXT_MAPS or not isinstance(value, Mapping):
        return value
    result = {}
    for name, item in value.items():
        text = str(item).lower() if isinstance(item, bool) else str(item)
        if key not in ("kubeReserved", "systemReserved") and _NUMBER.match(text):
            why = "would be written without quotes, and the kubelet reads a number then"
            raise HomenodeProblem(f"{key}.{name}", text, why, "write it like 1G or 1Gi")
        result[str(name)] = text
    return result


def _complete(
    wanted: dict[str, object], machine: Optional[Hardware], strategy: object, version: str
) -> None:
    """Add a missing reservedMemory, and refuse one that does not fit what kubespray reserves."""
    found = _outcome(wanted, version)
    if found.config.get("memoryManagerPolicy") != "Static" or found.errors:
        return
    if machine is not None and "reservedMemory" not in wanted:
        total = need(found, machine.memory_total).total
        shares = split(total.whole(field="the sum of all reservations"), machine.rooms, strategy)
        wanted["reservedMemory"] = reserved_memory(shares)
        found = _outcome(wanted, version)
    whole = judged(found, machine)
    for problem in (*whole.refusals, *whole.hazards):
        raise HomenodeProblem(problem.field, problem.value, problem.why, problem.remedy)


def _outcome(wanted: Mapping[str, object], version: str) -> Effective:
    """The configuration of a kubelet that gets *wanted* and what kubespray adds to it."""
    settings = dict(wanted)
    for scope, amounts in RESERVED.items():
        key = f"{scope}Reserved"
        given = wanted.get(key)
        settings[key] = {**amounts, **given} if isinstance(given, Mapping) else {**amounts}
    base = Layer("kubespray's kubelet-config.yaml", settings)
    return effective(Sources(base=base, distribution="kubespray", version=version))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubespray_variables)
