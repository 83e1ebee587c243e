# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container asks of the policy: which kind of CPUs, how many of its own, which memory.

nri-plugins' classification, rule by rule (pinning.md §2.3, §2.4). Out of scope: what there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from homenode.intent.globs import glob_matches
from homenode.intent.policy_config import TopologyAwareConfig
from homenode.intent.tenant import DRAM, HBM, MEMORY_TYPES, PMEM
from homenode.pinning.policy import Ask
from model.problem import HomenodeProblem
from model.workload import BURSTABLE, GUARANTEED

from .books import KUBELETS, NORMAL, PRESERVED, RESERVED
from .demands import cpu_class_of, refuse_impossible
from .setting import Setting

SYSTEM_NAMESPACE = "kube-system"
UNLIMITED = None
"""The CPU limit of a Burstable container that has none."""


@dataclass(frozen=True)
class Request:
    """See the module. *full* CPUs of its own, *millis* of others; *why* tells how that came about.

    *wanted_cpus* counts those of its own that it would like best; *limit* is for Burstable ones.
    *amount* is the memory to book, in bytes; it comes from *memory_types*, the empty set being "as
    the kernel likes". *level* is the place in LEVELS where one without CPU limit likes to be.
    """

    ask: Ask
    kind: str
    full: int = 0
    wanted_cpus: int = 0
    millis: int = 0
    limit: Optional[int] = UNLIMITED
    isolate: bool = False
    priority: str = "none"
    level: int = 0
    amount: int = 0
    memory_types: frozenset[str] = frozenset()
    cold: bool = False
    cpu_class: str = ""
    why: str = ""

    @property
    def may_share(self) -> bool:
        """Whether it can do without CPUs of its own: nothing in it is a strict demand."""
        return not (self.ask.intent.require_isolated or self.ask.intent.hints.strict)

    def shared(self) -> Request:
        """The same, content with shared CPUs."""
        why = f"{self.full} CPUs of its own are not free in any pool, so it shares"
        return replace(
            self, full=0, millis=self.ask.cpu_request, isolate=False, cpu_class="", why=why
        )


@dataclass(frozen=True)
class _Cpus:
    """The CPU side of a request."""

    kind: str
    full: int
    millis: int
    why: str
    isolate: bool = False


def request_of(setting: Setting, ask: Ask, *, demands: bool = True) -> Request:
    """The request of *ask*. Raises HomenodeProblem where it demands what cannot be.

    Without *demands* it is of a container that runs already, and nothing is refused.
    """
    cpus = _cpus(setting.config, ask)
    cpu_class = ""
    try:
        refuse_impossible(setting, ask, cpus.full)
        cpu_class = cpu_class_of(setting.config, ask, cpus.full)
    except HomenodeProblem:
        if demands:
            raise
    intent = ask.intent
    memory_types, cold = _memory(setting, ask)
    return Request(
        ask=ask,
        kind=cpus.kind,
        full=cpus.full,
        wanted_cpus=cpus.full,
        millis=cpus.millis,
        limit=ask.cpu_limit or UNLIMITED,
        isolate=cpus.isolate,
        priority=_priority(setting.config, ask),
        level=setting.level_for(intent.unlimited_burstable or ""),
        amount=ask.memory_request or ask.memory_limit,
        memory_types=memory_types,
        cold=cold,
        cpu_class=cpu_class,
        why=cpus.why,
    )


def _cpus(config: TopologyAwareConfig, ask: Ask) -> _Cpus:
    intent, asked = ask.intent, ask.cpu_request
    if intent.preserve_cpus:
        return _Cpus(PRESERVED, 0, asked, "its annotation asks to be left alone")
    if ask.given.cpus:
        return _Cpus(KUBELETS, 0, 0, "the kubelet's CPU manager chose its CPUs")
    if intent.prefer_reserved:
        return _Cpus(RESERVED, 0, asked, "it prefers the reserved CPUs")
    if intent.prefer_reserved is None and _is_reserved(config, ask.pod.namespace):
        why = f"namespace {ask.pod.namespace} has the reserved CPUs"
        return _Cpus(RESERVED, 0, asked, why)
    if ask.qos_class != GUARANTEED:
        millis = asked if ask.qos_class == BURSTABLE else 0
        return _Cpus(NORMAL, 0, millis, f"a {ask.qos_class} container shares CPUs")
    return _guaranteed(config, ask)


def _guaranteed(config: TopologyAwareConfig, ask: Ask) -> _Cpus:
    intent, asked = ask.intent, ask.cpu_request
    cores, rest = divmod(asked, 1000)
    shared = config.prefer_shared_cpus if intent.prefer_shared is None else intent.prefer_shared
    isolated = config.prefer_isolated_cpus if intent.isolated is None else intent.isolated
    sharing = _Cpus(NORMAL, 0, asked, "it prefers shared CPUs")
    if cores == 0:
        return _Cpus(NORMAL, 0, asked, f"{asked}m is less than one CPU")
    if cores == 1:
        why = f"{rest}m of its {asked}m are shared" if rest else ""
        return sharing if shared else _Cpus(NORMAL, 1, rest, why, isolated)
    if rest:
        if intent.prefer_shared is False:
            why = f"{rest}m of its {asked}m are shared"
            return _Cpus(NORMAL, cores, rest, why, isolated)
        return _Cpus(NORMAL, 0, asked, f"{asked}m is not a whole number of CPUs")
    # Several isolated CPUs help only a workload that knows of them: it has to say so itself.
    return sharing if shared else _Cpus(NORMAL, cores, 0, "", bool(intent.isolated))


def _is_reserved(config: TopologyAwareConfig, namespace: str) -> bool:
    return namespace == SYSTEM_NAMESPACE or any(
        glob_matches(pattern, namespace) for pattern in config.reserved_namespaces
    )


def _priority(config: TopologyAwareConfig, ask: Ask) -> str:
    """Upstream obeys the annotation for Guaranteed containers only."""
    wanted = ask.intent.cpu_priority if ask.qos_class == GUARANTEED else None
    return wanted or config.default_cpu_priority


def _memory(setting: Setting, ask: Ask) -> tuple[frozenset[str], bool]:
    """The memory types to ask for, and whether it starts without the DRAM among them.

    Types that the machine lacks are left out; where that leaves none, it gets what others get.
    """
    if ask.intent.preserve_memory:
        return frozenset(), False
    there = setting.tree.root.memory_types
    ordinary = (frozenset(MEMORY_TYPES) - {HBM}) & there
    types = (ask.intent.memory_types or ordinary) & there or ordinary or there
    if not setting.can_start_cold:
        return (types | {DRAM} if types == {PMEM} else types), False
    cold = ask.intent.cold_start_seconds > 0 and DRAM in types and types != {DRAM}
    return (types - {DRAM} if cold else types), cold
