# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A number as a Kubernetes quantity."""

from __future__ import annotations

DOCUMENTATION = r"""
name: k8s_quantity_format
short_description: Print a number as Kubernetes prints it
version_added: 0.1.0
description:
  - Prints the canonical form, with the largest suffix that loses nothing.
  - A value that the suffixes do not fit stays a plain number.
author:
  - homenode contributors (@homenode)
positional: format
options:
  _input:
    description:
      - A whole number, or a quantity to print in another way.
    type: raw
    required: true
  format:
    description:
      - With V(BinarySI), powers of 1024 such as V(Mi). With V(DecimalSI), powers of 1000 such as
        V(M). With V(DecimalExponent), such as V(e6).
    type: str
    choices: [BinarySI, DecimalSI, DecimalExponent]
    default: BinarySI
seealso:
  - plugin: homenode.numa.k8s_quantity
    plugin_type: filter
"""

EXAMPLES = r"""
- name: 8462Mi
  ansible.builtin.debug:
    msg: "{{ 8873050112 | homenode.numa.k8s_quantity_format('BinarySI') }}"

- name: 1Gi, as Kubernetes prints 1024Mi
  ansible.builtin.debug:
    msg: "{{ '1024Mi' | homenode.numa.k8s_quantity_format }}"
"""

RETURN = r"""
_value:
  description:
    - The quantity.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import (
    BINARY_SI,
    FORMATS,
    Quantity,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def k8s_quantity_format(value: object, format: object = BINARY_SI) -> str:
    """The canonical form of *value* in *format*."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise HomenodeProblem(
            "quantity", value, "is not a whole number or a quantity", "give a number such as 1024"
        )
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise HomenodeProblem("format", format, "is not known", f"use one of: {known}")
    return str(Quantity(Quantity.parse(str(value)).nanos, str(format)))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(k8s_quantity_format)
