# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one container got, as every policy says it and the ledger keeps it."""

from __future__ import annotations

from typing import NamedTuple, Optional

from model.cpuset import NO_CPUS, CpuSet
from model.workload import Placement

from .decision import Decision


class Placed(NamedTuple):
    """What one container gets; None parts of *placement* (and None *shares*) are left alone.

    A tuple like the grant that holds it, because hundreds change in one answer.
    *place* is the pool or balloon by name ("NUMA node #1", "db[0]"), "" where it is in none.
    *exclusive* are the CPUs that are its own (a balloon's are nobody's own). *shares* is
    cpu.shares. *cpu_class* is that of its CPUs, *scheduling_class* its own; "" leaves them alone.
    """

    placement: Placement
    decision: Decision
    place: str = ""
    exclusive: CpuSet = NO_CPUS
    shares: Optional[int] = None
    cpu_class: str = ""
    scheduling_class: str = ""
    rdt_class: str = ""
    blockio_class: str = ""

    def at(self, placement: Placement) -> Placed:
        """The same with another *placement*."""
        return Placed(placement, *self[1:])
