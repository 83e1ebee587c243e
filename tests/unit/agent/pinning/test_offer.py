# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An offer is a what-if: it changes nothing, it says who lost by which rule, and it goes stale."""

from __future__ import annotations

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, container, machine, pod
from homenode.intent.nri_plugins import NO_INTENT
from homenode.pinning.home_node import RULES, offer
from homenode.pinning.offer import Offer, OutdatedOffer, commit
from homenode.world.world import World

TWO = machine(sockets(2, cores=4))


def offered(world: World, kind: str, name: str = "a") -> Offer:
    made = pod(name, kind)
    return offer(world, made, container(name, kind, made), NO_INTENT)


def test_an_offer_changes_nothing_and_is_repeatable() -> None:
    world = World(TWO)
    assert offered(world, "G2") == offered(world, "G2")
    assert world == World(TWO)


def test_a_commit_is_the_next_version_with_the_grant() -> None:
    first = offered(World(TWO), "G2")
    ledger = commit(World(TWO).ledger, first)
    assert ledger.version == 1
    assert ledger.get("a") == first.grant


def test_an_offer_made_before_the_ledger_changed_is_refused() -> None:
    world = World(TWO)
    for_a, for_b = offered(world, "G2", "a"), offered(world, "G2", "b")
    ledger = commit(world.ledger, for_a)
    with pytest.raises(OutdatedOffer, match="made for version 0, now 1"):
        commit(ledger, for_b)
    assert list(ledger.grants) == ["a"]


def test_every_candidate_is_kept_best_first_with_its_value_per_rule() -> None:
    fake = FakeNode(TWO)
    fake.run("G2:1=x")
    decision = offered(fake.world, "G3:1").grant.decision
    assert decision.rules == RULES
    assert [(one.name, *one.values) for one in decision.candidates] == [
        ("node 1", True, True, 4, 16384, 1),
        ("node 0", False, True, 2, 15360, 0),
    ]


def test_who_cannot_have_own_cpus_is_told_why() -> None:
    fake = FakeNode(TWO)
    fake.run("G3=x G3=y")
    decision = offered(fake.world, "G2").grant.decision
    assert decision.reason == "no NUMA node has 2 CPUs free for one container"
    assert [one.values[2] for one in decision.candidates] == [1, 1]


REASONS = {
    "B1": "a Burstable container shares the CPUs that nobody owns",
    "E": "a BestEffort container shares the CPUs that nobody owns",
    "G0.25": "250m is not a whole number of CPUs",
    "G2": "node 0 has the most room",
    "G2:99": "node 0 has the most room; its memory limit fits on no node, so its memory is left"
    " free",
}


@pytest.mark.parametrize("kind", REASONS)
def test_the_reason_is_one_sentence(kind: str) -> None:
    assert offered(World(TWO), kind).grant.decision.reason == REASONS[kind]
