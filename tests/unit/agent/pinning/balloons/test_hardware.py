# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Classes of CPUs and interrupts follow balloons (pinning.md §3.9, §3.10)."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.described import ask, described
from homenode.intent.policy_config import BalloonsConfig, BalloonType, CpuAmount, CpuClass
from homenode.pinning.balloons.policy import Balloons
from homenode.pinning.interrupt_affinity import InterruptWish
from model.cpuset import CpuSet
from model.interrupts import Interrupt
from model.problem import HomenodeProblem
from model.workload import BURSTABLE

FAST, DEFAULT, IDLE = map(CpuClass, ("fast", "default", "idle"))
DB = BalloonType("db", namespaces=("db",), cpu_class="fast")
RESERVED = CpuAmount(cpus=CpuSet([0]))


def policy(*types: BalloonType, **values: Any) -> Balloons:
    return Balloons(described("n4c16"), BalloonsConfig(RESERVED, balloon_types=types, **values))


def classes(of: Balloons, *namespaces: str) -> dict[str, int]:
    """How many CPUs are of each class while a container of each namespace runs."""
    books = of.start()
    for name in namespaces:
        books = of.place(books, ask(name, BURSTABLE, cpu=2000, namespace=name)).books
    found = of.hardware(books).cpu_classes
    return {name: len(cpus) for name, cpus in found.items()}


def test_a_class_comes_and_goes_with_a_balloon() -> None:
    of = policy(DB, cpu_classes=(FAST, IDLE), idle_cpu_class="idle")
    before = classes(of)
    assert set(before) == {"idle"}
    assert classes(of, "db") == {"fast": 2, "idle": before["idle"] - 2}


def test_the_class_named_default_stands_in() -> None:
    of = policy(DB, cpu_classes=(FAST, DEFAULT))
    assert classes(of) == {"default": 16}
    assert classes(of, "db", "other") == {"fast": 2, "default": 14}


def test_components_have_classes_and_a_composite_has_none() -> None:
    plain = BalloonType("plain", max_cpus=8)
    both = BalloonType("both", namespaces=("db",), components=("part", "plain"))
    part = BalloonType("part", cpu_class="fast")
    assert classes(policy(part, plain, both, cpu_classes=(FAST,)), "db") == {"fast": 1}


def test_without_classes_nothing_is_touched() -> None:
    assert classes(policy(DB), "db") == {}


def test_interrupts_follow_balloons_with_cpus() -> None:
    claimer = BalloonType("db", namespaces=("db",), irq_claim=("*tty*",))
    sink = BalloonType("sink", irq_mode="sink", min_balloons=1, max_balloons=1)
    of = policy(claimer, sink)
    assert of.hardware(of.start()).interrupts == (), "an empty balloon wishes nothing"
    books = of.place(of.start(), ask("a", BURSTABLE, cpu=2000, namespace="db")).books
    (wish,) = of.hardware(books).interrupts
    assert wish == InterruptWish(wish.cpus, ("*tty*",), (), "")
    assert len(wish.cpus) == 2


def test_a_claim_on_what_may_not_be_touched_is_refused() -> None:
    claimer = BalloonType("db", irq_claim=("*tty*",))
    config = BalloonsConfig(RESERVED, balloon_types=(claimer,), controllable_interrupts=("*rtc*",))
    with pytest.raises(HomenodeProblem, match=r"db\.irqClaim .*denied interrupt: 4 denied"):
        Balloons(described("n4c16"), config, interrupts=(Interrupt(4, "IO-APIC ttyS0"),))
