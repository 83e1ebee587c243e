# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reserved memory as flags."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_reserved_memory_flags
short_description: Reserved memory as kubelet flags
version_added: 0.1.0
description:
  - Gives one flag for each NUMA node, for distributions that configure their kubelet by flags. One
    flag with several nodes would need a semicolon, which shells and wrappers break.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The value of C(reservedMemory), as P(homenode.numa.kubelet_reserved_memory#filter) gives it.
    type: list
    elements: dict
    required: true
seealso:
  - plugin: homenode.numa.kubelet_reserved_memory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: reserved-memory=0:memory=4226Mi and reserved-memory=1:memory=4236Mi
  ansible.builtin.debug:
    msg: "{{ shares | homenode.numa.kubelet_reserved_memory_flags }}"
  vars:
    shares: "{{ '8462Mi' | homenode.numa.kubelet_reserved_memory(['131821728Ki', '132118248Ki']) }}"
"""

RETURN = r"""
_value:
  description:
    - The flags, without leading dashes.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import (
    reserved_memory_flags,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def kubelet_reserved_memory_flags(reservations: Any) -> list[str]:
    """One flag a node."""
    return reserved_memory_flags(reservations)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_reserved_memory_flags)
