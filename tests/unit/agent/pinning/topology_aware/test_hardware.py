# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Classes of CPUs and interrupts follow CPUs of one's own (pinning.md §2.1, §2.12)."""

from __future__ import annotations

from typing import Any

from fakes.described import Node, guaranteed
from homenode.intent.policy_config import CpuClass
from homenode.intent.tenant import IrqAffinity, TenantIntent
from homenode.pinning.interrupt_affinity import InterruptWish
from model.cpuset import CpuSet

CLASSES = tuple(map(CpuClass, ("slow", "fast", "own")))
FAST = TenantIntent(cpu_class="fast")


def classes(node: Node) -> dict[str, str]:
    found = node.policy.hardware(node.books).cpu_classes
    return {name: str(cpus) for name, cpus in found.items()}


def with_classes(**values: Any) -> Node:
    return Node("n4c16", cpu_classes=CLASSES, shared_cpu_class="slow", **values)


def test_everybody_is_of_the_shared_class_but_who_has_another() -> None:
    node = with_classes(reserved_cpu_class="own")
    assert classes(node) == {"slow": "1-15", "own": "0"}
    assert node.create(guaranteed("a", 2000, intent=FAST), guaranteed("b", 1000)) == ["4-5", "8"]
    assert classes(node) == {"slow": "1-3,6-15", "fast": "4-5", "own": "0"}
    node.delete("a")
    assert classes(node) == {"slow": "1-15", "own": "0"}


def test_the_reserved_cpus_may_be_of_the_shared_class_too() -> None:
    assert classes(with_classes(reserved_cpu_class="slow")) == {"slow": "0-15"}


def test_the_default_class_is_of_whoever_has_cpus_of_its_own() -> None:
    node = with_classes(default_exclusive_cpu_class="fast")
    node.create(guaranteed("a", 1000), guaranteed("b", 500), guaranteed("c", 1000))
    assert classes(node)["fast"] == "4,12"


def test_without_classes_nothing_is_touched() -> None:
    node = Node("n4c16", shared_cpu_class="slow")
    node.create(guaranteed("a", 1000))
    assert classes(node) == {}
    assert node.policy.hardware(node.books).interrupts == ()


def test_interrupts_follow_cpus_of_ones_own() -> None:
    irq = TenantIntent(irq=IrqAffinity(("*tty*",), ("*rtc*",), "claim-first"))
    node = Node("n4c16")
    node.create(guaranteed("a", 2000, intent=irq), guaranteed("shares", 500, intent=irq))
    found = node.policy.hardware(node.books)
    assert found.interrupts == (
        InterruptWish(CpuSet.parse("4-5"), ("*tty*",), ("*rtc*",), "claim-first"),
    )
    assert found.allowed == CpuSet.parse("0-15")
