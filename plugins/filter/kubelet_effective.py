# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration that a kubelet ends up with."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_effective
short_description: Merge a kubelet's configuration as the kubelet does
version_added: 0.1.0
description:
  - Merges compiled-in defaults, the file behind C(--config), the drop-ins behind C(--config-dir),
    and flags, and tells where each value comes from.
  - Maps of drop-ins are merged key by key, lists are replaced, and a map that is given as a flag
    replaces the whole map. The default of C(evictionHard) applies to the file only.
  - A list of reserved CPUs takes the place of the amounts of CPU, as in a kubelet that runs.
  - Only what decides about NUMA has defaults here. All other keys pass as they are.
author:
  - homenode contributors (@homenode)
positional: dropins, flags
options:
  _input:
    description:
      - The keys of the file behind C(--config), or V(none) for a kubelet without one.
    type: dict
    required: true
  dropins:
    description:
      - The keys of each drop-in, in the order in which the kubelet merges them, that is by path.
    type: list
    elements: dict
    default: []
  flags:
    description:
      - The kubelet's flags, each one V(name=value), with or without leading dashes. Flags that
        have nothing to do with NUMA are left out.
    type: list
    elements: str
    default: []
  distribution:
    description:
      - Who starts the kubelet. V(rke2) and V(k3s) add defaults of their own. On V(eks-al2),
        V(eks-al2023), V(bottlerocket) and V(kubespray) the file is the generated one.
    type: str
    choices: [upstream, kubeadm, kubespray, rke2, k3s, eks-al2, eks-al2023, bottlerocket]
    default: upstream
  version:
    description:
      - The kubelet's version, 1.28 or newer.
    type: str
    default: "1.35"
seealso:
  - plugin: homenode.numa.kubelet_reservation
    plugin_type: filter
"""

EXAMPLES = r"""
- name: What a kubeadm node keeps back, and why
  ansible.builtin.debug:
    msg: "{{ base | homenode.numa.kubelet_effective(flags=flags, distribution='kubeadm') }}"
  vars:
    base: {kubeReserved: {memory: 256Mi}}
    flags: [--system-reserved=memory=512Mi]
"""

RETURN = r"""
_value:
  description:
    - The merged configuration.
  type: dict
  contains:
    config:
      description: The keys of a KubeletConfiguration.
      type: dict
    origins:
      description:
        - For each dotted key, where its value comes from. Some keys that are missing are listed
          too, with the reason.
      type: dict
    version:
      description: The version whose rules were used.
      type: str
    distribution:
      description: The distribution whose defaults were used.
      type: str
    errors:
      description:
        - What a kubelet could not parse, each with C(field), C(value), C(why) in its own words,
          C(remedy) and C(source). It does not start with any.
      type: list
      elements: dict
    ignores_eviction:
      description: Whether a flag keeps hard eviction out of the reservation.
      type: bool
"""

from collections.abc import Callable, Mapping
from typing import Any, Optional

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import (
    Layer,
    Sources,
    effective,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_effective(
    base: object,
    dropins: object = (),
    flags: object = (),
    distribution: object = "upstream",
    version: object = DEFAULT_VERSION,
) -> dict[str, object]:
    """The merged configuration with its origins."""
    sources = Sources(
        base=_layer("the configuration file", base),
        dropins=tuple(
            layer
            for number, item in enumerate(_list("dropins", dropins), start=1)
            if (layer := _layer(f"drop-in {number}", item))
        ),
        flags=tuple(map(str, _list("flags", flags))),
        distribution=str(distribution),
        version=str(version),
    )
    return effective(sources).as_dict()


def _layer(name: str, settings: object) -> Optional[Layer]:
    if settings is None:
        return None
    if not isinstance(settings, Mapping):
        raise HomenodeProblem(
            name, settings, "is not a mapping", "parse the file first, by from_yaml"
        )
    return Layer(name, settings)


def _list(name: str, items: object) -> list[object]:
    if not isinstance(items, (list, tuple)):
        raise HomenodeProblem(name, items, "is not a list", f"give {name} as a list")
    return list(items)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_effective)
