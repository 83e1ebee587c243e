# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which idle CPUs may join a balloon, and which of its CPUs leave it.

A chain, coarse to fine: near devices and far from others; one CPU at a time where each choice
matters for the next; together in the smallest piece of the machine. The rules are those of
nri-plugins' balloons policy. Out of scope: how many, and the CPU allocator, which takes the right
number out of what may join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from homenode.pinning.cpus.topology import CpuTopology
from model.cpuset import NO_CPUS, CpuSet
from model.problem import HomenodeProblem

from .cpu_tree import CpuTree


@dataclass(frozen=True)
class Load:
    """*cpus* that suffer from a load, as those of one *level* do that are together there."""

    level: str
    cpus: CpuSet


@dataclass(frozen=True)
class Wishes:
    """What a balloon wants of its CPUs.

    *near* holds, most important first, the sets of each device, which may have several; *far* the
    sets to avoid; then come *loads*. With *overloads* a balloon's own CPUs load each other too.
    """

    topology: CpuTopology
    tree: CpuTree
    balancing: bool = False
    spread: bool = False
    near: tuple[tuple[CpuSet, ...], ...] = ()
    far: tuple[CpuSet, ...] = ()
    loads: tuple[Load, ...] = ()
    overloads: bool = False


def to_take(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    """Idle CPUs, at least *count*, from which that many may join the *current* ones.

    Raises HomenodeProblem where there are not enough.
    """
    if len(idle) < count:
        raise HomenodeProblem(
            "cpus",
            str(idle),
            f"not enough free CPUs ({len(idle)}) to resize current CPU set"
            f" from {len(current)} to {len(current) + count} CPUs",
            "free some CPUs, or lower what the balloon asks for",
        )
    if len(idle) == count:
        return idle
    if wishes.overloads:
        return _one_by_one(wishes, current, idle, count)
    return _by_devices(wishes, current, idle, count)


def _one_by_one(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    """Each CPU is taken knowing what those before it load.

    The first one is looked for as if all were taken at once: that is where many are together.
    """
    taken = NO_CPUS
    choice = _by_devices(wishes, current, idle, count)
    while True:
        taken = taken | choice.lowest(1)
        if len(taken) == count:
            return taken
        choice = _by_devices(wishes, current | taken, idle - taken, 1)


def _by_devices(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    """A wish is granted where it leaves enough CPUs."""
    left = idle
    for wanted in (*(cpus for device in wishes.near for cpus in device),):
        if len(left & wanted) >= count:
            left = left & wanted
    for unwanted in (*wishes.far, *_loaded(wishes, current)):
        if len(left - unwanted) >= count:
            left = left - unwanted
    return _together(wishes, current, left, count)


def _loaded(wishes: Wishes, current: CpuSet) -> list[CpuSet]:
    own = current if wishes.overloads else NO_CPUS
    return [load.cpus | wishes.topology.elements(load.level, own) for load in wishes.loads]


def _together(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    """In the smallest piece of the machine; one after the other where cores are to differ."""
    found = _best(wishes, current, idle, count)
    if not wishes.spread or len(found) == count:
        return found
    taken = NO_CPUS
    while len(taken) < count:
        taken = taken | _best(wishes, current | taken, idle - taken, 1)
    return taken


def _best(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    return wishes.tree.best_to_take(current, idle, count, balancing=wishes.balancing)


def to_give(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    """The *count* of the *current* CPUs that leave, one after the other.

    Those near fewer and less important devices go first. What is to be far does not count: nobody
    avoids CPUs that it has.
    """
    if count == len(current):
        return current
    if not wishes.near:
        return _given(wishes, current, idle, count)
    weights = _weights(wishes.near, current)
    limit = sorted(weights.values())[count]
    certain = CpuSet(cpu for cpu, weight in weights.items() if weight < limit)
    open_still = CpuSet(cpu for cpu, weight in weights.items() if weight == limit)
    return certain | _given(wishes, open_still, idle, count - len(certain))


def _weights(near: Sequence[Sequence[CpuSet]], current: CpuSet) -> dict[int, int]:
    weights = dict.fromkeys(current, 0)
    for importance, device in enumerate(reversed(near)):
        for cpus in device:
            for cpu in cpus & current:
                weights[cpu] += 1 << importance
    return weights


def _given(wishes: Wishes, current: CpuSet, idle: CpuSet, count: int) -> CpuSet:
    given = NO_CPUS
    for _turn in range(count):
        given = given | wishes.tree.best_to_give(current - given, idle | given)
    return given
