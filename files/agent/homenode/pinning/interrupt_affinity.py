# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs each interrupt is to go to, from what containers and balloons claim or avoid.

Pure. Rules: the documented IRQ options of nri-plugins' two policies, of which one is in force at a
time. No interrupt ever gets an empty set, and one that nobody wishes anything for is not named.
Out of scope: reading, writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from model.cpuset import NO_CPUS, CpuSet
from model.interrupts import Interrupt

MASK_FIRST, CLAIM_FIRST = "mask-first", "claim-first"
SINK, ISOLATE = "sink", "isolate"


@dataclass(frozen=True)
class InterruptWish:
    """What the owner of *cpus* wants: *claim* and *mask* are names, *mode* one of the four above.

    MASK_FIRST and CLAIM_FIRST are modes of a container, SINK and ISOLATE of a balloon.
    """

    cpus: CpuSet
    claim: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    mode: str = MASK_FIRST


def wanted_cpus(
    interrupts: Sequence[tuple[Interrupt, CpuSet]],
    allowed: CpuSet,
    controllable: Sequence[str],
    wishes: Sequence[InterruptWish],
) -> Mapping[int, CpuSet]:
    """The CPUs of each interrupt that somebody has a wish for, by its number.

    *interrupts* come with the CPUs that they go to without us. Claims narrow an interrupt to the
    claimers' CPUs; a mask takes the masker's away, in CLAIM_FIRST even from claims, in MASK_FIRST
    unless they are claimed too. What nobody names goes to the sinks, else away from the isolated,
    if it goes anywhere near *allowed*. Who has no CPU has no wish.
    """
    there = [wish for wish in wishes if wish.cpus]
    sinks = _union(wish.cpus for wish in there if wish.mode == SINK)
    isolated = _union(wish.cpus for wish in there if wish.mode == ISOLATE)
    wanted: dict[int, CpuSet] = {}
    for interrupt, current in interrupts:
        if not interrupt.matches_any(controllable):
            continue
        cpus = _named(interrupt, allowed, there) or sinks
        if not cpus and isolated and current & allowed:
            cpus = (current | allowed) - isolated
        if cpus:
            wanted[interrupt.number] = cpus
    return wanted


def _named(interrupt: Interrupt, allowed: CpuSet, wishes: Sequence[InterruptWish]) -> CpuSet:
    """The CPUs of an interrupt that is claimed or masked; none for others."""
    claimed = _union(wish.cpus for wish in wishes if interrupt.matches_any(wish.claim))
    maskers = [wish for wish in wishes if interrupt.matches_any(wish.mask)]
    if not claimed and not maskers:
        return NO_CPUS
    before = _union(wish.cpus for wish in maskers if wish.mode == CLAIM_FIRST)
    after = _union(wish.cpus for wish in maskers if wish.mode != CLAIM_FIRST) - claimed
    base = allowed - before
    return ((base & claimed if claimed else base) - after) or allowed


def denied(
    patterns: Iterable[str], interrupts: Iterable[Interrupt], controllable: Sequence[str]
) -> Optional[tuple[str, str]]:
    """The first pattern that names an interrupt which is not controllable, and why not."""
    beyond = [one for one in interrupts if not one.matches_any(controllable)]
    for pattern in patterns:
        for interrupt in beyond:
            if interrupt.matches(pattern):
                number = interrupt.number
                return pattern, (
                    f'denied interrupt: {number} denied but matched by user pattern "{pattern}"'
                )
    return None


def _union(parts: Iterable[CpuSet]) -> CpuSet:
    total = NO_CPUS
    for part in parts:
        total = total | part
    return total
