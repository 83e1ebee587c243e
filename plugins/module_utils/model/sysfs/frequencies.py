# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Frequency limits and energy preferences, from ``/sys/devices/system/cpu/cpu*/cpufreq``.

Out of scope: current frequencies and governors. Source: Documentation/admin-guide/pm/cpufreq.rst,
intel_pstate.rst there for ``base_frequency`` and ``energy_performance_preference``.
"""

from __future__ import annotations

from typing import Optional

from ..cpuset import CpuSet
from ..files import Files
from ..machine import EPP_NAMES, EPP_UNKNOWN, CpuFrequency
from .sharing import CPUS
from .values import read_number


def read_frequencies(files: Files, online: CpuSet) -> dict[int, CpuFrequency]:
    """By CPU; empty where the lowest CPU has no cpufreq, as in most guests."""
    lowest = next(iter(online))
    if not files.list(f"{CPUS}/cpu{lowest}/cpufreq"):
        return {}
    return {cpu: _frequency(files, f"{CPUS}/cpu{cpu}/cpufreq") for cpu in online}


def _frequency(files: Files, folder: str) -> CpuFrequency:
    names = ("base_frequency", "cpuinfo_min_freq", "cpuinfo_max_freq")
    base, lowest, highest = (read_number(files, f"{folder}/{name}") or 0 for name in names)
    preference = _preference(files.read(f"{folder}/energy_performance_preference"))
    return CpuFrequency(base, lowest, highest, preference)


def _preference(text: Optional[str]) -> int:
    """The rank of a named preference; "default" and raw numbers have none."""
    name = (text or "").strip()
    return EPP_NAMES.index(name) if name in EPP_NAMES else EPP_UNKNOWN
