# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy may be asked "what if" at any time: nothing changes, and it says who lost by what."""

from __future__ import annotations

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, container, machine, pod
from homenode.loop import begin
from homenode.loop.ask import ask_of
from homenode.pinning.home_node import RULES
from homenode.pinning.policy import Outcome
from homenode.world.decision import Decision
from homenode.world.world import World

TWO = machine(sockets(2, cores=4))


def offered(fake: FakeNode, kind: str, name: str = "a") -> Outcome:
    made = pod(name, kind)
    ask = ask_of(fake.world, made, container(name, kind, made))
    books = fake.world.policy.start() if fake.world.books is None else fake.world.books
    outcome: Outcome = fake.world.policy.place(books, ask)
    return outcome


def decided(fake: FakeNode, kind: str) -> Decision:
    placed = offered(fake, kind).placed
    assert placed is not None
    return placed.decision


def test_asking_changes_nothing_and_is_repeatable() -> None:
    fake = FakeNode(TWO)
    fake.run("G1=x E=e")
    world: World = fake.world
    assert offered(fake, "G2") == offered(fake, "G2")
    assert fake.world == world


def test_every_candidate_is_kept_best_first_with_its_value_per_rule() -> None:
    fake = FakeNode(TWO)
    fake.run("G2:1=x")
    decision = decided(fake, "G3:1")
    assert decision.rules == RULES
    assert [(one.name, *one.values) for one in decision.candidates] == [
        ("node 1", True, True, 4, 16384, 1),
        ("node 0", False, True, 2, 15360, 0),
    ]


def test_who_cannot_have_own_cpus_is_told_why() -> None:
    fake = FakeNode(TWO)
    fake.run("G3=x G3=y")
    decision = decided(fake, "G2")
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
    assert decided(FakeNode(TWO), kind).reason == REASONS[kind]


def test_what_was_asked_with_nothing_running_is_what_a_creation_gets() -> None:
    fake = FakeNode(TWO)
    begun = begin(TWO, fake.world.pinning)
    assert begun.books is None
    what_if = offered(fake, "G2").placed
    fake.create("G2", "a")
    assert fake.world.ledger.grants["a"].placed == what_if
