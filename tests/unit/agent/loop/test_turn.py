# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusals, twins, and what is told beside a cpuset, with a policy that does as the test says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, container, machine, pod
from homenode.intent.config import PinningConfig
from homenode.intent.policy_config import CommonConfig, CpuAmount, SchedulingClass
from homenode.pinning.home_node import HomeNode
from homenode.pinning.home_node_books import HomeBooks
from homenode.pinning.policy import Ask, Outcome
from model.cpuset import CpuSet, NodeSet
from model.events import NO_CHANGE, ContainerCreating
from model.problem import HomenodeProblem
from model.settings import NO_SETTINGS, IoPriority, Scheduler, Settings
from model.workload import Placement, Resources

TWO = machine(sockets(2, cores=4))
BATCH = SchedulingClass("batch", policy="batch", nice=5, io_class="idle")


@dataclass(frozen=True)
class Weighing(HomeNode):
    """Gives a weight of a thousand shares per asked CPU, and refuses containers called "no"."""

    def place(self, books: HomeBooks, ask: Ask) -> Outcome:
        if ask.name == "no":
            raise HomenodeProblem("demand", "x", "cannot be met", "ask for less")
        return self._weighed(super().place(books, ask), ask)

    def resize(self, books: HomeBooks, ask: Ask) -> Outcome:
        return self.place(books, ask)

    def _weighed(self, outcome: Outcome, ask: Ask) -> Outcome:
        placed = outcome.placed
        assert placed is not None
        entry = outcome.books.entries[ask.container_id]
        mine = placed._replace(shares=max(ask.cpu_request, 2), scheduling_class="batch")
        books = outcome.books.with_entries({ask.container_id: entry._replace(placed=mine)})
        return replace(outcome, books=books, placed=mine)


@pytest.fixture
def fake() -> FakeNode:
    spec = CommonConfig(CpuAmount(millis=1000), scheduling_classes=(BATCH,))
    config = PinningConfig(spec=spec)
    node = FakeNode(TWO, config)
    node.world = replace(node.world, policy=Weighing(TWO, config))
    return node


def test_a_refused_creation_books_nothing_and_is_told(fake: FakeNode) -> None:
    fake.run("G2=a E=e")
    before = fake.world
    effects = fake.create("G2", "no", start=False)
    assert effects.reply.refusal is not None
    assert effects.reply == replace(NO_CHANGE, refusal=effects.reply.refusal)
    assert fake.world.books == before.books
    assert (fake.world.ledger, fake.world.containers) == (before.ledger, before.containers)
    assert fake.world.failed["default/no/no"].why == "cannot be met"
    assert [(one.kind, one.name) for one in effects.records] == [("refused", "default/no/no")]


def test_the_note_of_a_refusal_ends_with_the_pod(fake: FakeNode) -> None:
    fake.create("G2", "no", start=False)
    fake.remove("no")
    assert set(fake.world.failed) == {"default/no/no"}
    fake.remove_pod("no")
    assert fake.world.failed == {}


def test_who_cannot_be_placed_late_runs_on_and_is_told(fake: FakeNode) -> None:
    other = FakeNode(TWO, None)
    other.create("G2", "no")
    fake.world = replace(fake.world, pods=other.world.pods, containers=other.world.containers)
    fake.book = other.book
    assert fake.restart().reply.updates == ()
    assert [one.why for one in fake.world.problems["no"]] == ["cannot be met"]
    assert fake.world.ledger.grants == {}


def test_a_weight_goes_along_and_is_given_again_at_an_update(fake: FakeNode) -> None:
    effects = fake.create("G2", "a")
    scheduler, io_priority = Scheduler("batch", nice=5), IoPriority("idle")
    assert effects.reply.settings == Settings(2000, "", "", scheduler, io_priority)
    (update,) = fake.update("a", Resources(cpus="0-7")).reply.updates
    assert update.settings == Settings(2000)


def test_a_real_resize_is_placed_anew_and_an_unreal_one_is_not(fake: FakeNode) -> None:
    fake.create("B1", "b")
    (update,) = fake.update("b", Resources(shares=2048)).reply.updates
    assert update.settings == Settings(2000)
    version = fake.world.ledger.version
    (update,) = fake.update("b", Resources(shares=2048)).reply.updates
    assert update.settings == Settings(2000)
    assert fake.world.ledger.version == version


def test_a_resize_that_cannot_be_done_leaves_all_as_it_is(fake: FakeNode) -> None:
    policy = fake.world.policy
    fake.world = replace(fake.world, policy=HomeNode(TWO, fake.world.pinning or PinningConfig()))
    fake.create("B1", "no")
    fake.world = replace(fake.world, policy=policy)
    held = fake.book["no"]
    (update,) = fake.update("no", Resources(shares=4096)).reply.updates
    assert update.placement == held
    assert [one.why for one in fake.world.problems["no"]] == ["cannot be met"]
    fake.world = replace(fake.world, policy=HomeNode(TWO, fake.world.pinning or PinningConfig()))
    fake.update("no", Resources(shares=512))
    assert not any(fake.world.problems.values()), "what can be done again is no problem any more"


def test_a_restart_knows_what_the_kubelet_asked_although_the_runtime_tells_our_weight(
    fake: FakeNode,
) -> None:
    fake.create("B1", "b")
    told = fake.world.containers["b"]
    ours = replace(told, resources=replace(told.resources, shares=1000))
    fake.world = replace(fake.world, containers={"b": ours})
    fake.restart()
    assert fake.world.containers["b"].resources.shares == told.resources.shares


def test_sharers_keep_their_weight_when_their_cpus_change(fake: FakeNode) -> None:
    fake.create("E", "e")
    effects = fake.create("G2", "a")
    assert [one.settings for one in effects.reply.updates] == [NO_SETTINGS]


# -- two of one name -------------------------------------------------------------------------


def test_the_newer_of_two_takes_the_place_of_the_older() -> None:
    """A restarted container is created before the runtime tells that the old one ended."""
    fake = FakeNode(TWO)
    sandbox = pod("web")
    for key in ("old", "new"):
        fake.book[key] = Placement()
        made = replace(container(key, "G3", sandbox), name="app")
        adjust = fake.send(ContainerCreating(sandbox, made)).reply.adjust
        assert adjust == Placement(CpuSet.parse("1-3"), NodeSet([0]))
    assert list(fake.world.ledger.grants) == ["new"]
    assert fake.stop("old").reply == NO_CHANGE
    assert str(fake.world.ledger.exclusive()) == "1-3"
