# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single events: what is answered, what is recorded, what is remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, container, machine, pod
from homenode.intent.config import RESPECT, PinningConfig
from homenode.intent.nri_plugins import PREFER_SHARED
from homenode.loop import step
from homenode.loop.failures import MAX_FAILED
from homenode.world.decision import EXCLUSIVE, SHARED
from homenode.world.ledger import EMPTY_LEDGER
from model.cpuset import CpuSet, NodeSet
from model.events import NO_CHANGE, CgroupRead, ContainerCreating, ContainerUpdating, PodStarted
from model.workload import NOTHING_GIVEN, Placement, Resources

TWO = machine(sockets(2, cores=4))


@pytest.fixture
def fake() -> FakeNode:
    return FakeNode(TWO)


def held(cpus: str, mems: str = "") -> Placement:
    return Placement(CpuSet.parse(cpus) or None, NodeSet.parse(mems) or None)


def kinds(fake: FakeNode) -> list[str]:
    return [record.kind for record in fake.effects.records]


def test_a_creation_is_answered_with_a_placement_and_recorded_with_its_reason(
    fake: FakeNode,
) -> None:
    fake.create("E", "e")
    effects = fake.create("G2", "a", start=False)
    assert effects.reply.adjust == held("1-2", "0")
    assert [(u.container_id, u.placement) for u in effects.reply.updates] == [("e", held("0,3-7"))]
    placed, resized = effects.records
    assert placed.as_dict() == {
        "at": 1.5,
        "kind": "placed",
        "container": "default/a/a",
        "container_id": "a",
        "containers": 1,
        "before": {},
        "after": {"cpus": "1-2", "mems": "0"},
        "reason": "node 0 has the most room",
    }
    assert (resized.kind, resized.before, resized.after) == ("resized", held("0-7"), held("0,3-7"))


def test_an_end_is_answered_with_what_others_get_back(fake: FakeNode) -> None:
    fake.run("G2=a E=e")
    effects = fake.stop("a")
    assert [(u.container_id, u.placement) for u in effects.reply.updates] == [("e", held("0-7"))]
    assert kinds(fake) == ["released", "resized"]
    assert effects.records[0].name == "default/a/a"


def test_an_end_that_is_told_three_times_happens_once(fake: FakeNode) -> None:
    fake.run("G2=a E=e")
    fake.stop("a")
    world = fake.world
    for effects in (fake.stop("a"), fake.remove("a")):
        assert (effects.reply, effects.records) == (NO_CHANGE, ())
    assert fake.remove_pod("a").reply == NO_CHANGE
    assert fake.world.ledger == world.ledger


def test_a_pod_that_is_removed_takes_all_its_containers_along(fake: FakeNode) -> None:
    fake.create("G1", "a1", of="a")
    fake.create("G2", "a2", of="a")
    fake.create("E", "e")
    fake.remove_pod("a")
    assert fake.shown() == "e=0-7"
    assert set(fake.world.pods) == {"pod-e"}


def test_a_container_told_twice_does_not_compete_with_itself(fake: FakeNode) -> None:
    fake.create("G4", "a")
    fake.create("G4", "a")
    assert fake.shown() == "a=0-3/0"


def test_the_kubelets_update_keeps_its_figures_but_not_its_cpuset(fake: FakeNode) -> None:
    fake.run("G2=a")
    effects = fake.update("a", Resources(shares=4096, cpus="0-7"))
    assert [u.placement for u in effects.reply.updates] == [held("1-2", "0")]
    assert fake.shown() == "a=1-2/0"
    record = effects.records[0]
    assert (record.kind, record.before, record.after) == (
        "followed",
        held("0-7"),
        held("1-2", "0"),
    )


def test_an_update_without_a_cpuset_is_no_news(fake: FakeNode) -> None:
    fake.run("G2=a")
    effects = fake.update("a", Resources(shares=4096))
    assert [u.placement for u in effects.reply.updates] == [held("1-2", "0")]
    assert effects.records == ()


def test_the_kubelet_that_chooses_anew_is_followed(fake: FakeNode) -> None:
    fake.create("E", "e")
    fake.create("G2", "k", given="1-2")
    fake.update("k", Resources(cpus="5-6"))
    assert fake.shown() == "e=0-4,7 k=5-6/1"
    assert str(fake.world.ledger.exclusive()) == "5-6"


def test_a_creation_that_was_missed_is_placed_at_the_next_update(fake: FakeNode) -> None:
    fake.create("E", "e")
    made = pod("a", "G2")
    fake.book["a"] = Placement()
    fake.send(ContainerUpdating(made, container("a", "G2", made), NOTHING_GIVEN))
    assert fake.shown() == "a=1-2/0 e=0,3-7"
    assert kinds(fake) == ["placed", "resized"]


def test_a_wrong_annotation_is_told_and_the_default_holds(fake: FakeNode) -> None:
    fake.create("G2", "a", annotations={PREFER_SHARED: "perhaps"})
    assert fake.world.ledger.grants["a"].decision.outcome == EXCLUSIVE
    (problem,) = fake.world.problems["a"]
    assert (problem.field, problem.value) == (PREFER_SHARED, "perhaps")
    fake.stop("a")
    assert fake.world.problems == {}


def test_with_pinning_off_nothing_is_granted_and_nothing_is_answered() -> None:
    fake = FakeNode(TWO, None)
    assert fake.run("G2=a E=e") == "a= e="
    assert fake.effects.reply == NO_CHANGE
    assert fake.update("a", Resources(cpus="3")).reply == NO_CHANGE
    assert set(fake.world.containers) == {"a", "e"}, "the status still shows them"


def test_pinning_turned_off_forgets_the_ledger_and_touches_nothing(fake: FakeNode) -> None:
    fake.run("G2=a E=e")
    off = FakeNode(TWO)
    off.book, off.world = fake.book, replace(fake.world, pinning=None, policy=None, books=None)
    off.restart()
    assert off.world.ledger.grants == EMPTY_LEDGER.grants
    assert off.stop("a").reply == NO_CHANGE
    assert off.shown() == "e=0,3-7"


# -- read-back -----------------------------------------------------------------------------


RESPECTING = PinningConfig(drift=RESPECT)


def test_a_difference_is_said_once_and_taken_back() -> None:
    fake = FakeNode(TWO, RESPECTING)
    fake.run("G2=a")
    fake.send(CgroupRead("a", held("0-7", "0")))
    assert kinds(fake) == ["problem"]
    assert fake.effects.reply == NO_CHANGE
    assert fake.effects.records[0].reason == (
        'cgroup: cpuset.cpus "0-7": is not the granted 1-2; find who else writes it: another NRI '
        "plugin, or somebody by hand"
    )
    fake.send(CgroupRead("a", held("0-7", "0")))
    assert kinds(fake) == []
    assert len(fake.world.problems["a"]) == 1
    fake.send(CgroupRead("a", held("1-2", "0")))
    assert kinds(fake) == []
    assert not any(fake.world.problems.values())


def drifts(fake: FakeNode, at: float) -> list[str]:
    """The repairs of a reading that shows other CPUs."""
    fake.world, fake.effects = step(fake.world, CgroupRead("a", held("0-7", "0")), at)
    return [str(update.placement.cpus) for update in fake.effects.reply.updates]


def test_a_difference_is_repaired_and_recorded(fake: FakeNode) -> None:
    fake.run("G2=a")
    assert drifts(fake, 100.0) == ["1-2"]
    (record,) = fake.effects.records
    assert (record.kind, record.before, record.after) == (
        "repaired",
        held("0-7", "0"),
        held("1-2", "0"),
    )
    fake.send(CgroupRead("a", held("1-2", "0")))
    assert not any(fake.world.problems.values())


def test_after_three_repairs_in_ten_minutes_it_yields_and_says_so(fake: FakeNode) -> None:
    fake.run("G2=a")
    assert [drifts(fake, at) for at in (0.0, 200.0, 400.0)] == [["1-2"]] * 3
    assert drifts(fake, 500.0) == []
    assert kinds(fake) == ["problem"]
    assert "it is left alone now" in fake.world.problems["a"][0].why
    assert drifts(fake, 510.0) == []
    assert kinds(fake) == [], "said once"
    assert drifts(fake, 601.0) == ["1-2"], "the first repair is long ago"


def test_a_clock_that_jumps_does_not_make_it_fight_for_ever(fake: FakeNode) -> None:
    fake.run("G2=a")
    repairs = [drifts(fake, at) for at in (9000.0, 9001.0, 9002.0, 5400.0, 5401.0, 5402.0, 5403.0)]
    assert [len(one) for one in repairs] == [1, 1, 1, 1, 1, 1, 0]


def test_cpus_that_the_kernel_took_offline_are_no_drift(fake: FakeNode) -> None:
    """cgroup v1 takes them out of every cpuset."""
    fake.run("G2=a")
    machine_now = replace(TWO, online=TWO.online - CpuSet([2]))
    fake.world = replace(fake.world, machine=machine_now)
    fake.send(CgroupRead("a", held("1", "0")))
    assert (fake.effects.reply, fake.effects.records) == (NO_CHANGE, ())


def test_both_differences_are_said(fake: FakeNode) -> None:
    fake.run("G2=a")
    fake.send(CgroupRead("a", Placement()))
    assert [problem.field for problem in fake.world.problems["a"]] == ["cpuset.cpus", "cpuset.mems"]
    assert fake.effects.records[0].reason.count("is not the granted") == 2


@pytest.mark.parametrize("ledger", [True, False])
def test_a_restart_keeps_what_is_wrong_with_an_annotation(fake: FakeNode, ledger: bool) -> None:
    fake.create("G1", "a", annotations={PREFER_SHARED: "yess"})
    before = dict(fake.world.problems)
    assert [problem.field for problem in before["a"]] == [PREFER_SHARED]
    fake.restart(ledger=ledger)
    assert fake.world.problems == before


def test_reading_back_keeps_other_problems(fake: FakeNode) -> None:
    fake.create("G2", "a", annotations={PREFER_SHARED: "perhaps"})
    fake.send(CgroupRead("a", held("0-7", "0")))
    fake.send(CgroupRead("a", held("1-2", "0")))
    assert [problem.field for problem in fake.world.problems["a"]] == [PREFER_SHARED]


def test_a_part_that_is_not_ours_cannot_differ(fake: FakeNode) -> None:
    fake.run("E=e")
    fake.send(CgroupRead("e", held("0-7", "1")))
    assert fake.world.problems == {}


def test_reading_back_a_grant_of_before_the_first_synchronize(fake: FakeNode) -> None:
    fake.run("G2=a")
    fresh = FakeNode(TWO, ledger=fake.world.ledger)
    fresh.send(CgroupRead("a", held("0-7")))
    assert kinds(fresh) == []


# -- creations that the runtime gave up ------------------------------------------------------


def test_a_container_that_never_started_is_noted_with_what_to_look_for(fake: FakeNode) -> None:
    """Two plugins that set one field fail the creation, and no plugin is told of it."""
    fake.create("G2", "a", start=False)
    fake.remove("a")
    problem = fake.world.failed["default/a/a"]
    assert problem.value == "1-2"
    assert "pinning.pin_cpu" in problem.remedy


def test_one_that_started_did_not_fail(fake: FakeNode) -> None:
    fake.run("G2=a -a")
    assert fake.world.failed == {}


def test_the_note_ends_when_such_a_container_starts(fake: FakeNode) -> None:
    fake.create("G2", "a", start=False)
    fake.remove("a")
    fake.create("G2", "a")
    assert fake.world.failed == {}


def test_the_note_ends_with_the_pod(fake: FakeNode) -> None:
    fake.create("G2", "a", start=False)
    fake.create("G1", "b", start=False)
    fake.remove("a")
    fake.remove("b")
    fake.remove_pod("a")
    assert set(fake.world.failed) == {"default/b/b"}


def test_the_notes_are_bounded(fake: FakeNode) -> None:
    for number in range(MAX_FAILED + 9):
        fake.create("E", f"e{number}", start=False)
        fake.remove(f"e{number}")
    assert len(fake.world.failed) == MAX_FAILED


def test_a_container_that_owns_nothing_says_that_it_shares(fake: FakeNode) -> None:
    fake.send(PodStarted(pod("e", "E")))
    fake.send(ContainerCreating(pod("e", "E"), container("e", "E", pod("e", "E"))))
    assert fake.world.ledger.grants["e"].decision.outcome == SHARED
