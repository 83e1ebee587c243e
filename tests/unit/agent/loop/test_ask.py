# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container asks for, read back from what the kubelet tells a runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

import pytest

from fake_runtime import kubelet
from fakes.machines import sockets
from fakes.node import GIB, FakeNode, machine
from homenode.intent.real_resources import KEY
from homenode.loop.ask import ask_of
from homenode.loop.given import given_by
from homenode.pinning.policy import Ask
from model.cpuset import CpuSet
from model.workload import Container, Pod, Resources

TWO = machine(sockets(2, cores=4))
CAPACITY = TWO.memory_total_bytes


def asked(
    qos: str,
    resources: Resources,
    *,
    adjustment: Optional[int] = None,
    annotations: Optional[Mapping[str, str]] = None,
) -> Ask:
    parent = kubelet.cgroup_parent(qos, "u")
    pod = Pod("p", "web", "default", "u", parent, annotations or {})
    container = Container("c", "p", "app", resources=resources, oom_score_adj=adjustment)
    return ask_of(FakeNode(TWO).world, pod, container)


def figures(ask: Ask) -> tuple[int, int, int, int]:
    return ask.cpu_request, ask.cpu_limit, ask.memory_request, ask.memory_limit


ROWS = {
    "Guaranteed, two CPUs": ("Guaranteed", Resources(2048, 200000, 100000, GIB), None,
                             (2000, 2000, GIB, GIB)),
    "Guaranteed, a fifth: exact, which shares are not": (
        "Guaranteed", Resources(204, 20000, 100000, GIB), None, (200, 200, GIB, GIB)),
    "Guaranteed, no quota": ("Guaranteed", Resources(2048, None, 100000, GIB), None,
                             (2000, 2000, GIB, GIB)),
    "not quite a whole CPU": ("Guaranteed", Resources(1024, 99999, 100000), None,
                              (999, 999, 0, 0)),
    "Burstable, request alone": ("Burstable", Resources(512, None, 100000), 1000, (500, 0, 0, 0)),
    "Burstable with limits": ("Burstable", Resources(512, 150000, 100000, GIB), 3,
                              (500, 1500, 0, GIB)),
    "no CPU request": ("Burstable", Resources(2, -1, 100000, -1), None, (0, 0, 0, 0)),
    "BestEffort": ("BestEffort", Resources(2), 1000, (0, 0, 0, 0)),
    "BestEffort with a weight from nowhere": ("BestEffort", Resources(4096), None, (0, 0, 0, 0)),
    "nothing is told": ("Burstable", Resources(), None, (0, 0, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_figures(row: tuple[str, Resources, Optional[int], tuple[int, int, int, int]]) -> None:
    qos, resources, adjustment, expected = row
    assert figures(asked(qos, resources, adjustment=adjustment)) == expected


@pytest.mark.parametrize("request_bytes", [GIB, 3 * GIB, 100 << 20, CAPACITY // 2])
def test_a_burstable_memory_request_comes_back_as_the_smallest_that_fits(
    request_bytes: int,
) -> None:
    told = kubelet.figures("Burstable", 1, request_bytes, CAPACITY)
    ask = asked("Burstable", Resources(told.shares), adjustment=told.oom_score_adj)
    assert ask.memory_request <= request_bytes
    again = kubelet.figures("Burstable", 1, ask.memory_request, CAPACITY)
    less = kubelet.figures("Burstable", 1, ask.memory_request - 1, CAPACITY)
    assert again.oom_score_adj == told.oom_score_adj < less.oom_score_adj


@pytest.mark.parametrize("adjustment", [-998, -997, 0, 2, 1000, 1 << 40])
def test_an_adjustment_that_no_request_makes_is_none(adjustment: int) -> None:
    assert asked("Burstable", Resources(512), adjustment=adjustment).memory_request == 0


def test_a_memory_request_beyond_the_limit_is_none() -> None:
    ask = asked("Burstable", Resources(512, memory_limit_bytes=GIB), adjustment=3)
    assert (ask.memory_request, ask.memory_limit) == (0, GIB)


REAL = {"requests": {"cpu": "200m", "memory": "1G"}, "limits": {"cpu": "1.5", "memory": "2Gi"}}
ANNOTATED = {
    "containers": ({"containers": {"app": REAL}}, (200, 1500, 10**9, 2 * GIB)),
    "init containers": ({"initContainers": {"app": REAL}}, (200, 1500, 10**9, 2 * GIB)),
    "nothing asked": ({"containers": {"app": {}}}, (0, 0, 0, 0)),
    "another container": ({"containers": {"other": REAL}}, (0, 0, 0, 0)),
    "half a thousandth is rounded up": (
        {"containers": {"app": {"requests": {"cpu": "0.0005"}}}}, (1, 0, 0, 0)),
    "less than nothing": ({"containers": {"app": {"requests": {"cpu": "-2"}}}}, (0, 0, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("row", ANNOTATED.values(), ids=ANNOTATED)
def test_real_resources_win(row: tuple[object, tuple[int, int, int, int]]) -> None:
    value, expected = row
    ask = asked("Burstable", Resources(), annotations={KEY: json.dumps(value)})
    assert figures(ask) == expected
    assert ask.intent.problems == ()


@pytest.mark.parametrize(
    "told", [Resources(204), Resources(204, memory_limit_bytes=2 * GIB), Resources()]
)
def test_real_resources_hold_where_the_kubelet_made_its_figures_of_them(told: Resources) -> None:
    text = json.dumps({"containers": {"app": REAL}})
    assert figures(asked("Burstable", told, annotations={KEY: text})) == (
        200, 1500, 10**9, 2 * GIB,
    )  # fmt: skip


@pytest.mark.parametrize("told", [Resources(2048), Resources(204, memory_limit_bytes=GIB)])
def test_nobody_buys_cpus_by_annotation(told: Resources) -> None:
    """Nor does it hold any more for who was resized in place."""
    text = json.dumps({"containers": {"app": REAL}})
    ask = asked("Burstable", told, annotations={KEY: text})
    assert figures(ask) == figures(asked("Burstable", told))
    (problem,) = ask.intent.problems
    assert (problem.field, "does not agree" in problem.why) == (KEY, True)


HOSTILE = {
    "no JSON": "{",
    "a list": "[]",
    "no mapping inside": '{"containers": {"app": 7}}',
    "no quantity": '{"containers": {"app": {"requests": {"cpu": "2 CPUs"}}}}',
    "a number": '{"containers": {"app": {"requests": {"cpu": 1e309}}}}',
    "too long": json.dumps({"containers": {"app": {}, "x": "y" * 70000}}),
    "endless": "[" * 60000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_annotation_that_cannot_be_read_is_told_and_estimates_hold(text: str) -> None:
    ask = asked("Burstable", Resources(512), annotations={KEY: text})
    assert figures(ask) == (500, 0, 0, 0)
    (problem,) = ask.intent.problems
    assert KEY in problem.field


def test_the_whole_machine_by_name_is_nobodys_choice() -> None:
    world = FakeNode(TWO).world
    assert given_by(world, Resources(cpus="0-7", mems="0-1")).cpus is None
    assert given_by(world, Resources(cpus="0-7")).cpus == CpuSet.parse("0-7")


def test_the_younger_one_has_the_larger_order() -> None:
    fake = FakeNode(TWO)
    for name in ("a", "b", "c"):
        fake.create("E", name)
    created = [one.created_at for one in fake.world.containers.values()]
    assert created == sorted(set(created))
    fake.restart()
    fake.create("E", "d")
    names = sorted(fake.world.containers.values(), key=lambda one: one.created_at)
    assert [one.name for one in names] == ["a", "b", "c", "d"]


def test_what_the_runtime_says_of_ages_decides() -> None:
    fake = FakeNode(TWO)
    fake.run("E=a E=b")
    older = replace(fake.world.containers["b"], created_at=5)
    younger = replace(fake.world.containers["a"], created_at=7)
    fake.world = replace(fake.world, containers={"a": younger, "b": older})
    fake.restart()
    assert [fake.world.containers[name].created_at for name in ("b", "a")] == [5, 7]
