# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as the files of the kernel want them."""

from __future__ import annotations

from typing import Optional

import pytest

from fakes.files import FakeFiles
from homenode.linux.cpu_hardware import clock_files, idle_state_files, read_interrupts
from model.cpuset import CpuSet

FOLDER = "/sys/devices/system/cpu/cpu3"


def test_what_is_not_said_is_not_written() -> None:
    assert clock_files(3, None, None, None, "") == {}
    assert clock_files(3, 800000, None, None, "powersave") == {
        f"{FOLDER}/cpufreq/scaling_governor": "powersave",
        f"{FOLDER}/cpufreq/scaling_min_freq": "800000",
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "performance"), (128, "balance_performance"), (255, "power"), (64, "64")],
)
def test_a_preference_is_written_as_it_is_shown(number: Optional[int], text: str) -> None:
    found = clock_files(3, None, None, number, "")
    assert found == {f"{FOLDER}/cpufreq/energy_performance_preference": text}


def test_idle_states_are_switched_by_name() -> None:
    files = FakeFiles(
        {f"{FOLDER}/cpuidle/state{at}/name": f"{name}\n" for at, name in enumerate(("POLL", "C6"))}
    )
    assert idle_state_files(files, 3, ()) == {}
    assert idle_state_files(files, 3, ("C6", "C7")) == {
        f"{FOLDER}/cpuidle/state0/disable": "0",
        f"{FOLDER}/cpuidle/state1/disable": "1",
    }


def test_interrupts_that_go_nowhere_are_left_out() -> None:
    listing = " CPU0\n 4: 1 IO-APIC 4-edge ttyS0\n 8: 1 IO-APIC 8-edge rtc0\n 9: 1 IO-APIC acpi\n"
    affinities = {"/proc/irq/4/smp_affinity_list": "0-3\n", "/proc/irq/8/smp_affinity_list": "x\n"}
    found = read_interrupts(FakeFiles({"/proc/interrupts": listing, **affinities}))
    assert [(each.number, cpus) for each, cpus in found] == [(4, CpuSet.parse("0-3"))]
