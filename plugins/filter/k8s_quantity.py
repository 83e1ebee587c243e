# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes quantity as a number."""

from __future__ import annotations

DOCUMENTATION = r"""
name: k8s_quantity
short_description: Read a Kubernetes quantity as a whole number
version_added: 0.1.0
description:
  - Reads every suffix that Kubernetes knows, V(Ki) to V(Ei), V(n) to V(E), and exponents such as
    V(e9), without rounding.
  - What Kubernetes would refuse raises an error that names the value.
author:
  - homenode contributors (@homenode)
positional: unit
options:
  _input:
    description:
      - The quantity, a text such as V(8462Mi), or a number.
    type: raw
    required: true
  unit:
    description:
      - What to count in, a suffix or a quantity. With V(m), the CPU amount V(310m) is 310.
      - A value that is not a whole number of it raises an error, because a rounded one would make
        a kubelet refuse to start.
    type: str
    default: "1"
seealso:
  - plugin: homenode.numa.k8s_quantity_format
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Bytes, 8873050112
  ansible.builtin.debug:
    msg: "{{ '8462Mi' | homenode.numa.k8s_quantity }}"

- name: Thousandths of a CPU, 1500
  ansible.builtin.debug:
    msg: "{{ '1.5' | homenode.numa.k8s_quantity(unit='m') }}"
"""

RETURN = r"""
_value:
  description:
    - The number of units.
  type: int
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import Quantity
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def k8s_quantity(value: object, unit: object = "1") -> int:
    """The number of *unit* in *value*, exactly."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise HomenodeProblem(
            "quantity", value, "is not a text or a whole number", "give a text such as 8462Mi"
        )
    suffix = str(unit)
    one = suffix if any(map(str.isdigit, suffix)) else f"1{suffix}"
    step = Quantity.parse(one, field="unit")
    if step.nanos <= 0:
        raise HomenodeProblem("unit", unit, "is not positive", "give a suffix, such as m or Mi")
    number, rest = divmod(Quantity.parse(str(value)).nanos, step.nanos)
    if rest:
        why = f"is not a whole number of {step}"
        raise HomenodeProblem("quantity", value, why, "give a smaller unit, such as unit='m'")
    return number


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(k8s_quantity)
