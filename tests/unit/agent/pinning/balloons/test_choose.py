# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which balloon a container goes to, and why."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.described import best_effort, guaranteed
from homenode.intent.tenant import TenantIntent
from homenode.pinning.policy import Ask
from homenode.world.decision import PRESERVED
from model.problem import HomenodeProblem
from model.workload import NOT_OURS

from .stage import Stage, of_type

BY_NAME = {"name": "by-name", "matchExpressions": [
    {"key": "name", "operator": "In", "values": ["special"]}]}  # fmt: skip
WEB = {"name": "web", "namespaces": ["web-*"]}
ANY = {"name": "any", "namespaces": ["*"]}


def test_the_type_is_by_annotation_then_in_list_order() -> None:
    stage = Stage(BY_NAME, WEB, ANY)
    special = guaranteed("special", 500, namespace="web-1")
    asks = (
        special,
        guaranteed("in-web", 500, namespace="web-1"),
        guaranteed("chosen", 500, namespace="web-1", intent=of_type("any")),
        guaranteed("system", 500, namespace="kube-system"),
        guaranteed("other", 500),
    )
    assert [told.split()[0] for told in stage.create(*asks)] == [
        "by-name[0]", "web[0]", "any[0]", "reserved[0]", "any[0]",
    ]  # fmt: skip


def test_without_a_match_it_is_the_default() -> None:
    assert Stage(WEB).create(best_effort("a")) == ["default[0] 1"]


def test_kube_system_goes_where_the_operator_lists_the_reserved_type() -> None:
    last = Stage(ANY, {"name": "reserved"})
    assert last.create(best_effort("a", namespace="kube-system")) == ["any[0] 1"]


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(HomenodeProblem, match='no balloon for annotation "x"'):
        Stage(ANY).create(best_effort("a", intent=of_type("x")))


@pytest.mark.parametrize(
    ("intent", "keys"),
    [
        (TenantIntent(preserve_cpus=True), {}),
        (
            TenantIntent(),
            {"preserve": {"matchExpressions": [
                {"key": "name", "operator": "Equals", "values": ["a"]}]}},
        ),
    ],
)  # fmt: skip
def test_who_is_preserved_is_in_no_balloon(intent: TenantIntent, keys: dict[str, Any]) -> None:
    stage = Stage(ANY, **keys)
    stage.create(best_effort("a", intent=intent))
    placed = stage.placed["a"]
    assert (placed.placement, placed.place, placed.decision.outcome) == (NOT_OURS, "", PRESERVED)
    assert stage.books == stage.policy.start()


def small(name: str, **values: Any) -> Ask:
    """A tenth of a CPU, of the type "t"."""
    return guaranteed(name, 100, intent=of_type("t"), **values)


def balloons_of(stage: Stage, *asks: Ask) -> list[str]:
    return [told.split()[0] for told in stage.create(*asks)]


def test_containers_of_a_pod_are_together() -> None:
    stage = Stage({"name": "t", "preferNewBalloons": True})
    asks = (small("a", pod="p"), small("b"), small("c", pod="p"))
    assert balloons_of(stage, *asks) == ["t[0]", "t[1]", "t[0]"]


def test_unless_they_are_to_spread() -> None:
    stage = Stage({"name": "t", "preferNewBalloons": True, "preferSpreadingPods": True})
    assert balloons_of(stage, small("a", pod="p"), small("b", pod="p")) == ["t[0]", "t[1]"]


def test_namespaces_are_apart_as_long_as_there_is_room() -> None:
    stage = Stage({"name": "t", "preferPerNamespaceBalloon": True, "maxBalloons": 2})
    asks = [small(name, namespace=name[0]) for name in ("a1", "b1", "a2", "c1")]
    assert balloons_of(stage, *asks) == ["t[0]", "t[1]", "t[0]", "t[1]"]


def test_groups_are_together_even_across_pods() -> None:
    stage = Stage({"name": "t", "groupBy": "${pod/namespace}", "preferNewBalloons": True})
    asks = [small(name, namespace=name[0]) for name in ("a1", "b1", "a2", "b2")]
    assert balloons_of(stage, *asks) == ["t[0]", "t[1]", "t[0]", "t[1]"]


def test_who_has_not_what_the_group_is_by_is_in_none() -> None:
    stage = Stage({"name": "t", "groupBy": "${pod/labels/app}", "preferNewBalloons": True})
    assert balloons_of(stage, small("a"), small("b")) == ["t[0]", "t[1]"]


def test_the_most_free_cpu_decides_then_the_fewest_containers_then_the_first() -> None:
    stage = Stage({"name": "t", "minCPUs": 2, "minBalloons": 3, "preferSpreadingPods": True})
    big = guaranteed("big", 500, intent=of_type("t"))
    asks = (big, small("b"), small("c"), best_effort("d", intent=of_type("t")))
    assert balloons_of(stage, *asks) == ["t[0]", "t[1]", "t[2]", "t[1]"]
    assert balloons_of(stage, best_effort("e", intent=of_type("t"))) == ["t[2]"]
    decision = stage.placed["d"].decision
    assert decision.reason == "t[1], which has the most CPU free; its type is by annotation"
    assert [(one.name, one.values, one.lost_by) for one in decision.candidates] == [
        ("t[1]", (1900, 10900, 1), ""),
        ("t[2]", (1900, 10900, 1), "free mCPU"),
        ("t[0]", (1500, 10500, 1), "free mCPU"),
    ]


def test_a_balloon_grows_before_another_is_made() -> None:
    stage = Stage({"name": "t", "maxCPUs": 2})
    one = {"intent": of_type("t")}
    asks = [guaranteed(name, 1000, **one) for name in "abc"]
    assert balloons_of(stage, *asks) == ["t[0]", "t[0]", "t[1]"]
    assert stage.placed["c"].decision.candidates[1].lost_by == "new balloon"


def test_the_candidates_that_are_told_are_bounded_the_best_first() -> None:
    stage = Stage({"name": "t", "preferNewBalloons": True}, machine="n4c128")
    balloons_of(stage, *(guaranteed(f"c{n}", 100, intent=of_type("t")) for n in range(18)))
    told = [one.name for one in stage.placed["c17"].decision.candidates]
    assert told == ["t[17]", *(f"t[{n}]" for n in range(15))]


def test_of_those_that_have_to_grow_the_one_that_could_have_most_is_taken() -> None:
    stage = Stage({"name": "t", "maxCPUs": 4, "maxBalloons": 2, "preferNewBalloons": True})
    one = {"intent": of_type("t")}
    asks = (guaranteed("a", 2600, **one), guaranteed("b", 700, **one), guaranteed("c", 600, **one))
    assert balloons_of(stage, *asks) == ["t[0]", "t[1]", "t[1]"]


def test_numbers_are_used_again() -> None:
    stage = Stage({"name": "t", "preferNewBalloons": True})
    stage.create(small("a"), small("b"))
    stage.delete("a")
    assert balloons_of(stage, small("c")) == ["t[0]"]


def test_an_operators_limit_refuses() -> None:
    stage = Stage({"name": "t", "maxCPUs": 1, "maxBalloons": 2, "preferNewBalloons": True})
    one = {"intent": of_type("t")}
    stage.create(guaranteed("a", 800, **one), guaranteed("b", 600, **one), small("c"))
    before = stage.books
    with pytest.raises(HomenodeProblem, match="no suitable balloon instance available") as info:
        stage.create(guaranteed("d", 500, **one))
    assert "maxCPUs or maxBalloons of t" in info.value.problem.remedy
    assert stage.books is before


def full() -> Stage:
    """15 balloons of a tenth of a CPU, and so no idle CPU."""
    stage = Stage(
        {"name": "t", "preferNewBalloons": True, "preferSpreadingPods": True}, {"name": "u"}
    )
    stage.create(*(small(f"s{number}") for number in range(15)))
    assert not stage.books.holdings.idle
    return stage


def test_rounding_to_whole_cpus_refuses_nobody_whose_request_fits() -> None:
    stage = full()
    late = guaranteed("late", 950, intent=of_type("t"))
    assert stage.create(late) == ["t[0] 1"]
    assert stage.placed["late"].decision.reason.startswith("t[0], over-committed, as no CPUs are")


def test_a_type_without_a_balloon_shares_the_built_in_ones_then() -> None:
    stage = full()
    assert stage.create(best_effort("late", intent=of_type("u"))) == ["reserved[0] 0"]


def test_more_than_there_is_is_refused() -> None:
    with pytest.raises(HomenodeProblem, match="no suitable balloon instance available"):
        full().create(guaranteed("late", 14501, intent=of_type("t")))
    assert full().create(guaranteed("late", 14500, intent=of_type("t"))) == ["t[0] 1"]
