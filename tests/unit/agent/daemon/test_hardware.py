# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks, idle states and interrupts follow containers, and stay as they are where nobody asks."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.machines import machine_files, sockets
from fakes.node import FakeNode, machine
from homenode.daemon.hardware import BOOT_ID, PERIOD_S, Tuner, knobs_at
from homenode.intent.config import TOPOLOGY_AWARE, PinningConfig
from homenode.intent.policy_config import CpuAmount, CpuClass, TopologyAwareConfig
from host_files import open_host
from model.cpuset import CpuSet

SHAPE = sockets(2, cores=4)
CPU, IRQ = "/sys/devices/system/cpu/cpu{}", "/proc/irq/{}/smp_affinity_list"
SLOW = CpuClass("slow", max_freq="2000000", disabled_cstates=("C6",))
FAST = CpuClass("fast", min_freq="3000000", freq_governor="performance")
INTERRUPTS = """      CPU0
  4:    1   IO-APIC   4-edge      ttyS0
  8:    1   IO-APIC   8-edge      rtc0
NMI:    0   Non-maskable interrupts
"""
CLAIM = {"irq-affinity.resource-policy.nri.io": "claim: ['*ttyS0*']"}


def host(root: Path) -> dict[str, str]:
    """The files of a machine with clocks, idle states and two interrupts."""
    files = {**machine_files(SHAPE), BOOT_ID: "first-boot\n", "/proc/interrupts": INTERRUPTS}
    files.update({IRQ.format(number): "0-7\n" for number in (4, 8)})
    for cpu in range(8):
        clock, idle = f"{CPU.format(cpu)}/cpufreq", f"{CPU.format(cpu)}/cpuidle"
        files[f"{clock}/scaling_max_freq"] = "3800000\n"
        files[f"{clock}/scaling_min_freq"] = "800000\n"
        files[f"{clock}/scaling_governor"] = "powersave\n"
        files.update({f"{idle}/state0/name": "POLL\n", f"{idle}/state0/disable": "0\n"})
        files.update({f"{idle}/state1/name": "C6\n", f"{idle}/state1/disable": "0\n"})
    for path, text in files.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return files


class Tuned:
    """A fake node under the topology-aware policy, and its hardware as files."""

    def __init__(self, root: Path, **spec: Any) -> None:
        self.root = root / "host"
        self.before = host(self.root)
        self.state = str(root / "hardware.json")
        config = TopologyAwareConfig(CpuAmount(cpus=CpuSet([0])), **spec)
        self.node = FakeNode(machine(SHAPE), PinningConfig(TOPOLOGY_AWARE, spec=config))
        self.told = 0
        self.restart()

    def restart(self) -> None:
        """The agent starts anew."""
        knobs = knobs_at(str(self.root), self.state)
        self.tuner = Tuner(lambda: self.node.world, open_host(str(self.root)), knobs, self._count)

    def _count(self) -> None:
        self.told += 1

    def tune(self, now: float = 1.0) -> None:
        self.tuner.tune(now)

    def create(self, kind: str, name: str, **values: Any) -> None:
        self.node.create(kind, name, **values)
        self.tune()

    def text(self, path: str) -> str:
        return (self.root / path[1:]).read_text().strip()

    def clock(self, cpu: int, name: str) -> str:
        return self.text(f"{CPU.format(cpu)}/cpufreq/scaling_{name}")

    def untouched(self) -> bool:
        return all((self.root / path[1:]).read_text() == text for path, text in self.before.items())

    def give_back(self) -> bool:
        """Whether everything says again what it said before."""
        assert knobs_at(str(self.root), self.state).give_back() == []
        said = {path: text.strip() for path, text in self.before.items()}
        return all(self.text(path) == text for path, text in said.items())


@pytest.fixture
def tuned(tmp_path: Path) -> Tuned:
    return Tuned(
        tmp_path,
        cpu_classes=(SLOW, FAST),
        shared_cpu_class="slow",
        default_exclusive_cpu_class="fast",
    )


def test_classes_follow_who_has_the_cpus(tuned: Tuned) -> None:
    tuned.create("G2", "a")
    own = sorted(tuned.node.book["a"].cpus or ())
    assert len(own) == 2
    assert {tuned.clock(cpu, "governor") for cpu in own} == {"performance"}
    assert {tuned.clock(cpu, "min_freq") for cpu in own} == {"3000000"}
    others = set(range(1, 8)) - set(own)
    assert {tuned.clock(cpu, "max_freq") for cpu in others} == {"2000000"}
    assert {tuned.text(f"{CPU.format(cpu)}/cpuidle/state1/disable") for cpu in others} == {"1"}
    tuned.node.stop("a")
    tuned.tune()
    assert {tuned.clock(cpu, "max_freq") for cpu in own} == {"2000000"}
    assert {tuned.clock(cpu, "governor") for cpu in own} == {"powersave"}
    assert tuned.give_back()


def test_interrupts_follow_too(tmp_path: Path) -> None:
    tuned = Tuned(tmp_path)
    tuned.create("G2", "a", annotations=CLAIM)
    assert tuned.text(IRQ.format(4)) == str(tuned.node.book["a"].cpus)
    assert tuned.text(IRQ.format(8)) == "0-7"
    tuned.node.stop("a")
    tuned.tune()
    assert tuned.text(IRQ.format(4)) == "0-7"


def test_where_nothing_is_asked_nothing_is_touched(tmp_path: Path) -> None:
    tuned = Tuned(tmp_path, shared_cpu_class="slow")
    tuned.create("G2", "a")
    assert tuned.untouched()
    assert not Path(tuned.state).exists()


def test_before_it_is_known_what_runs_nothing_is_touched(tuned: Tuned) -> None:
    tuned.tune()
    assert tuned.untouched()


def test_a_restart_changes_nothing_and_forgets_nothing(tuned: Tuned) -> None:
    tuned.create("G2", "a")
    held = Path(tuned.state).read_text()
    tuned.restart()
    tuned.node.restart()
    tuned.tune()
    assert Path(tuned.state).read_text() == held
    assert tuned.give_back()


def test_what_is_switched_off_is_given_back(tuned: Tuned) -> None:
    tuned.create("G2", "a")
    tuned.node.world = replace(tuned.node.world, pinning=None, policy=None)
    tuned.tune()
    assert {tuned.clock(cpu, "max_freq") for cpu in range(8)} == {"3800000"}
    assert tuned.give_back()


def test_a_boot_resets_the_hardware_so_there_is_nothing_to_give_back(tuned: Tuned) -> None:
    tuned.create("G2", "a")
    (tuned.root / BOOT_ID[1:]).write_text("another-boot\n")
    assert knobs_at(str(tuned.root), tuned.state).before == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": "first-boot"}', '{"before": 5}'])
def test_an_account_that_cannot_be_read_is_none(tuned: Tuned, text: str) -> None:
    Path(tuned.state).write_text(text)
    assert knobs_at(str(tuned.root), tuned.state).before == {}


def test_somebody_elses_value_is_replaced_once_in_a_while(tuned: Tuned) -> None:
    tuned.create("G2", "a")
    path = tuned.root / f"{CPU.format(1)[1:]}/cpufreq/scaling_max_freq"
    path.write_text("3800000\n")
    tuned.tune(2.0)
    assert tuned.clock(1, "max_freq") == "3800000", "nothing has changed, so nothing is read"
    tuned.tune(2.0 + PERIOD_S)
    assert tuned.clock(1, "max_freq") == "2000000"


def test_hardware_without_clocks_is_told_once(tuned: Tuned) -> None:
    for cpu in range(8):
        (tuned.root / f"{CPU.format(cpu)[1:]}/cpufreq/scaling_max_freq").unlink()
    tuned.create("G2", "a")
    (problem,) = tuned.tuner.problems()
    assert problem.field.endswith("scaling_max_freq and 4 more")
    assert "is not there on this machine" in problem.why
    tuned.create("G1", "b")
    tuned.tune(100.0)
    assert len(tuned.tuner.problems()) == 1


def test_a_full_disk_leaves_the_hardware_alone(tuned: Tuned) -> None:
    tuned.state = "/nowhere/hardware.json"
    tuned.restart()
    tuned.create("G2", "a")
    assert tuned.untouched()
    assert [problem.field for problem in tuned.tuner.problems()] == ["before-values"]
    assert tuned.told == 1


def test_the_thread_wakes_and_ends(tuned: Tuned) -> None:
    stop, done = threading.Event(), tuned.root / f"{CPU.format(1)[1:]}/cpufreq/scaling_max_freq"
    thread = threading.Thread(target=tuned.tuner.run, args=(stop,))
    thread.start()
    tuned.node.create("G2", "a")
    tuned.tuner.wake()
    while done.read_text() == "3800000\n" and not stop.wait(0.01):
        pass
    stop.set()
    tuned.tuner.wake()
    thread.join(5)
    assert not thread.is_alive()
