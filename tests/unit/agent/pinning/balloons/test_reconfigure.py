# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another configuration: who can stay does, the others get what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakes.described import best_effort, guaranteed
from homenode.pinning.policy import Adoption, Held

from .stage import Stage, of_type

T = {"intent": of_type("t")}
ANY = {"name": "any", "namespaces": ["*"]}


def changed(stage: Stage, *types: Mapping[str, Any], **keys: Any) -> tuple[Stage, Adoption]:
    """The stage with another configuration, and what it made of what runs."""
    other = Stage(*types, **keys)
    held = [
        Held(ask, stage.placed[key].placement, stage.placed[key]) for key, ask in stage.asks.items()
    ]
    found = other.policy.adopt(held, stage.policy.remember(stage.books))
    other.books, other.asks = found.books, dict(stage.asks)
    other.placed = {**found.placed, **found.changed}
    for key in found.newcomers:
        other.create(stage.asks[key])
    return other, found


def test_what_it_says_of_others_moves_nobody() -> None:
    stage = Stage({"name": "t"}, ANY)
    stage.create(guaranteed("a", 3000, order=1, **T), guaranteed("b", 1000, order=2))
    other, found = changed(stage, {"name": "t"}, {"name": "new"}, ANY)
    assert (found.changed, found.newcomers, found.problems) == ({}, (), ())
    assert other.balloons() == stage.balloons()


def test_types_that_go_and_come_again() -> None:
    types = ({"name": "t", "namespaces": ["x"], "maxCPUs": 1}, {**ANY, "minCPUs": 4})
    stage = Stage(*types)
    stage.create(guaranteed("a", 100, order=1), best_effort("b", namespace="x", order=2))
    assert (stage.told("a"), stage.told("b")) == ("any[0] 4-7", "t[0] 1")
    without, _found = changed(stage, types[1])
    assert (without.told("a"), without.told("b")) == ("any[0] 4-7", "any[0] 4-7")
    again, _found = changed(without, *types)
    assert (again.told("a"), again.told("b")) == ("any[0] 4-7", "t[0] 1")


def test_an_annotation_that_names_no_type_any_more_is_a_problem_and_nobody_moves() -> None:
    stage = Stage({"name": "t"}, ANY)
    stage.create(guaranteed("a", 1000, **T))
    _other, found = changed(stage, ANY)
    assert [one.why for one in found.problems] == ['no balloon for annotation "t"']
    assert found.placed["a"].placement == stage.placed["a"].placement


def test_bounds_hold_at_once() -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 4000, order=1, **T))
    less, _found = changed(stage, {"name": "t", "maxCPUs": 2})
    assert less.told("a") == "t[0] 4-5"
    more, _found = changed(less, {"name": "t", "minCPUs": 4})
    assert more.told("a") == "t[0] 4-7"


def test_what_is_shared_and_hidden_holds_at_once() -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 2000, order=1, **T))
    assert stage.told("a") == "t[0] 2-3"
    hidden, found = changed(stage, {"name": "t", "hideHyperthreads": True})
    assert (hidden.told("a"), list(found.changed)) == ("t[0] 2", ["a"])
    shared, _found = changed(hidden, {"name": "t", "shareIdleCPUsInSame": "numa"})
    assert shared.told("a") == "t[0] 1-3"


def test_balloons_that_always_are_may_take_what_was_only_shared() -> None:
    stage = Stage({"name": "t", "shareIdleCPUsInSame": "system"})
    stage.create(guaranteed("a", 1000, **T))
    other, found = changed(
        stage,
        {"name": "t", "shareIdleCPUsInSame": "system"},
        {"name": "u", "minCPUs": 4, "minBalloons": 3},
    )
    assert found.problems == ()
    assert other.told("a") == "t[0] 1-3"


def test_balloons_that_need_not_be_any_more_end() -> None:
    always = {"name": "t", "minCPUs": 2, "minBalloons": 2}
    other, _found = changed(Stage(always), {**always, "minBalloons": 1})
    assert set(other.balloons()) == {"reserved[0]", "t[1]", "default[0]"}


def test_cpus_that_are_gone() -> None:
    stage = Stage({"name": "t"}, {"name": "u"})
    stage.create(
        guaranteed("a", 2000, order=1, **T), guaranteed("b", 1000, order=2, intent=of_type("u"))
    )
    assert (stage.told("a"), stage.told("b")) == ("t[0] 2-3", "u[0] 1")
    other, found = changed(
        stage, {"name": "t"}, {"name": "u"}, availableResources={"cpu": "exclude-cpuset:1-2"}
    )
    assert found.problems == ()
    assert (other.told("a"), other.told("b")) == ("t[0] 3-4", "u[0] 5")
