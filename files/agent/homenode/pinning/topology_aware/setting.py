# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that never changes while the policy runs: a machine under one configuration.

Out of scope: what containers ask for, and what they have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from homenode.intent.policy_config import TopologyAwareConfig
from homenode.intent.tenant import LEVELS, PMEM
from homenode.pinning.cpus.priority import HIGH, LOW, NORMAL
from homenode.pinning.cpus.topology import CpuTopology
from homenode.pinning.memory.layout import MemoryLayout
from homenode.pinning.reservation import allowed_cpus, reserved_cpus
from model.cpuset import CpuSet
from model.interrupts import Interrupt
from model.machine import Machine
from model.problem import HomenodeProblem

from .pools import PoolTree, pool_tree


class Capacity(NamedTuple):
    """The allowed CPUs of a pool, parted."""

    isolated: CpuSet
    reserved: CpuSet
    sharable: CpuSet


@dataclass(frozen=True)
class Setting:
    """See the module; make it with ``of``. *capacities* are by the id of the pool."""

    config: TopologyAwareConfig
    topology: CpuTopology
    layout: MemoryLayout
    tree: PoolTree
    allowed: CpuSet
    reserved: CpuSet
    capacities: tuple[Capacity, ...]
    interrupts: tuple[Interrupt, ...] = ()

    @classmethod
    def of(
        cls,
        machine: Machine,
        config: TopologyAwareConfig,
        memory_types: Mapping[int, str],
        interrupts: Sequence[Interrupt] = (),
    ) -> Setting:
        """The setting of *machine*; *memory_types* are the operator's word, by NUMA node.

        Raises HomenodeProblem where *config* cannot be satisfied.
        """
        _check_names(config)
        topology = CpuTopology.of(machine)
        layout = MemoryLayout.of(machine, memory_types)
        tree = pool_tree(machine, layout)
        allowed = allowed_cpus(machine, config)
        reserved = reserved_cpus(topology, config, allowed)
        isolated = (machine.isolated & allowed) - reserved
        capacities = tuple(
            Capacity(here & isolated, here & reserved, here - isolated - reserved)
            for here in (each.cpus & allowed for each in tree.pools)
        )
        return cls(config, topology, layout, tree, allowed, reserved, capacities, tuple(interrupts))

    @property
    def machine(self) -> Machine:
        """The machine."""
        return self.topology.machine

    @cached_property
    def priority_cpus(self) -> Mapping[str, CpuSet]:
        """The CPUs of each priority; on machines with two kinds of cores those are low and high.

        With one kind all CPUs are high, as upstream: it takes them for performance cores.
        """
        machine, classes = self.machine, self.topology.priorities
        return {
            LOW: machine.efficiency_cpus or classes[LOW],
            NORMAL: classes[NORMAL],
            HIGH: machine.performance_cpus or machine.online,
        }

    @cached_property
    def default_level(self) -> int:
        """The level, by its place in LEVELS, for Burstable containers without CPU limit."""
        return self.tree.existing_level(self.config.unlimited_burstable)

    def level_for(self, wanted: str) -> int:
        """The level that a container names; the default where there is no such word."""
        return self.tree.existing_level(wanted) if wanted in LEVELS else self.default_level

    @cached_property
    def can_start_cold(self) -> bool:
        """Whether memory may be only PMEM for a while: not if the kernel cannot use it for all."""
        return self.tree.root.mems[PMEM] <= self.layout.normal


def _check_names(config: TopologyAwareConfig) -> None:
    """Raise HomenodeProblem for a class that is not there."""
    scheduling = {one.name for one in config.scheduling_classes}
    for key, classes in (
        ("namespaceSchedulingClasses", config.namespace_scheduling_classes),
        ("podQoSSchedulingClasses", config.qos_scheduling_classes),
    ):
        for whose, name in classes:
            if name not in scheduling:
                why = f'unknown scheduling class "{name}" for "{whose}"'
                raise _unknown(key, name, why, scheduling)
    classes_of_cpus = {one.name for one in config.cpu_classes}
    if not classes_of_cpus:
        return
    for key, kind, name in (
        ("sharedPoolCPUClass", "shared", config.shared_cpu_class),
        ("reservedPoolCPUClass", "reserved", config.reserved_cpu_class),
        ("defaultExclusiveCPUClass", "default exclusive", config.default_exclusive_cpu_class),
    ):
        if not name and kind == "shared":
            raise _unknown(key, name, "shared CPU class not specified", classes_of_cpus)
        if name and name not in classes_of_cpus:
            raise _unknown(key, name, f'unknown {kind} CPU class "{name}"', classes_of_cpus)


def _unknown(key: str, name: str, why: str, known: Collection[str]) -> HomenodeProblem:
    names = ", ".join(sorted(known))
    return HomenodeProblem(key, name, why, f"use one of: {names}" if names else "define it")
