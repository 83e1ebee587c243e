# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KubeletConfiguration keys and flag names as arguments of RKE2 and k3s."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rke2_kubelet_args
short_description: Kubelet settings as the arguments that RKE2 and k3s take
version_added: 0.1.0
description:
  - Gives the items of C(kubelet-arg) in C(/etc/rancher/rke2/config.yaml) or
    C(/etc/rancher/k3s/config.yaml), or of C(rke2_kubelet_arg) of the role lablabs.rke2.
  - Keys are names of kubelet flags, with or without dashes in front, or keys of a
    KubeletConfiguration that decide about NUMA, such as C(memoryManagerPolicy).
  - A map becomes one item, such as V(kube-reserved=cpu=1,memory=1Gi), with C(<) in place of the
    inner equals sign where the kubelet wants that. Options of policies become one item each.
  - A list becomes one item for each of its members, in its order. C(reservedMemory) becomes one
    item for each NUMA node.
  - A map that is given as an argument replaces the kubelet's whole map. An C(eviction-hard) without
    C(nodefs.available) and C(imagefs.available) drops RKE2's thresholds for disks.
  - What the kubelet could not parse raises an error with the kubelet's own words.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The settings.
    type: dict
    required: true
seealso:
  - plugin: homenode.numa.rke2_options_check
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The items in the order of their names
  ansible.builtin.debug:
    msg: "{{ settings | homenode.numa.rke2_kubelet_args }}"
  vars:
    settings:
      cpu-manager-policy: static
      memoryManagerPolicy: Static
      kube-reserved: {cpu: 1, memory: 1Gi}
      reservedMemory:
        - {numaNode: 0, limits: {memory: 512Mi}}
        - {numaNode: 1, limits: {memory: 512Mi}}
"""

RETURN = r"""
_value:
  description:
    - Items V(name=value) without leading dashes, by name. Items of one name keep their order.
  type: list
  elements: str
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import FLAGS, parse
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import (
    reserved_memory_flags,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters

_NAMES = {key: name for name, (key, _read) in FLAGS.items()}
_FLAG = re.compile(r"[a-z][a-z0-9-]*\Z", re.ASCII)
_THRESHOLDS = ("eviction-hard", "eviction-soft")
_ONE_EACH = ("cpu-manager-policy-options", "topology-manager-policy-options")


def rke2_kubelet_args(settings: object) -> list[str]:
    """*settings* as items of kubelet-arg."""
    if not isinstance(settings, Mapping):
        raise HomenodeProblem("settings", settings, "is not a map", "give kubelet settings by name")
    found: dict[str, list[str]] = {}
    for key, value in settings.items():
        name = _flag_name(key, value)
        if name in found:
            raise HomenodeProblem(str(key), value, f"sets --{name} again", "set it once")
        found[name] = [f"{name}={text}" for text in _texts(name, key, value)]
    # By name with its sign, so that the whole list is in the order of its texts as well.
    items = [item for name in sorted(found, key=lambda name: f"{name}=") for item in found[name]]
    for problem in parse(items).errors:
        raise HomenodeProblem(problem.field, problem.value, problem.why, problem.remedy)
    return items


def _flag_name(key: object, value: object) -> str:
    written = str(key)
    name = _NAMES.get(written, written[2:] if written.startswith("--") else written)
    if not _FLAG.match(name):
        raise HomenodeProblem(
            written, value, "is neither a flag's name nor a key that is known here", "use the flag"
        )
    return name


def _texts(name: str, key: object, value: Any) -> list[str]:
    if name == "reserved-memory" and _is_records(value):
        return [flag.partition("=")[2] for flag in reserved_memory_flags(value)]
    if isinstance(value, Mapping):
        sign = "<" if name in _THRESHOLDS else "="
        pairs = [f"{item}{sign}{_text(f'{key}.{item}', value[item])}" for item in sorted(value)]
        return pairs if name in _ONE_EACH else [",".join(pairs)]
    if isinstance(value, (list, tuple)):
        return [_text(f"{key}[{number}]", item) for number, item in enumerate(value)]
    return [_text(str(key), value)]


def _is_records(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value)


def _text(field: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, (Mapping, list, tuple)):
        raise HomenodeProblem(field, value, "is no value of a flag", "give a text or a number")
    text = str(value)
    if text[:1] in ("'", '"') or text != text.strip() or len(text.splitlines()) > 1:
        why = "has quotes, spaces or lines of its own, which would reach the kubelet"
        raise HomenodeProblem(field, text, why, "write the bare value")
    return text


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(rke2_kubelet_args)
