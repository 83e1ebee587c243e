# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files after a boot: what goes, and that in any doubt everything stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.files import FakeFiles
from fakes.kubelet_state import CPU_TEXT, MEMORY_TEXT, cpu_text, memory_text
from fakes.machines import machine_files, sockets
from model.cpuset import CpuSet
from model.kubelet.boot import Boot, Keep, Remove, Situation, decide
from model.kubelet.checksums import CPU_STATE, MEMORY_STATE
from model.sysfs import read_machine

MACHINE = read_machine(FakeFiles(machine_files(sockets(2, cores=2))))
TOTAL = MACHINE.nodes[0].memory_total_bytes
DRIFT = 4 << 20
BOOTED = Situation(MACHINE, Boot("one", CpuSet.parse("0-3")), "two")
SAME = memory_text(TOTAL, TOTAL)
DRIFTED = memory_text(TOTAL - DRIFT, TOTAL + DRIFT)

MEMORY: dict[str, tuple[str, Situation, bool, str]] = {
    "other totals": (
        DRIFTED,
        BOOTED,
        True,
        f"memory of node 0 was {TOTAL - DRIFT} bytes and is {TOTAL}; the machine was booted",
    ),
    "the second node": (memory_text(TOTAL, TOTAL + 1), BOOTED, True, "memory of node 1 was"),
    "the same totals": (SAME, BOOTED, False, "is what it says"),
    "the same boot": (
        DRIFTED,
        replace(BOOTED, before=Boot("two")),
        False,
        "was not booted since the last look",
    ),
    "pods run": (
        DRIFTED,
        replace(BOOTED, running=("pod processes 7, 8", "kubelet 9")),
        False,
        "something runs: pod processes 7, 8, kubelet 9",
    ),
    "no record": (DRIFTED, replace(BOOTED, before=Boot()), False, "no earlier boot is recorded"),
    "no boot id": (DRIFTED, replace(BOOTED, now=""), False, "this boot has no id"),
    "a node is gone": (memory_text(TOTAL, TOTAL, 1), BOOTED, True, "nodes are 0, 1, 2, the"),
    "huge pages": (
        memory_text(TOTAL, TOTAL, huge_2mi=10),
        BOOTED,
        True,
        "hugepages-2Mi of node 0 was 20971520 bytes and is 0",
    ),
    "another kind of memory": (MEMORY_TEXT, BOOTED, True, "node 0 had hugepages-1Gi, "),
    "another policy": (
        memory_text(TOTAL + DRIFT, policy="None"),
        BOOTED,
        False,
        "the policy None compares nothing",
    ),
    "edited": (SAME.replace(str(TOTAL), "7"), BOOTED, False, "cannot be judged: checkpoint is"),
    "torn": (SAME[:40], BOOTED, False, "cannot be judged"),
    "empty": ("", BOOTED, False, "cannot be judged"),
    "no nodes": (
        memory_text(),
        BOOTED,
        False,
        "holds no memory",
    ),
    "a state without totals": (
        '{"policyName":"Static","machineState":{"0":{}},"checksum":1}',
        BOOTED,
        False,
        "cannot be judged: node 0 has no totals",
    ),
}


@pytest.mark.parametrize(("text", "at", "goes", "why"), MEMORY.values(), ids=MEMORY.keys())
def test_the_memory_state(text: str, at: Situation, goes: bool, why: str) -> None:
    decision = decide({MEMORY_STATE: text, CPU_STATE: None}, at)[MEMORY_STATE]
    assert why in decision.reason
    assert isinstance(decision, Remove if goes else Keep)


def before(online: str) -> Situation:
    return replace(BOOTED, before=Boot("one", CpuSet.parse(online)))


CPUS: dict[str, tuple[str, Situation, bool, str]] = {
    "the same CPUs": (cpu_text("0-3"), BOOTED, False, "are what it says"),
    "CPUs of pods count": (cpu_text("0,2-3", uid="1"), BOOTED, False, "are what it says"),
    "a CPU is gone": (cpu_text("0-4"), BOOTED, True, "CPUs 4 are not online any more"),
    "a pod's CPU is gone": (cpu_text("0-3", uid="4-5"), BOOTED, True, "CPUs 4-5 are not"),
    "a CPU is new": (cpu_text("0-2"), before("0-2"), True, "CPUs 3 are new"),
    "kept back strictly": (cpu_text("1-3"), before("0-3"), False, "are what it says"),
    "maybe new, maybe kept back": (
        cpu_text("1-3"),
        replace(BOOTED, before=Boot("one")),
        False,
        "are what it says",
    ),
    "the same boot": (
        cpu_text("0-4"),
        replace(BOOTED, before=Boot("two")),
        False,
        "was not booted",
    ),
    "pods run": (cpu_text("0-4"), replace(BOOTED, running=("kubelet 9",)), False, "runs"),
    "another policy": (cpu_text("0-4", policy="none"), BOOTED, False, "compares nothing"),
    "no CPUs": (cpu_text(""), BOOTED, False, "it holds no CPUs"),
    "no list of CPUs": (cpu_text("0-x"), BOOTED, False, "cannot be judged"),
    "edited": (CPU_TEXT.replace("0,2-3", "0-9"), BOOTED, False, "checkpoint is corrupted"),
}


@pytest.mark.parametrize(("text", "at", "goes", "why"), CPUS.values(), ids=CPUS.keys())
def test_the_cpu_state(text: str, at: Situation, goes: bool, why: str) -> None:
    decision = decide({MEMORY_STATE: None, CPU_STATE: text}, at)[CPU_STATE]
    assert why in decision.reason
    assert isinstance(decision, Remove if goes else Keep)


def test_a_file_that_is_not_there() -> None:
    found = decide({}, BOOTED)
    assert found == {name: Keep("there is none") for name in (MEMORY_STATE, CPU_STATE)}


@given(st.text(max_size=40), st.sampled_from([MEMORY_STATE, CPU_STATE]))
def test_what_nobody_wrote_stays(text: str, name: str) -> None:
    assert isinstance(decide({name: text}, BOOTED)[name], Keep)


@given(st.integers(0, 1 << 45), st.integers(0, 1 << 45))
def test_only_the_totals_on_this_machine_are_kept(zero: int, one: int) -> None:
    goes = decide({MEMORY_STATE: memory_text(zero, one)}, BOOTED)[MEMORY_STATE]
    assert isinstance(goes, Keep) == ((zero, one) == (TOTAL, TOTAL))
