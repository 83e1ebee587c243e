# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract between the loop and a policy: what is asked, what is offered, what else moves.

A policy is a frozen value made for one machine and one configuration. Its *books* are a frozen
value too: the policy's own accounting, a projection of the ledger. Every method is pure: books in,
books out. ``place`` may be asked "what if" at any time, by ``explain``, ``simulate`` or a check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

from homenode.intent.tenant import NO_INTENT, TenantIntent
from homenode.world.place import Place
from homenode.world.placed import Placed
from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet
from model.problem import Problem
from model.workload import NOT_OURS, Placement, Pod

from .interrupt_affinity import InterruptWish

__all__ = [
    "POD_RESOURCES",
    "Adoption",
    "Ask",
    "Books",
    "Hardware",
    "Held",
    "Hint",
    "Outcome",
    "Place",
    "Placed",
    "Policy",
]

Books = Any
"""A policy's own frozen accounting: only the policy that made it looks into it."""


POD_RESOURCES = "podresourceapi:"
"""Starts the provider of a hint that comes from the kubelet's PodResources API."""


@dataclass(frozen=True)
class Hint:
    """Where a device, mount or resource of the container is near; *provider* tells which.

    The first of *cpus*, *nodes*, *packages* that is not empty counts.
    """

    provider: str
    cpus: CpuSet = NO_CPUS
    nodes: NodeSet = NO_NODES
    packages: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ask:
    """One container as a policy sees it; CPU in thousandths, memory in bytes, 0 is "none".

    *order* rises with creation: the younger of two containers has the larger one. *given* is what
    the kubelet's own managers chose before us.
    """

    container_id: str
    name: str
    pod: Pod
    qos_class: str
    cpu_request: int = 0
    cpu_limit: int = 0
    memory_request: int = 0
    memory_limit: int = 0
    intent: TenantIntent = NO_INTENT
    hints: tuple[Hint, ...] = ()
    order: int = 0
    given: Placement = NOT_OURS

    @property
    def full_name(self) -> str:
        """``namespace/pod/container``."""
        return f"{self.pod.full_name}/{self.name}"


@dataclass(frozen=True)
class Outcome:
    """The next books, what the container got, and the others whose placement or shares changed."""

    books: Books
    placed: Optional[Placed] = None
    changed: Mapping[str, Placed] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """A container that runs, and what its cgroup (else the runtime) says that it has now.

    *before* is what the ledger remembers of it, if anything; where neither cgroup nor runtime says
    something, *placement* is as *before* has it.
    """

    ask: Ask
    placement: Placement
    before: Optional[Placed] = None


@dataclass(frozen=True)
class Adoption:
    """Books that account for what runs.

    *placed* holds everybody whose present placement stands as it is; *newcomers* (container ids,
    in the order to place them) were never placed; *problems* tell what could not be accounted.
    *changed* are the few of *placed* who cannot stay as they are, as they have to be from now on:
    CPUs that they share became somebody's own, or went away.
    """

    books: Books
    placed: Mapping[str, Placed]
    newcomers: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    changed: Mapping[str, Placed] = field(default_factory=dict)


@dataclass(frozen=True)
class Hardware:
    """What a policy wishes of the hardware: which CPUs are of which class (by its name), and where
    interrupts are to go, all of it within the *allowed* CPUs."""

    cpu_classes: Mapping[str, CpuSet] = field(default_factory=dict)
    interrupts: tuple[InterruptWish, ...] = ()
    allowed: CpuSet = NO_CPUS


NO_HARDWARE = Hardware()


class Policy(Protocol):
    """See the module. Whoever makes one raises HomenodeProblem for what cannot be satisfied."""

    def start(self) -> Books:
        """Books of a machine on which nothing runs."""

    def place(self, books: Books, ask: Ask) -> Outcome:
        """Place a new container. Raises HomenodeProblem where its creation has to fail."""

    def resize(self, books: Books, ask: Ask) -> Outcome:
        """Place a known container anew because its resources changed, nearby if possible."""

    def release(self, books: Books, container_id: str) -> Outcome:
        """Take a container out; one that is not known changes nothing."""

    def adopt(self, held: Sequence[Held], memory: Optional[Mapping[str, Any]]) -> Adoption:
        """Account for what runs, moving nobody; *memory* is what ``remember`` gave, or None."""

    def remember(self, books: Books) -> dict[str, Any]:
        """What a later ``adopt`` wants to know, JSON-clean."""

    def places(self, books: Books) -> tuple[Place, ...]:
        """Every pool or balloon as it is now."""

    def hardware(self, books: Books) -> Hardware:
        """What is wished of the hardware; NO_HARDWARE where it is left alone."""
