# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialect of nri-plugins' resource policies, topology-aware and balloons, and of CRI-RM.

Every key that they document is read here; docs/annotations.md has the table. What is wrong is
told, because a requirement that is ignored in silence is worse than none. Out of scope: other
containers' annotations, and names that only the operator's configuration can explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from model.problem import HomenodeProblem, shown
from model.quantity import Quantity

from .affinities import affinities
from .annotation_values import Values, fields_of, seconds
from .annotations import DOMAIN, all_effective, ours
from .contradictions import contradictions
from .hints import HINT_KEYS, TEST, hint_intent
from .nearest import unknown_key
from .tenant import (
    CONTAINER_SCOPE,
    LEVELS,
    MEMORY_TYPES,
    NO_INTENT,
    POD_SCOPE,
    PRIORITIES,
    Affinity,
    IrqAffinity,
    TenantIntent,
)

__all__ = ["NO_INTENT", "TenantIntent", "tenant_intent"]

SUFFIX = "." + DOMAIN
PREFER_SHARED = "prefer-shared-cpus" + SUFFIX
PRESERVE_CPU = "cpu.preserve" + SUFFIX
PRESERVE_MEMORY = "memory.preserve" + SUFFIX

PREFER_ISOLATED, REQUIRE_ISOLATED = "prefer-isolated-cpus", "require-isolated-cpus"
AFFINITY, ANTI_AFFINITY = "/affinity", "/anti-affinity"

FINEST_POOL = "l3cache"
MIXED = "MIXED"
IRQ_MODES = ("mask-first", "claim-first")
MAX_COLD_START_SECONDS = 3600.0
MAX_INTERRUPTS = 64
MAX_SHOWN = 8
"""Of the keys that are not understood, so many are told."""

KNOWN = (
    PREFER_ISOLATED,
    REQUIRE_ISOLATED,
    "prefer-shared-cpus",
    "prefer-reserved-cpus",
    "prefer-cpu-priority",
    "hide-hyperthreads",
    "memory-type",
    "cold-start",
    "cpu.preserve",
    "memory.preserve",
    "unlimited-burstable",
    "scheduling-class",
    "cpu-class",
    "irq-affinity",
    *HINT_KEYS,
    TEST,
    "rdtclass",
    "blockioclass",
    "toptierlimit",
    "balloon.balloons",
    AFFINITY,
    ANTI_AFFINITY,
)


def tenant_intent(annotations: Mapping[str, str], container: str) -> TenantIntent:
    """Read the annotations of a pod for one of its containers."""
    keys = ours(annotations)
    if not keys:
        return NO_INTENT
    found, unknown = all_effective(annotations, keys, container, KNOWN)
    values = Values(found)
    isolated, required = _isolated(values)
    cpu_class, irq = values.name("cpu-class"), _irq(values)
    intent = TenantIntent(
        prefer_shared=values.boolean("prefer-shared-cpus"),
        prefer_reserved=values.boolean("prefer-reserved-cpus"),
        isolated=isolated,
        require_isolated=required,
        cpu_priority=_cpu_priority(values),
        hide_hyperthreads=values.boolean("hide-hyperthreads"),
        memory_types=_memory_types(values),
        cold_start_seconds=_cold_start(values),
        preserve_cpus=_preserve(values, "cpu.preserve"),
        preserve_memory=_preserve(values, "memory.preserve"),
        unlimited_burstable=_level(values),
        scheduling_class=values.name("scheduling-class"),
        cpu_class=cpu_class,
        cpu_class_scope=POD_SCOPE if cpu_class is None else found["cpu-class"].scope,
        irq=irq,
        irq_scope=POD_SCOPE if irq is None else found["irq-affinity"].scope,
        hints=hint_intent(values),
        rdt_class=values.name("rdtclass"),
        blockio_class=values.name("blockioclass"),
        affinities=_affinities(values, container),
        balloon=values.name("balloon.balloons", demanded=True),
    )
    _tier_limit(values)
    values.problems.extend(contradictions(found))
    values.problems.extend(
        unknown_key(key, annotations[key], KNOWN) for key in sorted(unknown)[:MAX_SHOWN]
    )
    return replace(intent, problems=tuple(values.problems), demand=values.demand)


def _isolated(values: Values) -> tuple[Optional[bool], bool]:
    """The preference, and whether it is a demand: the narrower of two keys holds, or the demand."""
    demand, wish = values.found.get(REQUIRE_ISOLATED), values.found.get(PREFER_ISOLATED)
    holds = demand is not None and (wish is None or demand.is_as_narrow_as(wish))
    required = values.boolean(REQUIRE_ISOLATED, demanded=holds)
    preferred = values.boolean(PREFER_ISOLATED)
    return (required, bool(required)) if holds else (preferred, False)


def _cpu_priority(values: Values) -> Optional[str]:
    """ "default" is what the configuration says, as if nothing was said here."""
    found = values.choice("prefer-cpu-priority", (*PRIORITIES, "default"))
    return None if found == "default" else found


def _level(values: Values) -> Optional[str]:
    """A level below the finest one that pools have means that one."""
    found = values.choice("unlimited-burstable", LEVELS)
    finest = LEVELS.index(FINEST_POOL)
    return found if found is None or LEVELS.index(found) <= finest else FINEST_POOL


def _preserve(values: Values, name: str) -> bool:
    """Only the very word counts, as in nri-plugins; another way to say yes is told."""
    found = values.boolean(name)
    if found and values.found[name].value != "true":
        values.wrong(values.found[name], "is not the word that counts", 'write "true"')
    return bool(found) and values.found[name].value == "true"


def _memory_types(values: Values) -> Optional[frozenset[str]]:
    words = values.words("memory-type")
    if words is None or words == ("",):
        return None
    types = {word.upper() for word in words}
    wrong = types - {*MEMORY_TYPES, MIXED}
    if wrong:
        why = f"{min(wrong).lower()!r} is no type of memory"
        values.wrong(values.found["memory-type"], why, "use some of: dram, pmem, hbm, mixed")
        return None
    return frozenset(MEMORY_TYPES if MIXED in types else types)


def _cold_start(values: Values) -> float:
    annotation = values.found.get("cold-start")
    if annotation is None:
        return 0.0
    try:
        fields = fields_of(annotation)
        duration = seconds(fields.text("duration", "0"))
        fields.refuse_unknown()
    except HomenodeProblem as error:
        values.note(error.problem)
        return 0.0
    if duration is None or not 0 <= duration <= MAX_COLD_START_SECONDS:
        why = "is no duration" if duration is None else "is out of range"
        values.wrong(annotation, why, "write duration: 60s, and at most 1h")
        return 0.0
    return duration


def _irq(values: Values) -> Optional[IrqAffinity]:
    """Said of the container itself it is a demand, as its misuse is (pinning.md §2.12)."""
    annotation = values.found.get("irq-affinity")
    if annotation is None:
        return None
    try:
        fields = fields_of(annotation)
        claim = fields.scalars("claim", most=MAX_INTERRUPTS)
        mask = fields.scalars("mask", most=MAX_INTERRUPTS)
        mode = fields.text("mode", "") or IRQ_MODES[0]
        fields.refuse_unknown()
    except HomenodeProblem as error:
        wrong = error.problem
        why = f"invalid IRQ affinity {shown(annotation.value)}: {wrong.why}"
    else:
        if mode in IRQ_MODES:
            return IrqAffinity(claim, mask, mode)
        why = f"invalid IRQ affinity mode {shown(mode)} (valid modes: [{' '.join(IRQ_MODES)}])"
    remedy = "write claim: [..], mask: [..], mode: mask-first or claim-first"
    values.wrong(annotation, why, remedy, demanded=annotation.scope == CONTAINER_SCOPE)
    return None


def _affinities(values: Values, container: str) -> Optional[tuple[Affinity, ...]]:
    """None where none is said, so that the configured ones hold."""
    found: tuple[Affinity, ...] = ()
    for name, anti in ((AFFINITY, False), (ANTI_AFFINITY, True)):
        if name in values.found:
            try:
                found += affinities(values.found[name], container, anti=anti)
            except HomenodeProblem as error:
                values.note(error.problem)
    return found or None


def _tier_limit(values: Values) -> None:
    """Read as far as to say what is wrong: no policy of either project ever used it."""
    annotation = values.found.get("toptierlimit")
    if annotation is None:
        return
    try:
        Quantity.parse(annotation.value, field=annotation.key)
    except HomenodeProblem as error:
        values.note(error.problem)
    else:
        values.wrong(annotation, "is used by no policy", "set a memory-type instead")
