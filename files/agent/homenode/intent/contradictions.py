# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Annotations that leave another one without effect: one of the two cannot be what was meant.

A narrower scope that says otherwise than a wider one is no contradiction, it is an exception.
Out of scope: what the kind of the pod rules out (``pod_intents``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from model.problem import Problem

from .annotation_values import FALSE, MAX_VALUE, TRUE
from .annotations import Annotation

_CPU_CHOICES = (
    "require-isolated-cpus",
    "prefer-isolated-cpus",
    "prefer-cpu-priority",
    "pick-resources-by-hints",
    "cpu-class",
    "irq-affinity",
)
_OVERRULED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "cpu.preserve": (
        ("prefer-reserved-cpus", "prefer-shared-cpus", "hide-hyperthreads", *_CPU_CHOICES),
        "leaves the CPUs as they are",
    ),
    "prefer-reserved-cpus": (("prefer-shared-cpus", *_CPU_CHOICES), "shares the reserved CPUs"),
    "prefer-shared-cpus": (_CPU_CHOICES, "takes no CPUs of its own"),
    "memory.preserve": (("memory-type", "cold-start"), "leaves the memory as it is"),
}
"""By a true annotation: those that it leaves without effect, and why."""


def contradictions(found: Mapping[str, Annotation]) -> Iterator[Problem]:
    """One problem for each annotation that another one overrules."""
    told = set()
    for winner, (losers, why) in _OVERRULED.items():
        above = found.get(winner)
        if above is None or above.value not in TRUE:
            continue
        for name in losers:
            below = found.get(name)
            if below is None or name in told or below.value in FALSE:
                continue
            if below.is_as_narrow_as(above):
                told.add(name)
                yield _problem(below, above, why)
    strict, sources = found.get("strict.topologyhints"), found.get("topologyhints")
    if strict and sources and strict.value in TRUE and sources.value in (*FALSE, "none"):
        yield _problem(strict, sources, "lets no hint count")


def _problem(below: Annotation, above: Annotation, why: str) -> Problem:
    return Problem(
        below.key,
        below.value[:MAX_VALUE],
        f"has no effect: {above.key} {why}",
        "keep one of the two",
    )
