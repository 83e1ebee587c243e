# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Priority classes of CPUs, and which set of CPUs suits a wanted priority better.

Sources: nri-plugins' CPU allocator. Out of scope: Intel Speed Select, whose state only an ioctl of
``/dev/isst_interface`` tells, and no recording holds.
"""

from __future__ import annotations

from collections.abc import Mapping

from model.cpuset import NO_CPUS, CpuSet
from model.machine import EPP_UNKNOWN, CpuFrequency, Machine

HIGH, NORMAL, LOW, NONE = "high", "normal", "low", "none"
PRIORITIES = (HIGH, NORMAL, LOW)
"""From best to least; with NONE nothing is compared."""

Classes = Mapping[str, CpuSet]
"""The CPUs of each of PRIORITIES."""

Rank = tuple[int, ...]
"""The smaller one is the better."""


def priority_classes(machine: Machine) -> Classes:
    """The class of each online CPU, judged within its package.

    Efficiency cores are low. The others are by energy-performance preference where a package has
    several, all but the most frugal one high and that one low; else by base frequency, all above
    the lowest high and that one low; else normal.
    """
    classes = dict.fromkeys(PRIORITIES, NO_CPUS)
    for package in machine.packages:
        known = [machine.frequencies.get(cpu, CpuFrequency()) for cpu in package.cpus]
        bases = {one.base_khz for one in known} - {0}
        preferences = {one.energy_performance_preference for one in known} - {EPP_UNKNOWN}
        for cpu, frequency in zip(package.cpus, known):
            if cpu in machine.efficiency_cpus:
                priority = LOW
            elif len(preferences) > 1:
                frugal = frequency.energy_performance_preference >= max(preferences)
                priority = LOW if frugal else HIGH
            elif len(bases) > 1:
                priority = HIGH if frequency.base_khz > min(bases) else LOW
            else:
                priority = NORMAL
            classes[priority] = classes[priority] | CpuSet([cpu])
    return classes


def rank(cpus: CpuSet, classes: Classes, wanted: str) -> Rank:
    """More CPUs of the *wanted* class, then of each lower one; then fewer of the higher ones."""
    if wanted == NONE:
        return ()
    counts = [len(cpus & classes[priority]) for priority in PRIORITIES]
    place = PRIORITIES.index(wanted)
    return (*(-count for count in counts[place:]), *counts[:place])


def fit(cpus: CpuSet, classes: Classes, wanted: str, count: int) -> Rank:
    """A set with *count* CPUs of the *wanted* class, the tightest first; then by ``rank``.

    Where high is wanted, sets without any such CPU come last, and their normal CPUs count.
    """
    if wanted == NONE:
        return ()
    of_class = len(cpus & classes[wanted])
    second_best = 0
    if wanted == HIGH and not of_class:
        of_class = len(cpus & classes[NORMAL])
        second_best = 2
    if of_class >= count:
        return (second_best, of_class)
    return (second_best + 1, *rank(cpus, classes, wanted))
