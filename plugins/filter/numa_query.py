# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A question about facts in JMESPath."""

from __future__ import annotations

DOCUMENTATION = r"""
name: numa_query
short_description: Ask facts a question in JMESPath
version_added: 0.1.0
description:
  - Evaluates a JMESPath expression over the facts of M(homenode.numa.numa_facts), or over any
    other data.
  - It needs the Python library jmespath on the controller.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - The facts.
    type: raw
    required: true
  expression:
    description:
      - The question. The language is described at U(https://jmespath.org/).
    type: str
    required: true
seealso:
  - module: homenode.numa.numa_facts
"""

EXAMPLES = r"""
- name: The ids of the nodes that are not DRAM
  ansible.builtin.debug:
    msg: "{{ ansible_facts.numa | homenode.numa.numa_query(question) }}"
  vars:
    question: nodes[?kind != 'dram'].id

- name: The node with the most free memory
  ansible.builtin.debug:
    msg: "{{ ansible_facts.numa | homenode.numa.numa_query(question) }}"
  vars:
    question: max_by(nodes, &memory.free_bytes).id

- name: The package of node 1
  ansible.builtin.debug:
    msg: "{{ ansible_facts.numa | homenode.numa.numa_query('packages[?contains(nodes, `1`)].id') }}"
"""

RETURN = r"""
_value:
  description:
    - The answer. It is null where the facts have nothing of the kind.
  type: raw
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

try:
    import jmespath
except ImportError:
    HAS_JMESPATH = False
else:
    HAS_JMESPATH = True

NAME = "homenode.numa.numa_query"
REMEDY = "write a JMESPath expression like nodes[?kind == 'dram'].id"
SHOWN_CHARACTERS = 160
"""Of jmespath's own words, which can quote all of the facts."""


def numa_query(facts: Any, expression: object) -> Any:
    """The answer. Raises AnsibleFilterError where *expression* is none, or jmespath is missing."""
    if not HAS_JMESPATH:
        raise AnsibleFilterError(
            f"{NAME}: the Python library jmespath is missing on the controller; install it there,"
            " as with `pip install jmespath`, into the Python that runs Ansible"
        )
    if not isinstance(expression, str):
        raise _refused(expression, f"is of type {type(expression).__name__}")
    try:
        return jmespath.search(_plain(expression), _plain(facts))
    except jmespath.exceptions.JMESPathError as error:
        raise _refused(expression, " ".join(str(error).split())) from None


def _plain(value: Any) -> Any:
    """Ansible hands out subclasses of str, list and dict; jmespath knows types by name only."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    for kind in (str, int, float):
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind(value)
    return value


def _refused(expression: object, why: str) -> AnsibleFilterError:
    cut = why if len(why) <= SHOWN_CHARACTERS else why[:SHOWN_CHARACTERS] + "…"
    problem = HomenodeProblem("expression", expression, cut, REMEDY)
    return AnsibleFilterError(f"{NAME}: {problem}")


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The one filter of this file."""
        return {"numa_query": numa_query}
