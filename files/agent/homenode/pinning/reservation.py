# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs a policy may use at all: ``availableResources`` and ``reservedResources``.

The grammar is both policies'; what cannot be satisfied is refused in upstream's words. Out of
scope: what balloons make of their reserved CPUs.
"""

from __future__ import annotations

from homenode.intent.policy_config import CommonConfig
from model.cpuset import CpuSet
from model.machine import Machine
from model.problem import HomenodeProblem

from .cpus.allocator import allocate
from .cpus.priority import NORMAL
from .cpus.topology import CpuTopology

AVAILABLE, RESERVED = "availableResources.cpu", "reservedResources.cpu"


def allowed_cpus(machine: Machine, config: CommonConfig) -> CpuSet:
    """The online CPUs that containers may run on, the reserved ones among them.

    Raises HomenodeProblem where none is left, or a number of CPUs is given.
    """
    available = config.available
    if available.millis is not None:
        raise HomenodeProblem(
            AVAILABLE,
            f"{available.millis}m",
            "can't handle CPU resources given as resource.Quantity",
            "write cpuset:LIST or exclude-cpuset:LIST",
        )
    allowed = available.of(machine.online)
    if not allowed:
        raise HomenodeProblem(
            AVAILABLE,
            str(available.cpus or available.excluded or ""),
            "no online CPU is left",
            f"choose from the online CPUs {machine.online}",
        )
    return allowed


def reserved_cpus(topology: CpuTopology, config: CommonConfig, allowed: CpuSet) -> CpuSet:
    """The reserved ones of the *allowed* CPUs, as topology-aware reserves them: one at least.

    Raises HomenodeProblem where they are none, outside, or a mix of isolated and ordinary ones.
    """
    reserved = config.reserved
    if reserved.millis is not None:
        return _counted(topology, reserved.millis, allowed)
    if reserved.cpus is None and reserved.excluded is None:
        raise _none("")
    chosen = reserved.cpus if reserved.cpus is not None else reserved.of(allowed)
    _check(chosen, allowed, topology.machine.isolated & allowed)
    return chosen


def _counted(topology: CpuTopology, millis: int, allowed: CpuSet) -> CpuSet:
    """Whole CPUs for so many thousandths, none of them isolated."""
    ordinary = allowed - topology.machine.isolated
    try:
        chosen = allocate(topology, ordinary, -(-millis // 1000), NORMAL)
    except HomenodeProblem as error:
        raise HomenodeProblem(
            RESERVED,
            f"{millis}m",
            f"cannot reserve {millis}m CPUs for ReservedResources from AvailableResources:"
            f" {error.problem.why}",
            f"reserve at most {len(ordinary)} CPUs",
        ) from error
    if not chosen:
        raise _none(f"{millis}m")
    return chosen


def _check(chosen: CpuSet, allowed: CpuSet, isolated: CpuSet) -> None:
    outside = chosen - allowed
    if outside:
        raise _invalid(
            chosen,
            f"some CPUs ({outside}) are not part of the online allowed cpuset ({allowed})",
            "reserve allowed CPUs only",
        )
    if not chosen:
        raise _none(str(chosen))
    if chosen & isolated and not chosen <= isolated:
        raise _invalid(
            chosen,
            f"mixes isolated ({chosen & isolated}) and normal ({chosen - isolated})",
            "reserve CPUs that are not isolated",
        )
    if chosen & isolated and len(chosen) > 1:
        raise _invalid(
            chosen, f"multiple isolated CPUs ({chosen})", "reserve at most one isolated CPU"
        )


def _none(value: str) -> HomenodeProblem:
    return HomenodeProblem(
        RESERVED, value, "cannot start without CPU reservation", "reserve one CPU at least"
    )


def _invalid(chosen: CpuSet, why: str, remedy: str) -> HomenodeProblem:
    return HomenodeProblem(
        RESERVED, str(chosen), f"invalid reserved cpuset {chosen}, {why}", remedy
    )
