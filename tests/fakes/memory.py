# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tiny machines for the memory allocator: two CPUs and a few bytes on each NUMA node."""

from __future__ import annotations

from collections.abc import Sequence

from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet
from model.machine import Machine, NumaNode

PAIRED = (
    (10, 21, 11, 21, 17, 28, 28, 28), (21, 10, 21, 11, 28, 28, 17, 28),
    (11, 21, 10, 21, 28, 17, 28, 28), (21, 11, 21, 10, 28, 28, 28, 17),
    (17, 28, 28, 28, 10, 28, 28, 28), (28, 28, 17, 28, 28, 10, 28, 28),
    (28, 17, 28, 28, 28, 28, 10, 28), (28, 28, 28, 17, 28, 28, 28, 10),
)  # fmt: skip
"""Four DRAM nodes in two pairs, 0 with 2 and 1 with 3, each with a PMEM node of 4-7 beside it."""

THREE_TIERS = (
    (10, 11, 21, 21, 17, 27, 28, 28, 14, 15, 23, 23),
    (11, 10, 21, 21, 27, 17, 28, 28, 15, 14, 23, 23),
    (21, 21, 10, 11, 28, 28, 17, 27, 23, 23, 14, 15),
    (21, 21, 11, 10, 28, 28, 27, 17, 23, 23, 15, 14),
    (17, 27, 28, 28, 10, 28, 28, 28, 16, 26, 26, 26),
    (27, 17, 28, 28, 28, 10, 28, 28, 29, 11, 29, 29),
    (28, 28, 17, 27, 28, 28, 10, 28, 29, 29, 11, 29),
    (28, 28, 27, 17, 28, 28, 28, 10, 29, 29, 29, 11),
    (14, 15, 23, 23, 16, 29, 29, 29, 10, 12, 12, 12),
    (15, 14, 23, 23, 26, 11, 29, 29, 12, 10, 12, 12),
    (23, 23, 14, 15, 26, 29, 11, 29, 12, 12, 10, 12),
    (23, 23, 15, 14, 26, 29, 29, 11, 12, 12, 12, 10),
)
"""Four DRAM, four PMEM and four HBM nodes."""


def memory_machine(
    kinds: Sequence[str],
    sizes: Sequence[int],
    distances: Sequence[Sequence[int]],
    *,
    cpuless: NodeSet = NO_NODES,
    movable: NodeSet = NO_NODES,
) -> Machine:
    """A machine whose NUMA node n has the n-th kind, size and distance row, and CPUs 2n, 2n+1."""
    numa_nodes = tuple(
        NumaNode(
            number,
            NO_CPUS if number in cpuless else CpuSet((2 * number, 2 * number + 1)),
            kind,
            None,
            sizes[number],
            sizes[number],
            {},
            dict(enumerate(distances[number])),
            movable_only=number in movable,
        )
        for number, kind in enumerate(kinds)
    )
    cpus = CpuSet(cpu for each in numa_nodes for cpu in each.cpus)
    return Machine(
        numa_nodes,
        (),
        cpus,
        cpus,
        NO_CPUS,
        tuple(CpuSet([cpu]) for cpu in cpus),
        (),
        sum(sizes),
        True,
    )
