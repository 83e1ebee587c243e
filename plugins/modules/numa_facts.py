#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine's NUMA topology as facts; a shell around the shared model."""

from __future__ import annotations

DOCUMENTATION = r"""
module: numa_facts
short_description: Tell a machine's NUMA nodes, packages, CPUs, caches and memory
version_added: 0.1.0
description:
  - Returns what the kernel tells of the machine as RV(ansible_facts.numa), in the same structure
    as C(homenode facts --json) prints.
  - It reads files below C(/sys) and C(/proc) only. It needs no root, no agent and no library.
  - A file that makes no sense, or that contradicts another one, fails the task with the file, its
    value and a remedy. A file that some kernels do not have is given a default instead.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
  - homenode.numa._attributes.facts
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Only O(local_fact) can differ.
  facts:
    support: full
  idempotent:
    support: full
    details:
      - Free memory and free huge pages in the returned facts are those of the moment. They are not
        in the local fact, which changes only with the machine.
  platform:
    support: full
    platforms: linux
options:
  root:
    description:
      - The root folder of the machine whose files are read, or one recorded file as made by
        C(homenode facts --record FILE.machine).
      - No link leads out of a folder other than V(/).
    type: path
    default: /
  local_fact:
    description:
      - Where to keep the facts on the host, so that plays see them later without this module.
        V(/etc/ansible/facts.d/numa.fact) is where Ansible finds them as C(ansible_local.numa).
      - The folder is made if it is missing. The file is written if it differs, with mode V(0644).
      - Without this option nothing is kept. To remove it, use M(ansible.builtin.file).
      - Free memory and free huge pages are left out of it, because they differ at every reading.
    type: path
seealso:
  - plugin: homenode.numa.numa_query
    plugin_type: filter
  - plugin: homenode.numa.cpuset_expand
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Learn the topology
  homenode.numa.numa_facts:

- name: Show the CPUs of node 0
  ansible.builtin.debug:
    msg: "{{ ansible_facts.numa.nodes[0].cpus }}"

- name: Refuse machines whose CPU-less memory is of unknown kind
  ansible.builtin.assert:
    that: "'memory-only' not in ansible_facts.numa.nodes | map(attribute='kind')"

- name: Keep the topology on the host, as ansible_local.numa
  homenode.numa.numa_facts:
    local_fact: /etc/ansible/facts.d/numa.fact
  become: true

- name: Look at a machine that somebody recorded for a bug report
  homenode.numa.numa_facts:
    root: "{{ playbook_dir }}/customer.machine"
  delegate_to: localhost
"""

RETURN = r"""
ansible_facts:
  description: Facts to be added to the host.
  returned: success
  type: dict
  contains:
    numa:
      description: The machine. Sizes are in bytes, CPUs are lists as the kernel writes them.
      returned: success
      type: dict
      contains:
        numa:
          description:
            - Whether the kernel knows NUMA nodes. If not, there is one made-up node 0 that holds
              everything.
          returned: success
          type: bool
        memory_total_bytes:
          description: C(MemTotal) of C(/proc/meminfo).
          returned: success
          type: int
          sample: 2061848576
        threads_per_core:
          description: Hardware threads of the fullest core.
          returned: success
          type: int
          sample: 1
        nodes:
          description: The NUMA nodes that are online, by id. Ids need not be contiguous.
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: The kernel's number of the node.
              returned: success
              type: int
              sample: 0
            cpus:
              description: The node's CPUs that are online. Empty for a CPU-less node.
              returned: success
              type: str
              sample: 0-3
            kind:
              description:
                - V(dram) for every node with CPUs. For a node without, V(pmem), V(cxl) or V(hbm)
                  if there is evidence for it, else V(memory-only).
              returned: success
              type: str
              sample: dram
            package:
              description: The package that holds all of the node's CPUs, if there is one.
              returned: success
              type: int
              sample: 0
            memory:
              description: The node's memory.
              returned: success
              type: dict
              contains:
                total_bytes:
                  description: All memory. 0 for a node without memory.
                  returned: success
                  type: int
                  sample: 1030725632
                free_bytes:
                  description: Free memory, at the moment of reading.
                  returned: success
                  type: int
                  sample: 798089216
                hugepages:
                  description:
                    - By size (V(2Mi), V(1Gi)), the number of preallocated pages (C(total)), and
                      how many of them are free (C(free)).
                  returned: success
                  type: dict
                  sample: {2Mi: {total: 512, free: 512}}
            distances:
              description: By the id of every node, how far it is. 10 is the node itself.
              returned: success
              type: dict
              sample: {"0": 10, "1": 21}
        packages:
          description: The packages (sockets) with CPUs that are online.
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: The kernel's number of the package.
              returned: success
              type: int
              sample: 0
            nodes:
              description: Ids of the NUMA nodes that have CPUs of this package.
              returned: success
              type: list
              elements: int
              sample: [0]
            cpus:
              description: Its CPUs that are online.
              returned: success
              type: str
              sample: 0-3
        dies:
          description: The dies. Empty where the kernel knows none, as on arm64.
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: The number of the die, unique within its package.
              returned: success
              type: int
              sample: 0
            package:
              description: Its package.
              returned: success
              type: int
              sample: 0
            cpus:
              description: Its CPUs that are online.
              returned: success
              type: str
              sample: 0-3
        cpus:
          description: Lists of CPUs.
          returned: success
          type: dict
          contains:
            online:
              description: In use by the kernel.
              returned: success
              type: str
              sample: 0-3
            present:
              description: Plugged in, online or not.
              returned: success
              type: str
              sample: 0-3
            isolated:
              description: Kept from the scheduler by the kernel's command line.
              returned: success
              type: str
              sample: ""
            siblings:
              description: For each core, its hardware threads.
              returned: success
              type: list
              elements: str
              sample: ["0,2", "1,3"]
            performance:
              description: The fast cores' CPUs, on a machine with two kinds of cores.
              returned: success
              type: str
              sample: ""
            efficiency:
              description: The other cores' CPUs, on a machine with two kinds of cores.
              returned: success
              type: str
              sample: ""
        last_level_caches:
          description: The caches nearest to memory, in the order of their lowest CPU.
          returned: success
          type: list
          elements: dict
          contains:
            id:
              description: Counted from 0. It is not the kernel's id, which can be missing or wrong.
              returned: success
              type: int
              sample: 0
            cpus:
              description: The CPUs that share it.
              returned: success
              type: str
              sample: 0-3
            size_bytes:
              description: Its size. 0 where the kernel does not tell.
              returned: success
              type: int
              sample: 16777216
            level:
              description: Its level.
              returned: success
              type: int
              sample: 3
resources:
  description:
    - How busy the machine is right now. They are not facts, because they are old at once.
  returned: if O(root) is V(/) and the host has the Python library psutil
  type: dict
  sample:
    load_15m: 0.1
    load_1m: 0.2
    load_5m: 0.1
    memory_available_bytes: 1879048192
    swap_total_bytes: 0
    swap_used_bytes: 0
problem:
  description: What is wrong, as C(field), C(value), C(why), C(remedy) and C(source).
  returned: failure
  type: dict
  sample:
    field: /sys/devices/system/node/node1/cpulist
    remedy: check what is mounted there, or record the machine again
    source: ""
    value: zz
    why: "'zz' is neither a number nor a range"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils._local_fact import keep_local_fact
from ansible_collections.homenode.numa.plugins.module_utils._resources import resource_figures
from ansible_collections.homenode.numa.plugins.module_utils.host_files import open_host
from ansible_collections.homenode.numa.plugins.module_utils.model.facts import (
    machine_facts,
    without_free_figures,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.module_utils.model.sysfs import read_machine


def main() -> None:
    """Read, keep where asked to, answer."""
    options = {"root": {"type": "path", "default": "/"}, "local_fact": {"type": "path"}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    root, local_fact = module.params["root"], module.params["local_fact"]
    result: dict[str, Any] = {"changed": False}
    try:
        facts = machine_facts(read_machine(open_host(root)))
        if local_fact:
            result = keep_local_fact(module, local_fact, without_free_figures(facts))
    except HomenodeProblem as error:
        module.fail_json(msg=str(error), problem=error.problem.as_dict())
    resources = resource_figures() if root == "/" else None
    if resources:
        result["resources"] = resources
    module.exit_json(ansible_facts={"numa": facts}, **result)


if __name__ == "__main__":
    main()
