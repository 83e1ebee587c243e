# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPUs that the kubelet's static manager chose, under every policy and every word on them."""

from __future__ import annotations

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from fakes.policies import pinning
from homenode.intent.config import (
    BALLOONS,
    FOLLOW,
    HOME_NODE,
    NARROW,
    POLICIES,
    REFUSE,
    TOPOLOGY_AWARE,
)
from model.cpuset import CpuSet
from model.events import NO_CHANGE
from model.workload import Resources

TWO = machine(sockets(2, cores=4))
OWN, SHARED = "5-6", "0,3-4"
"""What the kubelet gave: two CPUs to one alone, and its shared pool."""


def fake(policy: str, word: str) -> FakeNode:
    return FakeNode(TWO, pinning(policy, kubelet_cpus=word))


@pytest.mark.parametrize("word", [FOLLOW, NARROW])
@pytest.mark.parametrize("policy", POLICIES)
def test_own_cpus_of_the_kubelets_choice_stay(policy: str, word: str) -> None:
    node = fake(policy, word)
    node.create("G2", "k", given=OWN)
    assert node.book["k"].cpus == CpuSet.parse(OWN)
    assert node.world.ledger.grants["k"].placement.cpus is None


@pytest.mark.parametrize("policy", POLICIES)
def test_shared_cpus_of_the_kubelets_choice_stay_where_it_is_followed(policy: str) -> None:
    node = fake(policy, FOLLOW)
    node.create("B1", "k", given=SHARED)
    assert node.book["k"].cpus == CpuSet.parse(SHARED)


@pytest.mark.parametrize("policy", POLICIES)
def test_narrowed_is_what_both_allow_or_else_the_kubelets(policy: str) -> None:
    node = fake(policy, NARROW)
    node.create("B1", "k", given=SHARED)
    placed = node.book["k"].cpus
    assert placed is not None
    assert placed <= CpuSet.parse(SHARED)
    for number in range(3):
        node.create("G1", f"g{number}")
        placed = node.book["k"].cpus
        assert placed and placed <= CpuSet.parse(SHARED)


@pytest.mark.parametrize("policy", POLICIES)
def test_refused_is_who_was_given_cpus_of_its_own(policy: str) -> None:
    node = fake(policy, REFUSE)
    refusal = node.create("G2", "k", given=OWN, start=False).reply.refusal
    assert refusal is not None
    assert "kubelet" in refusal.why
    assert node.create("B1", "s", given=SHARED).reply.refusal is None
    assert set(node.world.ledger.grants) == {"s"}


@pytest.mark.parametrize("policy", [HOME_NODE, TOPOLOGY_AWARE])
def test_others_keep_off_what_is_one_containers_alone(policy: str) -> None:
    node = fake(policy, FOLLOW)
    node.create("E", "e")
    node.create("G2", "k", given=OWN)
    node.create("G2", "a")
    for name in ("e", "a"):
        assert not (node.book[name].cpus or CpuSet()) & CpuSet.parse(OWN)


@pytest.mark.parametrize("word", [FOLLOW, NARROW])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("ledger", [True, False], ids=["remembered", "forgotten"])
def test_a_restart_moves_nobody(policy: str, word: str, ledger: bool) -> None:
    node = fake(policy, word)
    node.create("G2", "k", given=OWN)
    if ledger:  # else nothing tells who chose the CPUs that it shares
        node.create("B1", "s", given=SHARED)
    before = node.shown()
    node.restart(ledger=ledger)
    assert node.shown() == before
    assert node.moved == []


@pytest.mark.parametrize("policy", [HOME_NODE, TOPOLOGY_AWARE])
def test_the_kubelet_that_chooses_anew_is_followed(policy: str) -> None:
    node = fake(policy, FOLLOW)
    node.create("G2", "k", given=OWN)
    node.update("k", Resources(cpus="1-2"))
    assert node.book["k"].cpus == CpuSet.parse("1-2")
    assert str(node.world.ledger.grants["k"].given.cpus) == "1-2"


def test_a_balloon_keeps_away_from_the_kubelets_container() -> None:
    """Balloons know nothing of the kubelet: such a container is in none of them."""
    node = fake(BALLOONS, FOLLOW)
    assert node.create("B1", "k", given=SHARED).reply == NO_CHANGE
    assert node.world.ledger.grants["k"].placed.place == ""
