# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Demands that fail a creation, in upstream's words (pinning.md §14), and what looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.described import Node, best_effort, burstable, config, described, guaranteed
from homenode.intent.policy_config import CpuClass, SchedulingClass
from homenode.intent.tenant import CONTAINER_SCOPE, HintIntent, IrqAffinity, TenantIntent
from homenode.pinning.policy import Ask, Hint
from homenode.pinning.topology_aware.policy import TopologyAware
from model.cpuset import CpuSet, NodeSet
from model.interrupts import Interrupt
from model.problem import HomenodeProblem, Problem

CLASSES = (CpuClass("shared"), CpuClass("fast"))
FAST = {"cpu_class": "fast", "cpu_class_scope": CONTAINER_SCOPE}
CLAIM = {"irq": IrqAffinity(("*ttyS0*",)), "irq_scope": CONTAINER_SCOPE}


def wants(**values: Any) -> TenantIntent:
    return TenantIntent(**values)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            burstable("c", 100, intent=wants(**FAST)),
            'CPU class ("fast") invalid for non-Guaranteed QoS class (Burstable)',
        ),
        (
            guaranteed("c", 250, intent=wants(**FAST)),
            'CPU class ("fast") invalid without exclusive CPUs',
        ),
        (guaranteed("c", 1000, intent=wants(cpu_class="x")), 'unknown CPU class "x"'),
        (
            best_effort("c", intent=wants(**CLAIM)),
            "invalid IRQ affinity, QoS class BestEffort is not Guaranteed",
        ),
        (
            guaranteed("c", 250, intent=wants(**CLAIM)),
            "IRQ affinity (*ttyS0*) invalid without exclusive CPUs",
        ),
        (
            guaranteed("c", 1000, intent=wants(irq=IrqAffinity(("*rtc0",)))),
            'denied interrupt: 8 denied but matched by user pattern "*rtc0"',
        ),
        (
            guaranteed("c", 1000, intent=wants(isolated=True, require_isolated=True)),
            'granted isolated CPUs "" less than requested 1',
        ),
        (
            guaranteed("c", 100, intent=wants(demand=Problem("irq", "{", "no YAML", "repair it"))),
            "no YAML",
        ),
        (
            guaranteed("c", 16000, intent=wants(isolated=True, require_isolated=True)),
            "can't slice 16 exclusive CPUs",
        ),
        (guaranteed("c", 100, memory=9 << 30), "failed to resolve overcommit"),
    ],
)
def test_refused(asked: Ask, words: str) -> None:
    interrupts = (Interrupt(4, "IO-APIC 4-edge ttyS0"), Interrupt(8, "IO-APIC 8-edge rtc0"))
    values = {"cpu_classes": CLASSES, "shared_cpu_class": "shared"}
    policy = TopologyAware(
        described("n4c16"),
        config(controllable_interrupts=("*ttyS0",), **values),
        interrupts=interrupts,
    )
    with pytest.raises(HomenodeProblem) as caught:
        policy.place(policy.start(), asked)
    assert words in caught.value.problem.why


def test_a_pods_annotation_is_for_whoever_of_its_containers_can() -> None:
    node = Node("n4c16", cpu_classes=CLASSES, shared_cpu_class="shared")
    intent = wants(cpu_class="fast", irq=IrqAffinity(("*",)))
    node.create(
        burstable("a", 100, intent=intent),
        guaranteed("b", 100, intent=intent),
        guaranteed("c", 1000, intent=intent),
    )
    assert [node.placed[name].cpu_class for name in "abc"] == ["", "", "fast"]


def test_without_classes_nobody_has_one() -> None:
    node = Node("n4c16")
    node.create(burstable("c", 100, intent=wants(**FAST)))
    assert node.placed["c"].cpu_class == ""


def strict(*hints: Hint) -> dict[str, Any]:
    return {"hints": hints, "intent": wants(hints=HintIntent(strict=True))}


def test_strict_hints_are_about_shared_and_reserved_cpus_too() -> None:
    near = Hint("x", cpus=CpuSet.parse("8-9"))
    node = Node("n4c16")
    with pytest.raises(HomenodeProblem, match=r"granted shared CPUs .*10-11.* fail strict hint"):
        node.create(guaranteed("c", 100, **strict(near)))
    with pytest.raises(HomenodeProblem, match=r"granted reserved CPUs .*0.* fail strict hint"):
        node.create(guaranteed("c", 100, namespace="kube-system", **strict(near)))
    assert node.create(best_effort("c", **strict(near))) == ["8-11"]


def test_strict_hints_are_about_memory_and_take_what_is_attached_for_near() -> None:
    node = Node("n6-hbm-cxl")
    assert node.create(guaranteed("c", 1000, **strict(Hint("x", nodes=NodeSet([1]))))) == ["4"]
    assert node.mems("c") == "1,5"
    with pytest.raises(HomenodeProblem, match="granted memory zones 0,4 fail strict hint"):
        node.create(guaranteed("d", 1000, memory=7 << 30, **strict(Hint("x", nodes=NodeSet([1])))))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cpu_classes": CLASSES}, "shared CPU class not specified"),
        ({"shared_cpu_class": "x"}, 'unknown shared CPU class "x"'),
        ({"reserved_cpu_class": "x"}, 'unknown reserved CPU class "x"'),
        ({"default_exclusive_cpu_class": "x"}, 'unknown default exclusive CPU class "x"'),
        ({"namespace_scheduling_classes": (("a", "x"),)}, 'unknown scheduling class "x"'),
        ({"qos_scheduling_classes": (("Burstable", "x"),)}, 'unknown scheduling class "x"'),
    ],
)
def test_a_configuration_that_names_what_is_not_there(values: dict[str, Any], words: str) -> None:
    given = {"cpu_classes": CLASSES, **values}
    if words != "shared CPU class not specified":
        given.setdefault("shared_cpu_class", "shared")
    with pytest.raises(HomenodeProblem) as caught:
        TopologyAware(described("n4c16"), config(**given))
    assert words in caught.value.problem.why


def test_scheduling_classes_by_annotation_then_namespace_then_qos() -> None:
    node = Node(
        "n4c16",
        scheduling_classes=tuple(SchedulingClass(name) for name in ("rt", "low", "idle")),
        namespace_scheduling_classes=(("slow", "low"),),
        qos_scheduling_classes=(("besteffort", "idle"),),
    )
    node.create(
        best_effort("a", namespace="slow", intent=wants(scheduling_class="rt")),
        best_effort("b", namespace="slow"),
        best_effort("c"),
        guaranteed("d", 100),
        best_effort("e", intent=wants(scheduling_class="x")),
    )
    found = [node.placed[name].scheduling_class for name in "abcde"]
    assert found == ["rt", "low", "idle", "", ""]
    assert 'unknown scheduling class "x" is ignored' in node.placed["e"].decision.reason
