# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the operator's CPU sets fit this machine: what does not is told, and pods still start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from model.cpuset import CpuSet
from model.machine import Machine
from model.problem import Problem

from .config import PinningConfig


def misfits(pinning: Optional[PinningConfig], machine: Machine) -> Iterator[Problem]:
    """The CPU sets that cannot mean what the operator meant, one problem each."""
    if pinning is None:
        return
    usable = machine.online - machine.isolated
    available, reserved = pinning.available_cpus, pinning.reserved_cpus
    if available is not None:
        yield from _strangers("available_cpus", available, machine)
        if not usable & available:
            yield _problem(
                "available_cpus",
                available,
                f"leaves no CPU to workloads (usable here: {usable})",
                "name some of those; until then every online CPU is used",
            )
        usable = usable & available or machine.online
    if reserved is not None:
        yield from _strangers("reserved_cpus", reserved, machine)
        if usable <= reserved:
            yield _problem(
                "reserved_cpus",
                reserved,
                f"covers every CPU that workloads may use ({usable})",
                "reserve fewer; until then no container gets CPUs of its own",
            )


def _strangers(key: str, cpus: CpuSet, machine: Machine) -> Iterator[Problem]:
    absent = cpus - machine.present
    if absent:
        why = f"names CPUs that this machine does not have: {absent}"
        yield _problem(key, cpus, why, f"it has {machine.present}; the others count for nothing")


def _problem(key: str, cpus: CpuSet, why: str, remedy: str) -> Problem:
    return Problem(f"pinning.{key}", str(cpus), why, remedy, "configuration")
