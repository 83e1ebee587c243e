# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each CPU's clock and idle states are to be, from the classes that own the CPUs.

Pure. Turbo is arbitrated per package or for the whole system: where classes with a turbo priority
own CPUs, the highest one's "turbo" is the hardware's maximum and everybody else's is the base
frequency. Rules: nri-plugins' documented ``cpuClasses`` and ``turboDomain``.
Out of scope: Intel SST (needs its own device) and uncore clocks; who owns what; files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from homenode.intent.policy_config import CpuClass
from model.cpuset import CpuSet
from model.machine import CpuFrequency, Machine

MIN, BASE, TURBO = "min", "base", "turbo"
PACKAGE, SYSTEM = "package", "system"


@dataclass(frozen=True)
class CpuSettings:
    """Settings of one CPU; None, "" and () leave the hardware as it is. Frequencies in kHz."""

    min_khz: Optional[int] = None
    max_khz: Optional[int] = None
    energy_performance_preference: Optional[int] = None
    governor: str = ""
    disabled_cstates: tuple[str, ...] = ()


def cpu_settings(
    machine: Machine,
    classes: Mapping[str, CpuClass],
    owners: Mapping[str, CpuSet],
    turbo_domain: str = PACKAGE,
) -> Mapping[int, CpuSettings]:
    """The settings of every CPU that a known class owns; *owners* is by class name."""
    wanted: dict[int, CpuSettings] = {}
    for domain in _domains(machine, turbo_domain):
        there = {name: cpus & domain for name, cpus in owners.items() if name in classes}
        active = [classes[name].turbo_priority for name, cpus in there.items() if cpus]
        winner = max(active, default=0)
        for name, cpus in there.items():
            wins = classes[name].turbo_priority >= winner
            for cpu in cpus:
                frequency = machine.frequencies.get(cpu, CpuFrequency())
                wanted[cpu] = _settings(classes[name], frequency, wins)
    return wanted


def khz(text: Optional[str], frequency: CpuFrequency, wins_turbo: bool) -> Optional[int]:
    """A frequency in kHz out of a number or a word; None where it is not given or not known."""
    if not text:
        return None
    if text == TURBO:
        return (
            frequency.max_khz if wins_turbo else frequency.base_khz or frequency.max_khz
        ) or None
    if text in (MIN, BASE):
        return (frequency.min_khz if text == MIN else frequency.base_khz) or None
    return int(text) if text.isascii() and text.isdigit() else None


def _settings(wanted: CpuClass, frequency: CpuFrequency, wins_turbo: bool) -> CpuSettings:
    return CpuSettings(
        khz(wanted.min_freq, frequency, wins_turbo),
        khz(wanted.max_freq, frequency, wins_turbo),
        wanted.energy_performance_preference,
        wanted.freq_governor,
        wanted.disabled_cstates,
    )


def _domains(machine: Machine, turbo_domain: str) -> list[CpuSet]:
    if turbo_domain == SYSTEM:
        return [machine.online]
    return [package.cpus for package in machine.packages]
