# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container's annotations ask for, as values: the words between the dialects and pinning.

Every field has a value that means "nothing was said", so that an unannotated container costs
nothing. Out of scope: where the values come from (``nri_plugins``), what they lead to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from model.problem import Problem

DRAM, PMEM, HBM = "DRAM", "PMEM", "HBM"
MEMORY_TYPES = (DRAM, PMEM, HBM)

LEVELS = ("system", "package", "die", "numa", "l3cache", "l2cache", "core", "thread")
"""Topology levels, coarse to fine."""

PRIORITIES = ("high", "normal", "low", "none")
"""Preferences of the CPU allocator."""

POD_SCOPE, CONTAINER_SCOPE = "pod", "container"


@dataclass(frozen=True)
class Expression:
    """One condition on a container: *operator* applied to the value of *key* and *values*.

    nri-plugins ``docs/resource-policy``: key ``pod/labels/NAME``, ``namespace``, ``:a:b`` ...
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Affinity:
    """Weight for every other container in *scope* that matches; None as scope is "same pod"."""

    scope: Optional[Expression]
    match: Expression
    weight: int = 1


@dataclass(frozen=True)
class IrqAffinity:
    """Interrupts, by glob or number, that are to come to the container's CPUs, or stay away."""

    claim: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    mode: str = "mask-first"


@dataclass(frozen=True)
class PathRule:
    """Device paths that match one of *paths*, as *kind* "prefix" or "glob"."""

    kind: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class HintIntent:
    """Which topology hints count; *sources* None is "all there are", *strict* is a demand.

    *pick* asks for exclusive CPUs out of the hints alone.
    """

    sources: Optional[frozenset[str]] = None
    allow: tuple[PathRule, ...] = ()
    deny: tuple[PathRule, ...] = ()
    strict: bool = False
    pick: bool = False


NO_HINT_INTENT = HintIntent()


@dataclass(frozen=True)
class TenantIntent:
    """What the annotations of a pod ask for one container; None is "not said".

    *isolated* is the preference that won by scope, *require_isolated* whether it is a demand.
    *cpu_class_scope* and *irq_scope* tell a container's own annotation from its pod's. *balloon*
    names a type.
    *problems* are what was wrong; *demand* is the first of them that the tenant cannot be served
    without (a strict demand that cannot be read fails the creation).
    """

    prefer_shared: Optional[bool] = None
    prefer_reserved: Optional[bool] = None
    isolated: Optional[bool] = None
    require_isolated: bool = False
    cpu_priority: Optional[str] = None
    hide_hyperthreads: Optional[bool] = None
    memory_types: Optional[frozenset[str]] = None
    cold_start_seconds: float = 0.0
    preserve_cpus: bool = False
    preserve_memory: bool = False
    unlimited_burstable: Optional[str] = None
    scheduling_class: Optional[str] = None
    cpu_class: Optional[str] = None
    cpu_class_scope: str = POD_SCOPE
    irq: Optional[IrqAffinity] = None
    irq_scope: str = POD_SCOPE
    hints: HintIntent = NO_HINT_INTENT
    rdt_class: Optional[str] = None
    blockio_class: Optional[str] = None
    affinities: Optional[tuple[Affinity, ...]] = None
    balloon: Optional[str] = None
    problems: tuple[Problem, ...] = ()
    demand: Optional[Problem] = None

    @property
    def prefer_shared_cpus(self) -> bool:
        """Whether shared CPUs were asked for in so many words."""
        return bool(self.prefer_shared)


NO_INTENT = TenantIntent()
