# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs are near a path in sysfs, and which hints of a container count."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.intent.tenant import NO_HINT_INTENT, HintIntent, PathRule
from homenode.pinning.policy import Hint
from homenode.simulate.devices import cpus_near
from homenode.simulate.hints import TEST_HINTS, hints_of
from homenode.simulate.machine import read_machine
from homenode.simulate.pods import ScenarioContainer
from model.cpuset import CpuSet, NodeSet
from model.fields import Fields

MACHINE = read_machine(
    Fields(
        {
            "packages": [
                {"nodes": [{"id": 0, "cpus": "0-3", "memory": 9}]},
                {"nodes": [{"id": 1, "cpus": "4-7", "memory": 9}]},
            ],
            "nodes_without_cpus": [{"id": 2, "memory": 9}],
            "threads_per_core": 2,
            "l2": ["0-3", "4-7"],
            "l3": ["0-7"],
        },
        source="s.yaml",
    )
)
NODE, CPU = "/sys/devices/system/node/node", "/sys/devices/system/cpu/cpu"

PATHS = [
    (f"{NODE}1", "4-7"),
    (f"{NODE}1/", "4-7"),
    (f"{NODE}2", ""),
    (f"{NODE}9", ""),
    (f"{CPU}5/cache/index0", "4-5"),
    (f"{CPU}5/cache/index1", "4-5"),
    (f"{CPU}5/cache/index2", "4-7"),
    (f"{CPU}5/cache/index3", "0-7"),
    (f"{CPU}5/cache/index4", ""),
    (f"{CPU}9/cache/index2", ""),
    (f"{CPU}5", ""),
    ("/dev/null", ""),
]


@pytest.mark.parametrize(("path", "cpus"), PATHS)
def test_devices(path: str, cpus: str) -> None:
    assert str(cpus_near(MACHINE, path)) == cpus


CONTAINER = ScenarioContainer("c", {}, devices=(f"{NODE}1", "/dev/null"), mounts=(f"{NODE}0",))
NEAR_0, NEAR_1 = (Hint(f"{NODE}{number}", MACHINE.node(number).cpus) for number in (0, 1))

INTENTS = [
    (NO_HINT_INTENT, [NEAR_0, NEAR_1]),
    (HintIntent(sources=frozenset()), []),
    (HintIntent(sources=frozenset(["devices"])), [NEAR_1]),
    (HintIntent(sources=frozenset(["mounts", "pod-resources"])), [NEAR_0]),
    (HintIntent(deny=(PathRule("prefix", ("/sys/devices",)),)), []),
    (HintIntent(deny=(PathRule("glob", ("/sys/*",)),)), [NEAR_0, NEAR_1]),
    (
        HintIntent(
            deny=(PathRule("prefix", ("/sys",)),),
            allow=(PathRule("glob", ("/sys/devices/system/node/*0",)),),
        ),
        [NEAR_0],
    ),
]


@pytest.mark.parametrize(("intent", "hints"), INTENTS)
def test_which_hints_count(intent: HintIntent, hints: list[Hint]) -> None:
    assert list(hints_of(MACHINE, {}, CONTAINER, intent)) == hints


TESTS: list[tuple[str, list[Hint]]] = [
    ('{ test: { NUMAs: "2" } }', [Hint("", nodes=NodeSet([2]))]),
    ('{ test: { NUMAs: "2" } } }', [Hint("", nodes=NodeSet([2]))]),
    ("a: {Provider: x, CPUs: 0-1}\nb: {Provider: z, Sockets: 1}", [
        Hint("x", CpuSet([0, 1])), Hint("z", packages=(1,)),
    ]),
    ("a: {CPUs: 1}\nb: {CPUs: 2}", [Hint("", CpuSet([1]))]),
    ("a: {CPUs: x}", []),
    ("a:", []),
    ("]", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "hints"), TESTS)
def test_hints_that_a_test_writes(text: str, hints: list[Hint]) -> None:
    annotations: dict[str, Any] = {f"{TEST_HINTS}/container.c": text}
    found = hints_of(MACHINE, annotations, ScenarioContainer("c", {}), NO_HINT_INTENT)
    assert list(found) == hints
    nothing = hints_of(MACHINE, annotations, ScenarioContainer("d", {}), NO_HINT_INTENT)
    assert nothing == ()
