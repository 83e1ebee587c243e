# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is whose in the home-node policy after a restart, judged by what everybody holds.

What the ledger remembers and is still true comes first; the rest is judged by what it has now.
What already has a cpuset keeps it; only who was never placed is left to be placed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Optional

from homenode.world.adopt import home_of
from homenode.world.decision import EXCLUSIVE, KUBELET, PRESERVED, SHARED, Decision
from homenode.world.placed import Placed
from model.cpuset import NO_CPUS, CpuSet
from model.machine import Machine
from model.workload import GUARANTEED, NOT_OURS, Placement

from .home_node_books import Entry
from .policy import Ask, Held


def adopted(
    held: Sequence[Held], machine: Machine, allowed: CpuSet, pin_cpu: bool
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """The entries of what runs, and who is still to be placed: those that want own CPUs first.

    *allowed* are the CPUs that workloads may use, *pin_cpu* whether anybody's CPUs are ours to say.
    """
    found: dict[str, Placed] = {}
    unknown: list[Held] = []
    taken = NO_CPUS
    for one in held:
        placed = _remembered(one, allowed)
        if placed is not None and placed.decision.outcome == KUBELET:
            placed = placed._replace(exclusive=placed.exclusive - taken)
        if placed is None or placed.exclusive & taken:
            unknown.append(one)
        else:
            found[one.ask.container_id] = placed
            taken = taken | placed.exclusive
    owners = _owners(held, unknown, allowed, taken)
    newcomers: list[Held] = []
    for one in unknown:
        placed = _judged(one, one.ask.container_id in owners, machine, pin_cpu)
        if placed is None:
            newcomers.append(one)
        else:
            found[one.ask.container_id] = placed
    newcomers.sort(key=lambda one: one.ask.cpu_limit <= 0)
    asks = {one.ask.container_id: one.ask for one in held}
    entries = {
        key: Entry(placed, asks[key].memory_limit if _counts_memory(placed) else 0)
        for key, placed in found.items()
    }
    return entries, tuple(one.ask.container_id for one in newcomers)


def _counts_memory(placed: Placed) -> bool:
    return placed.placement.mems is not None


def _remembered(one: Held, allowed: CpuSet) -> Optional[Placed]:
    """What it was granted, where what is seen agrees with it."""
    before, now = one.before, one.placement
    if before is None or not _agrees(before.placement, now):
        return None
    held = now.cpus or before.exclusive
    if before.decision.outcome != KUBELET or before.exclusive <= held:
        return before
    own = held if len(held) == before.decision.asked_cpus else NO_CPUS
    return before._replace(exclusive=own if allowed - own else NO_CPUS)


def _agrees(wanted: Placement, now: Placement) -> bool:
    return wanted.cpus in (None, now.cpus) and wanted.mems in (None, now.mems)


def _owners(
    held: Sequence[Held], unknown: Sequence[Held], allowed: CpuSet, taken: CpuSet
) -> set[str]:
    """Which of the unknown had CPUs of their own: as many as are due, and those of nobody else.

    A lone sharing container may look the same, but owning all that is left is sharing. Where both
    are possible the one whose memory is held too comes first, because only owners get that.
    """
    holders = Counter(one.placement.cpus for one in held)
    claims = [
        one
        for one in unknown
        if (cpus := one.placement.cpus) and holders[cpus] == 1 and len(cpus) == _due(one)
    ]
    owners: set[str] = set()
    for one in sorted(claims, key=lambda claim: claim.placement.mems is None):
        cpus = one.placement.cpus or NO_CPUS
        if not cpus & taken and allowed - taken - cpus:
            owners.add(one.ask.container_id)
            taken = taken | cpus
    return owners


def _due(one: Held) -> int:
    """How many CPUs of its own the container may expect."""
    return 0 if one.ask.intent.prefer_shared_cpus else due_cpus(one.ask)


def _judged(one: Held, owner: bool, machine: Machine, pin_cpu: bool) -> Optional[Placed]:
    """What an unknown container has; None where it holds nothing."""
    now = one.placement
    if one.ask.intent.preserve_cpus:
        decision = Decision(PRESERVED, "its annotation asks to be left alone", adopted=True)
        return Placed(NOT_OURS, decision)
    memory_alone = not pin_cpu and now.mems is not None
    if owner or (memory_alone and not now.cpus):
        return _exclusive(machine, now)
    if not now.cpus:
        return None
    reason = "it was running on these CPUs already"
    return Placed(Placement(now.cpus), Decision(SHARED, reason, _due(one), adopted=True))


def _exclusive(machine: Machine, now: Placement) -> Placed:
    cpus = now.cpus or NO_CPUS
    home = home_of(machine, cpus) if cpus else min(now.mems or (), default=None)
    where = "on these CPUs" if cpus else "with this memory"
    decision = Decision(EXCLUSIVE, f"it was running {where} already", len(cpus), home, adopted=True)
    return Placed(now, decision, exclusive=cpus)


def due_cpus(ask: Ask) -> int:
    """How many exclusive CPUs a container may expect: Guaranteed, and a whole number of them."""
    whole = ask.qos_class == GUARANTEED and ask.cpu_request % 1000 == 0
    return ask.cpu_request // 1000 if whole else 0
