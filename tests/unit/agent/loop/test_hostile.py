# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Absurd resources and annotations: the container gets a place, nobody else loses one, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.intent.nri_plugins import PREFER_SHARED, PRESERVE_CPU
from model.events import ContainerCreating, ContainerUpdating
from model.workload import Container, Pod, Resources

TWO = machine(sockets(2, cores=4))
LARGE = 2**63 - 1
WIRE = st.one_of(
    st.none(), st.sampled_from((0, -1, 1, 2, 1000, 100_000, LARGE, -LARGE - 1)), st.integers(-9, 9)
)
TEXTS = (
    "",
    "0-4294967295",
    "0-18446744073709551615",
    "1\0",
    "٣",
    "-1",
    "1-",
    "0-8191:1/0",
    ",",
    "1e309",
    "&a [*a, *a]",
    "9" * 262144,
    "0," * 131072,
    "\x1b[2J\n{}",
)
CPUS = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20), st.just("1-2"))
KEYS = (PREFER_SHARED, PRESERVE_CPU, "x" + PREFER_SHARED, PREFER_SHARED + "/container.h", "", "\0")
ANNOTATIONS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(TEXTS))
RESOURCES = st.builds(Resources, WIRE, WIRE, WIRE, WIRE, CPUS, CPUS)


def hostile(resources: Resources, annotations: dict[str, str], parent: str) -> ContainerCreating:
    made = Pod("pod-h", "h", "default", "uid", parent, annotations)
    return ContainerCreating(made, Container("h", "pod-h", "h", "created", resources, "/../x"))


@settings(max_examples=300, deadline=None)
@given(RESOURCES, ANNOTATIONS, st.sampled_from(("", "/kubepods/podx", "/kubepods/burstable/podx")))
@example(Resources(2, LARGE, -1, -LARGE), {}, "")
@example(Resources(1024, LARGE, 1, LARGE), {}, "")
@example(Resources(1024, 100_000, 0, -1), {}, "")
def test_anything(resources: Resources, annotations: dict[str, str], parent: str) -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a B1=b")
    event = hostile(resources, annotations, parent)
    fake.send(event)
    assert fake.book["a"] == fake.world.ledger.grants["a"].placement, "a neighbour was moved"
    assert fake.world.ledger.grants["a"].exclusive, "a neighbour lost its CPUs"
    assert fake.world.shared_cpus() == fake.book["b"].cpus
    fake.send(ContainerUpdating(event.pod, event.container, resources))
    fake.restart(cgroups=False)
    fake.stop("h")
    assert fake.shown() == "a=1-2/0 b=0,3-7"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:12]))
def test_soon(text: str) -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a B1=b")
    annotations = {PREFER_SHARED: text, PRESERVE_CPU: text, "x" + PREFER_SHARED: text}
    event = hostile(Resources(1024, LARGE, 1, LARGE, text, text), annotations, "/kubepods/podx")
    spent = []
    for _time in range(5):
        began = time.perf_counter()
        fake.send(event)
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.005


def test_a_number_that_is_no_whole_one_is_not_rounded_into_one() -> None:
    fake = FakeNode(TWO)
    event = hostile(Resources(1024, 99_999, 100_000), {}, "/kubepods/podx")
    fake.send(event)
    assert not fake.world.ledger.exclusive()


def test_no_limit_is_not_a_negative_one() -> None:
    """-1 must not give memory back that was promised to others."""
    fake = FakeNode(TWO)
    fake.send(hostile(Resources(1024, 100_000, 100_000, -LARGE - 1), {}, "/kubepods/podx"))
    assert fake.run("G1:12=a G1:12=b G1:12=c") == "a=4/1 b=2/0 c=5 h=1/0"
