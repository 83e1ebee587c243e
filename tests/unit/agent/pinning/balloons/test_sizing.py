# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large balloons are, and how they change with the containers inside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.described import MIB, best_effort, burstable, guaranteed
from homenode.intent.tenant import TenantIntent
from homenode.pinning.balloons.sizing import most_millis
from model.problem import HomenodeProblem

from .stage import Stage, of_type

T = {"intent": of_type("t")}


def test_d8_requests_are_rounded_up_and_the_last_one_leaves_the_minimum() -> None:
    stage = Stage({"name": "t", "minCPUs": 1, "minBalloons": 1})
    stage.create(guaranteed("a", 600, **T), guaranteed("b", 600, **T), best_effort("c", **T))
    assert len(stage.placed["c"].placement.cpus or "") == 2
    stage.delete("a")
    assert stage.told("b") == stage.told("c") == "t[0] 2"
    stage.delete("b", "c")
    assert stage.balloons()["t[0]"] == "2"


def test_one_too_many_ends() -> None:
    stage = Stage({"name": "t", "minBalloons": 1, "preferNewBalloons": True})
    stage.create(guaranteed("a", 1000, **T), guaranteed("b", 1000, **T))
    stage.delete("a")
    assert set(stage.balloons()) == {"reserved[0]", "t[1]", "default[0]"}


def test_a_request_counts_not_a_limit() -> None:
    assert Stage({"name": "t"}).create(burstable("a", 1000, 4000, **T)) == ["t[0] 1"]


def test_an_empty_balloon_has_a_cpu_as_soon_as_anybody_is_inside() -> None:
    assert Stage({"name": "t"}).create(best_effort("a", **T)) == ["t[0] 1"]


def test_maxcpus_holds_however_few_cpus_are_idle() -> None:
    """Upstream takes a fourth and fifth CPU's worth of requests in here."""
    stage = Stage({"name": "t", "maxCPUs": 5}, {"name": "big"})
    stage.create(guaranteed("big", 8000, intent=of_type("big")), guaranteed("a", 4000, **T))
    assert stage.create(guaranteed("b", 3000, **T))[0].startswith("t[1]")


def test_places_tell_what_is_left() -> None:
    stage = Stage({"name": "t", "maxCPUs": 4})
    stage.create(guaranteed("a", 1250, **T))
    place = next(one for one in stage.policy.places(stage.books) if one.name == "t[0]")
    assert (place.excess, place.cpu_available, place.cpu_allocatable) == ("750m", 2750, 4000)
    assert (place.kind, place.containers, str(place.mems)) == ("balloon", ("a",), "0")


COMPOSITE = (
    {"name": "t", "components": [{"balloonType": "x"}, {"balloonType": "y"}]},
    {"name": "x", "maxCPUs": 3},
    {"name": "y"},
)


def test_components_are_alike_in_size() -> None:
    stage = Stage(*COMPOSITE)
    assert stage.create(guaranteed("a", 3000, **T)) == ["t[0] 2-5"]
    balloon = stage.books.holdings.balloons[-1]
    assert [(one.name, str(one.cpus)) for one in balloon.components] == [
        ("x[0]", "2-3"), ("y[0]", "4-5"),
    ]  # fmt: skip
    assert most_millis(stage.policy._setting, balloon, 11) == 10000
    with pytest.raises(HomenodeProblem, match="no suitable"):
        stage.create(guaranteed("b", 8000, **T))


def test_no_component_is_empty_as_long_as_anybody_is_inside() -> None:
    """Upstream gives a container that requests nothing no CPUs, and so all of the machine."""
    assert Stage(*COMPOSITE).create(best_effort("a", **T)) == ["t[0] 1-2"]


def test_a_balanced_composite_has_the_component_with_the_fewest_instances() -> None:
    either = {**COMPOSITE[0], "componentCreation": "balance-balloons", "preferNewBalloons": True}
    stage = Stage(either, *COMPOSITE[1:])
    stage.create(guaranteed("other", 1000, intent=of_type("x")))
    stage.create(*(guaranteed(name, 1000, **T) for name in "abc"))
    made = [one.components[0].type_name for one in stage.books.holdings.balloons if one.components]
    assert made == ["y", "x", "y"]


def test_a_larger_request_grows_the_balloon_and_a_smaller_one_shrinks_it() -> None:
    stage = Stage({"name": "t"})
    a, b = guaranteed("a", 1000, **T), guaranteed("b", 500, **T)
    stage.create(a, b)
    assert stage.resize(replace(a, cpu_request=2500)) == "t[0] 1-3"
    assert stage.told("b") == "t[0] 1-3"
    assert stage.resize(a) == "t[0] 2-3"
    stage.delete("a", "b")
    assert stage.books == stage.policy.start()


def test_who_gets_the_same_gets_the_same_object() -> None:
    """A reply is encoded once for each placement, and hundreds of containers share one."""
    stage = Stage({"name": "t"})
    stage.create(*(guaranteed(name, 500, **T) for name in "abc"))
    a, b, c = (stage.placed[name].placement for name in "abc")
    assert a is b is c


def test_a_request_beyond_all_idle_cpus_takes_those() -> None:
    stage = Stage({"name": "t"})
    a = guaranteed("a", 1000, **T)
    stage.create(a)
    assert stage.resize(replace(a, cpu_request=20000)) == "t[0] 1-15"
    place = stage.policy.places(stage.books)[1]
    assert place.excess == "-5000m"


def test_a_new_memory_limit_is_booked_where_the_container_is() -> None:
    stage = Stage({"name": "t"})
    a = guaranteed("a", 1000, **T)
    stage.create(a)
    stage.resize(replace(a, memory_limit=700 * MIB))
    assert stage.books.memory.requests["a"].size == 700 * MIB
    assert str(stage.placed["a"].placement.mems) == "0"


def test_an_unknown_container_is_placed() -> None:
    stage = Stage({"name": "t"})
    assert stage.resize(guaranteed("a", 1000, **T)) == "t[0] 1"


def test_one_that_is_created_again_is_only_there_once() -> None:
    stage = Stage({"name": "t"})
    stage.create(guaranteed("a", 3000, **T), guaranteed("b", 1000, **T))
    outcome = stage.policy.place(stage.books, guaranteed("a", 1000, **T))
    assert outcome.placed is not None
    assert len(outcome.placed.placement.cpus or "") == 2
    assert set(outcome.books.entries) == {"a", "b"}


def test_one_thread_of_each_core_is_used_where_the_others_are_hidden() -> None:
    stage = Stage({"name": "t", "minCPUs": 4, "hideHyperthreads": True})
    shown = TenantIntent(balloon="t", hide_hyperthreads=False)
    asks = (best_effort("a", **T), best_effort("b", intent=shown))
    assert stage.create(*asks) == ["t[0] 4,6", "t[0] 4-7"]
