# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What annotations and the kubelet's own CPU manager change in a placement."""

from __future__ import annotations

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.intent.config import PinningConfig
from homenode.intent.nri_plugins import PREFER_SHARED, PRESERVE_CPU, PRESERVE_MEMORY
from homenode.world.decision import EXCLUSIVE, KUBELET, PRESERVED, SHARED

TWO = machine(sockets(2, cores=4))

ANNOTATED = {
    "prefers shared CPUs": ({PREFER_SHARED: "true"}, "a=0-7", SHARED),
    "says no to shared CPUs": ({PREFER_SHARED: "false"}, "a=1-2/0", EXCLUSIVE),
    "asks to be left alone": ({PRESERVE_CPU: "true"}, "a=", PRESERVED),
    "keeps its memory as it is": ({PRESERVE_MEMORY: "true"}, "a=1-2", EXCLUSIVE),
    "means another container": ({PREFER_SHARED + "/container.b": "true"}, "a=1-2/0", EXCLUSIVE),
    "means this container": ({PREFER_SHARED + "/container.a": "true"}, "a=0-7", SHARED),
    "writes nonsense": ({PREFER_SHARED: "1e309"}, "a=1-2/0", EXCLUSIVE),
}


@pytest.mark.parametrize("row", ANNOTATED.values(), ids=ANNOTATED)
def test_a_guaranteed_container_that(row: tuple[dict[str, str], str, str]) -> None:
    annotations, placed, outcome = row
    fake = FakeNode(TWO)
    fake.create("G2", "a", annotations=annotations)
    assert fake.shown() == placed
    assert fake.world.ledger.grants["a"].decision.outcome == outcome


KUBELET_CHOSE = {
    "two CPUs of one node: memory follows": ("G2", "5-6", "5-6/1", "5-6"),
    "CPUs of two nodes: memory is left free": ("G2", "3-4", "3-4", "3-4"),
    "the shared pool of its own manager": ("B1", "0,2-7", "0,2-7", ""),
    "more than was asked: not exclusive": ("G2", "4-6", "4-6/1", ""),
    "every CPU there is": ("G8", "0-7", "0-7", ""),
}


@pytest.mark.parametrize("row", KUBELET_CHOSE.values(), ids=KUBELET_CHOSE)
def test_the_kubelet_chose(row: tuple[str, str, str, str]) -> None:
    kind, given, placed, exclusive = row
    fake = FakeNode(TWO)
    fake.create(kind, "k", given=given)
    grant = fake.world.ledger.grants["k"]
    assert grant.decision.outcome == KUBELET
    assert grant.placement.cpus is None, "its CPUs are the kubelet's to write"
    assert fake.shown() == f"k={placed}"
    assert str(grant.exclusive) == exclusive


def test_everybody_else_keeps_off_the_kubelets_choice() -> None:
    fake = FakeNode(TWO)
    fake.create("E", "e")
    fake.create("G2", "k", given="4-5")
    assert fake.run("G2=a") == "a=1-2/0 e=0,3,6-7 k=4-5/1"


def test_the_kubelets_memory_stays_the_kubelets() -> None:
    fake = FakeNode(TWO, PinningConfig(pin_memory=False))
    fake.create("G2", "k", given="4-5")
    assert fake.shown() == "k=4-5"


MEMORY_MANAGER_CHOSE = {
    "node 1, which the policy would not take": ("", "G2", "/1", "a=4-5/1"),
    "node 0, as the policy would": ("", "G2", "/0", "a=1-2/0"),
    "both nodes": ("", "G2", "/0-1", "a=1-2/0-1"),
    "a node where the CPUs do not fit": ("G1=x G1=y -x", "G4", "/1", "a=0-3/1"),
    "for who has no CPUs of its own": ("", "G0.5", "/1", "a=0-7/1"),
}


@pytest.mark.parametrize("row", MEMORY_MANAGER_CHOSE.values(), ids=MEMORY_MANAGER_CHOSE)
def test_the_memory_manager_chose(row: tuple[str, str, str, str]) -> None:
    before, kind, given, placed = row
    fake = FakeNode(TWO)
    fake.run(before)
    fake.create(kind, "a", given=given)
    assert placed in fake.shown().split()
    assert fake.world.ledger.grants["a"].placement.mems is None, "its memory is the kubelet's"


@pytest.mark.parametrize("given", ["4-0", "x", "0-4294967295", "1\0", "1," * 2000])
def test_a_cpuset_that_is_none_counts_as_not_given(given: str) -> None:
    fake = FakeNode(TWO)
    fake.create("G2", "k", given=given)
    assert fake.shown() == "k=1-2/0"
