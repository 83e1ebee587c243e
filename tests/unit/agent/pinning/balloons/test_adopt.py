# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restarted agent makes of what runs; nobody is moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import pytest

from fakes.described import best_effort, guaranteed
from homenode.intent.tenant import TenantIntent
from homenode.pinning.balloons.policy import Balloons
from homenode.pinning.policy import Adoption, Held
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement

from .stage import Stage, of_type

T = {"intent": of_type("t")}
U = {"intent": of_type("u")}
SHARING = {"name": "t", "shareIdleCPUsInSame": "numa", "preferNewBalloons": True}


def cpus_of(stage: Stage, adoption: Adoption) -> dict[str, str]:
    """All balloons of what was adopted."""
    return {place.name: str(place.cpus) for place in stage.policy.places(adoption.books)}


def busy() -> Stage:
    """Two balloons that share idle CPUs, a composite, one of two that always are."""
    types = (
        SHARING,
        {"name": "c", "components": [{"balloonType": "u"}, {"balloonType": "u"}]},
        {"name": "u", "minCPUs": 1, "minBalloons": 2, "hideHyperthreads": True},
    )
    stage = Stage(*types)
    stage.create(
        guaranteed("a", 1000, order=1, **T),
        guaranteed("b", 500, order=2, pod="p", **T),
        guaranteed("c", 3000, order=3, intent=of_type("c")),
        best_effort("d", order=4, pod="p", **T),
        guaranteed("e", 2000, order=5, **U),
    )
    return stage


def test_with_everything_remembered_it_is_as_if_nothing_had_happened() -> None:
    stage = busy()
    found = stage.restarted()
    assert found.books == stage.books
    assert found.placed == stage.placed
    assert (found.newcomers, found.problems, found.changed) == ((), (), {})


def test_guests_of_a_full_machine_stay_where_they_are() -> None:
    stage = Stage(
        {"name": "t", "preferNewBalloons": True, "preferSpreadingPods": True}, {"name": "u"}
    )
    stage.create(*(guaranteed(f"s{number}", 100, order=number, **T) for number in range(15)))
    assert stage.create(best_effort("late", order=20, **U)) == ["reserved[0] 0"]
    assert stage.restarted().books == stage.books


@pytest.mark.parametrize("ledger", [False, True])
def test_without_memory_nobody_moves_and_all_cpus_are_accounted_for(ledger: bool) -> None:
    stage = busy()
    found = stage.restarted(memory=False, ledger=ledger)
    assert {key: placed.placement for key, placed in found.placed.items()} == {
        key: placed.placement for key, placed in stage.placed.items()
    }
    assert (found.newcomers, found.problems) == ((), ())
    if ledger:
        assert cpus_of(stage, found) == stage.balloons()
    assert found.books.holdings.idle == stage.books.holdings.idle


def test_hidden_threads_belong_to_the_balloon() -> None:
    stage = Stage({"name": "t", "minCPUs": 4, "hideHyperthreads": True})
    stage.create(guaranteed("a", 1000, **T))
    assert stage.told("a") == "t[0] 4,6"
    found = stage.restarted(memory=False, ledger=False)
    assert cpus_of(stage, found)["t[0]"] == "4-7"


def test_of_shared_cpus_a_balloon_has_as_many_as_it_needs() -> None:
    stage = Stage(SHARING)
    stage.create(guaranteed("a", 1000, order=1, **T), guaranteed("b", 1000, order=2, **T))
    assert (stage.told("a"), stage.told("b")) == ("t[0] 1,3", "t[1] 2-3")
    found = stage.restarted(memory=False, ledger=False)
    assert cpus_of(stage, found) == stage.balloons()


def test_who_runs_on_the_same_cpus_shares_a_balloon() -> None:
    stage = Stage({"name": "t", "preferNewBalloons": True})
    stage.create(
        guaranteed("a", 2000, pod="p", order=1, **T),
        guaranteed("b", 1000, pod="p", order=2, **T),
        guaranteed("c", 2000, order=3, **T),
    )
    found = stage.restarted(memory=False, ledger=False)
    assert [place.containers for place in stage.policy.places(found.books)][1:3] == [
        ("a", "b"), ("c",),
    ]  # fmt: skip


def test_a_remembered_balloon_that_nobody_is_in_any_more_ends_or_is_small() -> None:
    stage = Stage(
        {"name": "t", "minCPUs": 1, "minBalloons": 1, "preferNewBalloons": True}, {"name": "u"}
    )
    stage.create(guaranteed("a", 3000, **T), guaranteed("b", 2000, **T), guaranteed("c", 1000, **U))
    del stage.asks["a"], stage.asks["c"]
    assert cpus_of(stage, stage.restarted()).keys() == {"reserved[0]", "t[1]", "default[0]"}
    del stage.asks["b"]
    left = cpus_of(stage, stage.restarted())
    assert (len(CpuSet.parse(left.pop("t[0]", left.pop("t[1]", "")))), len(left)) == (1, 2)


def test_what_ended_meanwhile_leaves_its_cpus_to_the_balloon_for_now() -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 2000, order=1, **T), guaranteed("b", 1000, order=2, **T))
    before = stage.told("b")
    del stage.asks["a"]
    found = stage.restarted()
    assert f"t[0] {found.placed['b'].placement.cpus}" == before
    outcome = stage.policy.place(found.books, guaranteed("c", 2000, **T))
    assert outcome.placed is not None
    assert f"t[0] {outcome.placed.placement.cpus}" == before


def test_a_drifted_container_is_left_where_it_is_and_known_for_what_it_was() -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 1000, order=1, **T), guaranteed("b", 1000, order=2, **T))
    elsewhere = Placement(CpuSet([9]), NodeSet([2]))
    found = stage.restarted(b=elsewhere)
    assert found.placed["b"].placement == elsewhere
    assert cpus_of(stage, found) == stage.balloons()
    assert found.books.memory.memory_zones["b"] == NodeSet([2])


def test_a_memory_that_contradicts_what_runs_is_not_believed() -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 1000, order=1, **T))
    found = stage.restarted(a=Placement(CpuSet.parse("8-9"), NodeSet([2])))
    assert cpus_of(stage, found)["t[0]"] == "8-9"


def test_cpus_of_others_make_no_balloon_but_a_problem() -> None:
    stage = Stage({"name": "t", "preferNewBalloons": True}, {"name": "u"})
    stage.create(guaranteed("a", 1000, order=1, **T), guaranteed("b", 1000, order=2, **U))
    twin = stage.placed["a"].placement
    found = stage.restarted(memory=False, ledger=False, b=twin)
    assert [problem.value for problem in found.problems] == ["u[0]"]
    assert found.placed["b"].placement == twin
    outcome = stage.policy.place(found.books, best_effort("c", **U))
    assert all(one.placement.cpus for one in (outcome.placed, *outcome.changed.values()) if one)


def test_who_is_in_a_balloon_without_cpus_is_left_where_it_is() -> None:
    stage = Stage({"name": "t"}, {"name": "u"})
    stage.create(guaranteed("a", 15000, order=1, **T))
    twin = guaranteed("b", 1000, order=2, **U)
    held = [Held(one, stage.placed["a"].placement) for one in (stage.asks["a"], twin)]
    books = stage.policy.adopt(held, None).books
    outcome = stage.policy.resize(books, twin)
    assert outcome.placed is not None
    assert outcome.placed.placement == stage.placed["a"].placement


def test_balloons_that_always_are_come_from_cpus_on_which_nobody_runs() -> None:
    stage = Stage(SHARING)
    stage.create(guaranteed("a", 1000, **T))
    fewer = Stage(SHARING, {"name": "u", "minCPUs": 4, "minBalloons": 1})
    held = [Held(stage.asks["a"], stage.placed["a"].placement)]
    found = fewer.policy.adopt(held, None)
    assert (cpus_of(fewer, found)["u[0]"], found.problems) == ("4-7", ())
    crowded = Stage(SHARING, {"name": "u", "minCPUs": 13, "minBalloons": 1})
    found = crowded.policy.adopt(held, None)
    assert "not enough free CPUs" in found.problems[0].why


BROKEN: tuple[Mapping[str, Any], ...] = (
    {"balloons": 3},
    {"balloons": [{"type": 1}]},
    {"balloons": [{"type": "t", "number": 0, "cpus": "x"}]},
    {"balloons": [{"type": "t", "members": [1]}]},
    {"memory": {"a": {"mems": "0", "affinity": "0", "types": ["TAPE"]}}},
)


@pytest.mark.parametrize("memory", BROKEN)
def test_a_broken_memory_is_no_memory(memory: Mapping[str, Any]) -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 1000, **T))
    held = [Held(stage.asks["a"], stage.placed["a"].placement)]
    found = stage.policy.adopt(held, memory)
    assert len(found.problems) == 1
    assert cpus_of(stage, found) == stage.balloons()


def test_types_that_are_gone_or_composed_otherwise_are_made_up() -> None:
    stage = Stage({"name": "t"}, {"name": "u"})
    stage.create(guaranteed("a", 1000, **T), guaranteed("b", 1000, **U))
    memory = stage.policy.remember(stage.books)
    other = Stage({"name": "t", "components": [{"balloonType": "x"}]}, {"name": "x"})
    held = [Held(stage.asks[key], placed.placement) for key, placed in stage.placed.items()]
    found = other.policy.adopt(held, memory)
    assert cpus_of(other, found)["t[0]"] == str(stage.placed["a"].placement.cpus)
    assert [problem.why for problem in found.problems] == ['no balloon for annotation "u"']
    assert (found.placed["b"].place, found.placed["b"].placement) == (
        "",
        stage.placed["b"].placement,
    )


def test_who_was_never_placed_is_a_newcomer_and_the_preserved_are_not() -> None:
    stage = Stage({"name": "t"})
    kept = best_effort("kept", intent=TenantIntent(preserve_cpus=True))
    held = [Held(best_effort("new"), NOT_OURS), Held(kept, Placement(CpuSet([3])))]
    found = stage.policy.adopt(held, None)
    assert (found.newcomers, list(found.placed)) == (("new",), ["kept"])
    assert found.placed["kept"].placement == NOT_OURS


@pytest.mark.parametrize("memory", [None, {}])
def test_without_pinning_the_ledger_or_memory_knows_who_is_inside(
    memory: Optional[dict[str, Any]],
) -> None:
    stage = Stage({"name": "t"}, pinCPU=False, pinMemory=False)
    stage.create(guaranteed("a", 1000, **T))
    assert stage.restarted(ledger=False).books.holdings == stage.books.holdings
    assert stage.restarted(memory=False).newcomers == ()
    policy: Balloons = stage.policy
    held = [Held(stage.asks["a"], Placement(CpuSet([3])))]
    assert policy.adopt(held, memory).newcomers == ("a",)
