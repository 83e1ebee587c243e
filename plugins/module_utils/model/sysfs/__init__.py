# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A Machine from what the kernel tells in its files; out of scope: where those files are.

One rule for all of them: what is *missing* has a stated default wherever some kernel or
architecture leaves it out; what is *there* and makes no sense, or contradicts another file, stops
the reading with a problem that names file and value. Placing pods by a guess would be worse.

Groups of CPUs (cores, dies, packages, caches) are read once a group, from the file of the group's
lowest CPU: a machine with 256 CPUs costs hundreds of reads, not thousands.

Sources: Documentation/ABI/stable/sysfs-devices-node, Documentation/admin-guide/cputopology.rst,
Documentation/ABI/testing/sysfs-devices-system-cpu, Documentation/admin-guide/mm/hugetlbpage.rst.
"""

from __future__ import annotations

from ..files import Files
from ..machine import Machine
from .caches import read_caches
from .cpus import read_core_kinds, read_cpus
from .frequencies import read_frequencies
from .nodes import memory_total_bytes, read_nodes, sole_node


def read_machine(files: Files) -> Machine:
    """The machine that *files* tell of.

    Raises HomenodeProblem where a file that every Linux has is missing, where a file's content is
    none that a kernel writes, and where two files contradict each other.
    """
    cpus = read_cpus(files)
    nodes = read_nodes(files, cpus)
    kinds = read_core_kinds(files, cpus.online)
    caches, last_level_caches = read_caches(files, cpus.online, kinds)
    return Machine(
        nodes=nodes or (sole_node(files, cpus),),
        packages=cpus.packages_with(nodes),
        online=cpus.online,
        present=cpus.present,
        isolated=cpus.isolated,
        siblings=cpus.siblings,
        last_level_caches=last_level_caches,
        memory_total_bytes=memory_total_bytes(files),
        numa=bool(nodes),
        dies=cpus.dies,
        performance_cpus=kinds[0],
        efficiency_cpus=kinds[1],
        clusters=cpus.clusters,
        caches=caches,
        frequencies=read_frequencies(files, cpus.online),
    )
