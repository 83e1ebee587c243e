# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A choice of CPUs while it is being made. Out of scope: the rules by which it is made."""

from __future__ import annotations

from dataclasses import dataclass

from model.cpuset import NO_CPUS, CpuSet

from .topology import CpuTopology


@dataclass(frozen=True)
class Draft:
    """*taken* so far out of a set of which *free* is left; *missing* CPUs are still wanted."""

    topology: CpuTopology
    priority: str
    free: CpuSet
    missing: int
    taken: CpuSet = NO_CPUS

    def take(self, cpus: CpuSet) -> Draft:
        """The draft after *cpus*, all of them free, were taken too."""
        return Draft(
            self.topology,
            self.priority,
            self.free - cpus,
            self.missing - len(cpus),
            self.taken | cpus,
        )
