# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A machine as the kernel describes it: NUMA nodes, packages, cores, caches, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from .cpuset import NO_CPUS, CpuSet, NodeSet

DRAM, MEMORY_ONLY, HBM, PMEM, CXL = "dram", "memory-only", "hbm", "pmem", "cxl"
KINDS = (DRAM, MEMORY_ONLY, HBM, PMEM, CXL)


@dataclass(frozen=True)
class Hugepages:
    """Preallocated huge pages of one size on one NUMA node, in pages."""

    total: int
    free: int


@dataclass(frozen=True)
class NumaNode:
    """One NUMA node; *cpus* are its online CPUs, memory is in bytes.

    *package* is None if the node is CPU-less or its CPUs are of several packages. *hugepages* maps
    a size ("2Mi", "1Gi") to its pages; *distances* maps node id to SLIT distance. *movable_only*
    memory holds nothing of the kernel: it is in ``has_memory`` but not in ``has_normal_memory``.
    """

    id: int
    cpus: CpuSet
    kind: str
    package: Optional[int]
    memory_total_bytes: int
    memory_free_bytes: int
    hugepages: Mapping[str, Hugepages]
    distances: Mapping[int, int]
    movable_only: bool = False


@dataclass(frozen=True)
class Package:
    """One socket: its NUMA nodes and its online CPUs."""

    id: int
    nodes: NodeSet
    cpus: CpuSet


@dataclass(frozen=True)
class Die:
    """One die of a package; *id* is unique within that package only."""

    id: int
    package: int
    cpus: CpuSet


@dataclass(frozen=True)
class Cache:
    """A data or unified cache: the online CPUs that share it, its size in bytes, its level.

    *id* counts the caches of a list (of a level, in ``Machine.caches``) by their lowest CPU. It is
    not the kernel's id, which is missing on some machines and given twice on others; a described
    machine may name its own. Size and level are 0 where the kernel does not tell them.
    """

    id: int
    cpus: CpuSet
    size_bytes: int
    level: int = 0


EPP_NAMES = ("performance", "balance_performance", "balance_power", "power")
EPP_UNKNOWN = len(EPP_NAMES)
"""Energy-performance preferences, from fast to frugal, each known by its place in the list."""


@dataclass(frozen=True)
class CpuFrequency:
    """What cpufreq says of one CPU, in kHz; 0 is "not told", EPP_UNKNOWN "no preference told"."""

    base_khz: int = 0
    min_khz: int = 0
    max_khz: int = 0
    energy_performance_preference: int = EPP_UNKNOWN


@dataclass(frozen=True)
class Machine:
    """The whole machine. *siblings* has one set of online hardware threads per core, ascending.

    *numa* is False where the kernel has no ``node/`` folder: then *nodes* is one made-up node 0
    that holds everything, so that no reader needs a special case. *dies* is empty where the
    kernel knows no dies; *performance_cpus* and *efficiency_cpus* are empty unless cores differ.

    *clusters* are the kernel's own (``cluster_id``), by package, die and cluster id; on most x86
    servers each is one core. It is empty where the kernel knows none. *caches* has all from level
    2 up, by level and lowest CPU. *frequencies* is by CPU, and empty without cpufreq.
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
    dies: tuple[Die, ...] = ()
    performance_cpus: CpuSet = NO_CPUS
    efficiency_cpus: CpuSet = NO_CPUS
    clusters: tuple[CpuSet, ...] = ()
    caches: tuple[Cache, ...] = ()
    frequencies: Mapping[int, CpuFrequency] = field(default_factory=dict)

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
