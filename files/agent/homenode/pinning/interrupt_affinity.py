# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs each interrupt is to go to, from what containers and balloons claim or avoid.

Pure. Rules: the documented IRQ options of nri-plugins' two policies. No interrupt ever gets an
empty set, and one that nobody wishes anything for is not named. Out of scope: reading, writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


def of_containers(
    interrupts: Sequence[Interrupt],
    allowed: CpuSet,
    controllable: Sequence[str],
    wishes: Sequence[InterruptWish],
) -> Mapping[int, CpuSet]:
    """Topology-aware: claims narrow to the claimers' CPUs; what is claimed and masked is claimed.

    A claim-first masker keeps its CPUs even from claims, a mask-first one only from the rest.
    """
    wanted: dict[int, CpuSet] = {}
    for interrupt in interrupts:
        if not interrupt.matches_any(controllable):
            continue
        claimed = _union(wish.cpus for wish in wishes if interrupt.matches_any(wish.claim))
        maskers = [wish for wish in wishes if interrupt.matches_any(wish.mask)]
        if not claimed and not maskers:
            continue
        before = _union(wish.cpus for wish in maskers if wish.mode == CLAIM_FIRST)
        after = _union(wish.cpus for wish in maskers if wish.mode != CLAIM_FIRST) - claimed
        base = allowed - before
        cpus = (base & claimed if claimed else base) - after
        wanted[interrupt.number] = cpus or allowed
    return wanted


def of_balloons(
    interrupts: Sequence[tuple[Interrupt, CpuSet]],
    allowed: CpuSet,
    controllable: Sequence[str],
    wishes: Sequence[InterruptWish],
) -> Mapping[int, CpuSet]:
    """Balloons: claims first, then sinks, then away from the isolated; *interrupts* come with the
    CPUs they go to now. One that goes nowhere near *allowed* is left alone.
    """
    there = [wish for wish in wishes if wish.cpus]
    sinks = _union(wish.cpus for wish in there if wish.mode == SINK)
    isolated = _union(wish.cpus for wish in there if wish.mode == ISOLATE)
    wanted: dict[int, CpuSet] = {}
    for interrupt, current in interrupts:
        if not interrupt.matches_any(controllable):
            continue
        cpus = _union(wish.cpus for wish in there if interrupt.matches_any(wish.claim)) or sinks
        if not cpus and isolated and current & allowed:
            cpus = (current | allowed) - isolated
        if cpus:
            wanted[interrupt.number] = cpus
    return wanted


def _union(parts: Iterable[CpuSet]) -> CpuSet:
    total = NO_CPUS
    for part in parts:
        total = total | part
    return total
