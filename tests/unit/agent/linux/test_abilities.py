# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine can do, found by looking: each ability with what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import pytest

from fakes.files import FakeFiles
from homenode.linux.abilities import Ability, Sockets, probe

CGROUP = "/sys/fs/cgroup"
STATUS = "/proc/self/status"
CPU = "/sys/devices/system/cpu/cpu0"
SOCKETS = Sockets("/nri.sock", ("/cri.sock", "/other.sock"), "/pods.sock")
BALANCING = "/proc/sys/kernel/numa_balancing"
ALL_OF_IT = f"Name:\tx\nCapEff:\t{1 << 19 | 1 << 23 | 1 << 2:016x}\n"

Row = tuple[str, Mapping[str, str], Optional[bool], str]
ROWS: dict[str, Row] = {
    "two nodes": ("numa", {"/sys/devices/system/node/online": "0-1\n"}, True, "nodes 0-1"),
    "one node": ("numa", {"/sys/devices/system/node/online": "0\n"}, False, "node 0"),
    "no node folder": ("numa", {}, False, "no node folder"),
    "a node list of garbage": (
        "numa", {"/sys/devices/system/node/online": "x"}, False, "no node folder"),
    "cgroup v2": (
        "cgroup v2", {f"{CGROUP}/cgroup.controllers": "cpuset cpu"}, True, "cpuset controller"),
    "cgroup v2 without cpuset": (
        "cgroup v2", {f"{CGROUP}/cgroup.controllers": "cpu io"}, False, "no cpuset controller"),
    "cgroup v1": ("cgroup v2", {f"{CGROUP}/cpuset/cpuset.cpus": "0-3"}, False, "cgroup v1"),
    "all capabilities": ("capabilities", {STATUS: ALL_OF_IT}, True, "all that the service needs"),
    "no capability": (
        "capabilities", {STATUS: "CapEff:\t0000000000000000\n"}, False,
        "without CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_NICE"),
    "one is missing": (
        "capabilities", {STATUS: f"CapEff:\t{1 << 23 | 1 << 2:x}\n"}, False,
        "without CAP_SYS_PTRACE"),
    "capabilities of a recording": ("capabilities", {}, None, "not recorded"),
    "balancing on": ("numa balancing", {BALANCING: "1\n"}, True, "mode 1"),
    "balancing off": ("numa balancing", {BALANCING: "0\n"}, False, "off"),
    "no balancing": ("numa balancing", {}, False, "not there"),
    "pressure": ("pressure (PSI)", {"/proc/pressure/memory": "some avg10=0.00"}, True,
                 "/proc/pressure"),
    "no pressure": ("pressure (PSI)", {}, False, "absent"),
    "bypass": (
        "bypass", {f"{CGROUP}/cgroup.controllers": "cpuset cpu", f"{CGROUP}/kubepods.slice/x": ""},
        True, "kubepods.slice"),
    "bypass on cgroup v1": ("bypass", {f"{CGROUP}/cpuset/cpuset.cpus": "0-3"}, True, "no pods yet"),
    "no bypass": ("bypass", {}, False, "no cpuset controller"),
    "no clocks": ("CPU clocks", {}, False, "no cpufreq"),
    "no idle states": ("idle states", {}, False, "no cpuidle"),
    "no interrupts": ("interrupts", {}, False, "none in /proc/irq"),
    "isolated CPUs": ("isolated CPUs", {"/sys/devices/system/cpu/isolated": "2-3\n"}, True, "2-3"),
    "none isolated": ("isolated CPUs", {"/sys/devices/system/cpu/isolated": "\n"}, False, "none"),
}  # fmt: skip


def ability(name: str, texts: Mapping[str, str], socket: Optional[bool] = None) -> Ability:
    found = probe(FakeFiles(texts), SOCKETS, lambda _path: socket, lambda _path: socket)
    return {one.name: one for one in found}[name]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row: Row) -> None:
    name, texts, present, found = row
    one = ability(name, texts)
    assert (one.present, one.found) == (present, found)
    assert one.effect, "every ability says what follows"


THERE = {
    "nri": {True: "/nri.sock", False: "no /nri.sock", None: "not recorded"},
    "podresources": {True: "/pods.sock", False: "no /pods.sock", None: "not recorded"},
    "CRI socket": {True: "/cri.sock", False: "none at the usual places", None: "not recorded"},
}


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize("there", [True, False, None])
def test_sockets(name: str, there: Optional[bool]) -> None:
    one = ability(name, {}, there)
    assert (one.present, one.found) == (there, THERE[name][there])


HARDWARE = {
    "CPU clocks": ({f"{CPU}/cpufreq/scaling_driver": "intel_pstate\n"}, "intel_pstate"),
    "idle states": (
        {f"{CPU}/cpuidle/state0/name": "POLL\n", f"{CPU}/cpuidle/state1/name": "C6\n"},
        "POLL C6",
    ),
    "interrupts": ({"/proc/irq/4/smp_affinity_list": "0"}, "1 in /proc/irq"),
}


@pytest.mark.parametrize("name", HARDWARE)
@pytest.mark.parametrize("may", [True, False, None])
def test_hardware_that_may_be_written_or_not(name: str, may: Optional[bool]) -> None:
    texts, found = HARDWARE[name]
    one = ability(name, texts, may)
    assert (one.present, one.found) == (may, found)
    assert ("cannot be written" in one.effect) is (may is False)
    assert ability(name, {}, may).present is False


def test_what_bypass_lacks_is_said() -> None:
    one = ability("bypass", {f"{CGROUP}/cgroup.controllers": "cpuset"})
    assert "no creation can be refused" in one.effect
    assert "annotations where the runtime's files have them" in ability("CRI socket", {}).effect


@pytest.mark.parametrize("line", ["CapEff:", "CapEff:\tzz", "CapEff"])
def test_a_status_that_makes_no_sense_is_not_recorded(line: str) -> None:
    assert ability("capabilities", {STATUS: line}).present is None


def test_looking_costs_a_file_each() -> None:
    files = FakeFiles({})
    probe(files, SOCKETS, lambda _path: None, lambda _path: None)
    assert max(files.reads.values()) == 1
