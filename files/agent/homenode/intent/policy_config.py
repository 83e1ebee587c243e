# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's policy objects as values: TopologyAwarePolicy and BalloonsPolicy, field by field.

Names are those of the upstream objects (group ``config.nri``, v1alpha1) in Python's spelling;
defaults are theirs too. Out of scope: reading them (``policy_objects``), obeying (``pinning``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from model.cpuset import CpuSet
from model.problem import Problem

from .tenant import Expression

UNLIMITED = 0
"""The value of a maximum that is none."""

NO_CPUS_AT_ALL = -1
"""The value of ``maxCPUs`` that forbids a balloon type."""


@dataclass(frozen=True)
class CpuAmount:
    """``availableResources.cpu`` or ``reservedResources.cpu``: one of three ways to say it."""

    cpus: Optional[CpuSet] = None
    excluded: Optional[CpuSet] = None
    millis: Optional[int] = None

    def of(self, cpus: CpuSet) -> CpuSet:
        """Those of *cpus* that are meant; all where no CPUs are named."""
        if self.excluded is not None:
            return cpus - self.excluded
        return cpus if self.cpus is None else cpus & self.cpus


@dataclass(frozen=True)
class SchedulingClass:
    """A named bundle of scheduler and I/O settings; None or "" is "leave as it is"."""

    name: str
    policy: str = ""
    priority: Optional[int] = None
    flags: tuple[str, ...] = ()
    nice: Optional[int] = None
    runtime: Optional[int] = None
    deadline: Optional[int] = None
    period: Optional[int] = None
    io_class: str = ""
    io_priority: Optional[int] = None


@dataclass(frozen=True)
class CpuClass:
    """Frequencies in kHz, or "min", "base", "turbo"; None and "" leave the hardware as it is."""

    name: str
    min_freq: Optional[str] = None
    max_freq: Optional[str] = None
    energy_performance_preference: Optional[int] = None
    uncore_min_freq: Optional[str] = None
    uncore_max_freq: Optional[str] = None
    freq_governor: str = ""
    disabled_cstates: tuple[str, ...] = ()
    turbo_priority: int = 0
    pct_priority: str = ""
    sst_clos_id: Optional[int] = None
    pct_min_freq: Optional[str] = None
    pct_max_freq: Optional[str] = None
    publish_extended_resource: bool = False


@dataclass(frozen=True)
class CommonConfig:
    """What both policy objects have; *reserved* is required by both.

    *notes* tell what the object says and nobody obeys.
    """

    reserved: CpuAmount
    available: CpuAmount = CpuAmount()
    pin_cpu: bool = True
    pin_memory: bool = True
    reserved_namespaces: tuple[str, ...] = ()
    scheduling_classes: tuple[SchedulingClass, ...] = ()
    cpu_classes: tuple[CpuClass, ...] = ()
    controllable_interrupts: tuple[str, ...] = ("*",)
    pod_resources: bool = False
    node_resource_topology: bool = True
    notes: tuple[Problem, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class TopologyAwareConfig(CommonConfig):
    """``TopologyAwarePolicy`` spec."""

    prefer_isolated_cpus: bool = True
    prefer_shared_cpus: bool = False
    colocate_pods: bool = False
    colocate_namespaces: bool = False
    default_cpu_priority: str = "none"
    unlimited_burstable: str = "package"
    namespace_scheduling_classes: tuple[tuple[str, str], ...] = ()
    qos_scheduling_classes: tuple[tuple[str, str], ...] = ()
    shared_cpu_class: str = ""
    reserved_cpu_class: str = ""
    default_exclusive_cpu_class: str = ""


@dataclass(frozen=True)
class LoadClass:
    """A load that CPUs of one *level* ("core" or "l2cache") share."""

    name: str
    level: str
    overloads_level_in_balloon: bool = False


@dataclass(frozen=True)
class BalloonType:
    """One entry of ``balloonTypes``; None is "as the policy says"."""

    name: str
    components: tuple[str, ...] = ()
    component_creation: str = "all"
    namespaces: tuple[str, ...] = ()
    match_expressions: tuple[Expression, ...] = ()
    group_by: str = ""
    min_cpus: int = 0
    max_cpus: int = UNLIMITED
    min_balloons: int = 0
    max_balloons: int = UNLIMITED
    allocator_priority: str = "high"
    prefer_new_balloons: bool = False
    prefer_spreading_pods: bool = False
    prefer_per_namespace_balloon: bool = False
    share_idle_cpus_in_same: str = ""
    hide_hyperthreads: bool = False
    allocator_topology_balancing: Optional[bool] = None
    prefer_spread_on_physical_cores: Optional[bool] = None
    prefer_close_to_devices: tuple[str, ...] = ()
    prefer_isol_cpus: bool = False
    prefer_core_type: str = ""
    memory_types: Optional[frozenset[str]] = None
    pin_memory: Optional[bool] = None
    cpu_class: str = ""
    scheduling_class: str = ""
    loads: tuple[str, ...] = ()
    show_containers_in_nrt: Optional[bool] = None
    irq_claim: tuple[str, ...] = ()
    irq_mode: str = ""


@dataclass(frozen=True)
class BalloonsConfig(CommonConfig):
    """``BalloonsPolicy`` spec."""

    idle_cpu_class: str = ""
    allocator_topology_balancing: bool = False
    prefer_spread_on_physical_cores: bool = False
    balloon_types: tuple[BalloonType, ...] = ()
    preserve: tuple[Expression, ...] = ()
    show_containers_in_nrt: bool = False
    load_classes: tuple[LoadClass, ...] = ()
    turbo_domain: str = "package"
