# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an interrupt's CPUs and a CPU's clock and idle states are set: paths and their texts.

Each function turns a value into ``{path: text}``; writing is ``enforce``'s. Sources:
Documentation/core-api/irq/irq-affinity.rst, admin-guide/pm/cpufreq.rst and cpuidle.rst.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

from model.cpuset import CpuSet
from model.files import Files
from model.interrupts import Interrupt, parse_interrupts
from model.problem import HomenodeProblem

INTERRUPTS, IRQ = "/proc/interrupts", "/proc/irq"
CPU = "/sys/devices/system/cpu"

PREFERENCES: Mapping[Optional[int], str] = {
    0: "performance",
    128: "balance_performance",
    191: "balance_power",
    192: "balance_power",
    255: "power",
}
"""Numbers for which cpufreq shows a word (intel_pstate.rst, amd-pstate.rst), and the word."""


def read_interrupts(files: Files) -> list[tuple[Interrupt, CpuSet]]:
    """Every interrupt with the CPUs that it goes to now; those without an affinity are left out."""
    found = []
    for interrupt in parse_interrupts(files.read(INTERRUPTS) or ""):
        text = files.read(affinity_path(interrupt.number))
        try:
            cpus = CpuSet.parse(text or "")
        except HomenodeProblem:
            continue
        if cpus:
            found.append((interrupt, cpus))
    return found


def affinity_path(number: int) -> str:
    """The file with an interrupt's CPUs as a list."""
    return f"{IRQ}/{number}/smp_affinity_list"


def clock_files(
    cpu: int,
    min_khz: Optional[int],
    max_khz: Optional[int],
    energy_performance_preference: Optional[int],
    governor: str,
) -> dict[str, str]:
    """cpufreq files of one CPU, without those that are to stay as they are."""
    preference = energy_performance_preference
    values = {
        "scaling_governor": governor or None,
        "scaling_max_freq": max_khz,
        "scaling_min_freq": min_khz,
        "energy_performance_preference": preference,
    }
    if preference in PREFERENCES:
        values["energy_performance_preference"] = PREFERENCES[preference]
    folder = f"{CPU}/cpu{cpu}/cpufreq"
    return {f"{folder}/{name}": str(value) for name, value in values.items() if value is not None}


def idle_state_files(files: Files, cpu: int, disabled: Iterable[str]) -> dict[str, str]:
    """cpuidle's switches of one CPU: "1" for the named states, "0" for its other ones."""
    names = set(disabled)
    if not names:
        return {}
    folder = f"{CPU}/cpu{cpu}/cpuidle"
    found = {}
    for state in files.list(folder):
        name = (files.read(f"{folder}/{state}/name") or "").strip()
        found[f"{folder}/{state}/disable"] = str(int(name in names))
    return found
