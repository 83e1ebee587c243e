# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPUs to reserve on a machine."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cpuset_reserved
short_description: Choose CPUs to reserve, whole cores at a time
version_added: 0.1.0
description:
  - Gives a value of C(reservedSystemCPUs) for a number of CPUs.
  - Whole cores are taken, with all their hardware threads, so that no pod shares a core with the
    system. CPUs that are isolated or offline are never taken, and neither are cores that have one.
  - A number that would divide a core raises an error that names the next one that does not. So does
    a number that is larger than the machine.
author:
  - homenode contributors (@homenode)
positional: count, placement
options:
  _input:
    description:
      - The machine as M(homenode.numa.numa_facts) gives it, V(ansible_facts.numa).
      - For planning without a machine, a list of NUMA nodes, each a list of CPUs like V(0-3,8-11)
        or a map with C(id) and C(cpus). Without C(siblings), each CPU is a core.
    type: raw
    required: true
  count:
    description:
      - How many CPUs.
    type: int
    required: true
  placement:
    description:
      - With V(packed), the lowest cores of the lowest NUMA nodes. If all nodes have as many CPUs,
        these are those that a kubelet takes for an amount of CPU.
      - With V(spread), a core of each NUMA node in turn.
    type: str
    choices: [packed, spread]
    default: packed
  whole_cores:
    description:
      - With V(false), the last core may be divided, and cores are used that have isolated CPUs too.
    type: bool
    default: true
seealso:
  - module: homenode.numa.numa_facts
"""

EXAMPLES = r"""
- name: Two hardware threads of one core, such as 0,48
  ansible.builtin.debug:
    msg: "{{ ansible_facts.numa | homenode.numa.cpuset_reserved(2) }}"

- name: A core on each of two nodes, 0,4
  ansible.builtin.debug:
    msg: "{{ ['0-3', '4-7'] | homenode.numa.cpuset_reserved(2, placement='spread') }}"
"""

RETURN = r"""
_value:
  description:
    - The CPUs, as a list in the kernel's format.
  type: str
  sample: 0,48
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.reserved_cpus import (
    PACKED,
    reserve,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import (
    whole_number,
    yes_or_no,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters


def cpuset_reserved(
    machine: object, count: object, placement: object = PACKED, whole_cores: object = True
) -> str:
    """*count* CPUs of *machine* by *placement*."""
    number = whole_number("count", count)
    whole = yes_or_no("whole_cores", whole_cores)
    return str(reserve(machine, number, str(placement), whole_cores=whole))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(cpuset_reserved)
