# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A machine as the kernel describes it: NUMA nodes, packages, cores, caches, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional

from .cpuset import CpuSet, NodeSet

DRAM, MEMORY_ONLY, HBM, PMEM, CXL = "dram", "memory-only", "hbm", "pmem", "cxl"
KINDS = (DRAM, MEMORY_ONLY, HBM, PMEM, CXL)


@dataclass(frozen=True)
class Hugepages:
    """Preallocated huge pages of one size on one NUMA node, in pages."""

    total: int
    free: int


@dataclass(frozen=True)
class NumaNode:
    """One NUMA node; *cpus* are its online CPUs, memory is in bytes, *package* None if CPU-less.

    *hugepages* maps a size ("2Mi", "1Gi") to its pages; *distances* maps node id to SLIT distance.
    """

    id: int
    cpus: CpuSet
    kind: str
    package: Optional[int]
    memory_total_bytes: int
    memory_free_bytes: int
    hugepages: Mapping[str, Hugepages]
    distances: Mapping[int, int]


@dataclass(frozen=True)
class Package:
    """One socket: its NUMA nodes and its online CPUs."""

    id: int
    nodes: NodeSet
    cpus: CpuSet


@dataclass(frozen=True)
class Cache:
    """A last-level cache: the online CPUs that share it, and its size in bytes."""

    id: int
    cpus: CpuSet
    size_bytes: int


@dataclass(frozen=True)
class Machine:
    """The whole machine. *siblings* has one set of online hardware threads per core, ascending.

    *numa* is False where the kernel has no ``node/`` folder: then *nodes* is one made-up node 0
    that holds everything, so that no reader needs a special case.
    """

    nodes: tuple[NumaNode, ...]
    packages: tuple[Package, ...]
    online: CpuSet
    present: CpuSet
    isolated: CpuSet
    siblings: tuple[CpuSet, ...]
    last_level_caches: tuple[Cache, ...]
    memory_total_bytes: int
    numa: bool

    @property
    def threads_per_core(self) -> int:
        """Hardware threads of the fullest core (1 where SMT is off)."""
        return max((len(core) for core in self.siblings), default=1)

    def node(self, number: int) -> NumaNode:
        """The node with this id. Raises KeyError where there is none."""
        for node in self.nodes:
            if node.id == number:
                return node
        raise KeyError(number)
