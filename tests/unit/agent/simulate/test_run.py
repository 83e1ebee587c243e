# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps on a policy that is easily foretold: who runs after each, with what; what went wrong."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from homenode.simulate.answer import answer
from homenode.simulate.run import Run
from homenode.simulate.scenario import read_scenario
from model.machine import Machine

from .scenes import DESCRIBED, Even

BUSY = {"requests": {"cpu": "1"}}


def play(*steps: Any, all_or_nothing: bool = False, **config: Any) -> dict[str, Any]:
    def recorded(path: str) -> Machine:
        raise AssertionError(path)

    content = {
        "machine": DESCRIBED,
        "policy": "balloons",
        "config": {"width": 8, **config},
        "steps": list(steps),
    }
    scenario = read_scenario(content, source="s.yaml", recorded=recorded)
    return answer(Run(scenario, Even.make, all_or_nothing=all_or_nothing))


def create(name: str, *containers: str, **more: Any) -> dict[str, Any]:
    """A pod whose containers ask for CPU if their name is written large."""
    listed = [{"name": one.lower(), **(BUSY if one.isupper() else {})} for one in containers]
    return {"create": {"name": name, "containers": listed, **more}}


def cpus(result: dict[str, Any]) -> list[dict[str, Optional[str]]]:
    """By container, after each step."""
    return [
        {name: given["cpus"] for name, given in step["assignments"].items()}
        for step in result["steps"]
    ]


def errors(result: dict[str, Any]) -> list[Optional[str]]:
    return [step["error"] for step in result["steps"]]


def test_all_that_is_told_of_a_step() -> None:
    assert play(create("p", "A", "b")) == {
        "error": None,
        "steps": [
            {
                "step": 0,
                "error": None,
                "assignments": {
                    f"default/p/{name}": {
                        "cpus": "0-6",
                        "mems": "0",
                        "pool": "all",
                        "reasons": [
                            "as all others",
                            "name: all before b, e",
                            "size: all before c",
                            "age: all before d",
                        ],
                    }
                    for name in "ab"
                },
                "pools": {"all": {"cpus": "0-6", "excess": "2m"}},
            }
        ],
    }


def test_others_change_and_change_back() -> None:
    result = play(create("p", "a"), create("q", "A", namespace="n"), {"delete": "n/q"})
    assert cpus(result) == [
        {"default/p/a": "0-7"},
        {"default/p/a": "0-6", "n/q/a": "0-6"},
        {"default/p/a": "0-7"},
    ]


def test_what_is_left_alone_is_null() -> None:
    (step,) = play(create("p", "a", annotations={"alone": ""}))["steps"]
    assert step["assignments"]["default/p/a"]["cpus"] is None
    assert step["assignments"]["default/p/a"]["mems"] is None


def test_init_containers_have_ended_before_the_others_start() -> None:
    result = play(create("p", "A", init_containers=[{"name": "i", **BUSY}, {"name": "j", **BUSY}]))
    assert cpus(result) == [{"default/p/a": "0-6"}]


def test_a_refused_creation_keeps_those_before_and_tries_no_more() -> None:
    result = play(create("p", "a", "b", "c"), create("q", "c"), {"delete": "p"}, forbidden="b")
    assert cpus(result) == [
        {"default/p/a": "0-7"},
        {"default/p/a": "0-7", "default/q/c": "0-7"},
        {"default/q/c": "0-7"},
    ]
    assert errors(result) == ['default/p/b: name "b": is forbidden; use another', None, None]


def test_an_exit_ends_one_container_and_its_pod_stays() -> None:
    steps = (
        create("p", "A", "b"),
        {"exit": "p/a"},
        {"exit": "p/a"},
        create("p", "c"),
        {"delete": "p"},
    )
    result = play(*steps)
    left = {"default/p/b": "0-7"}
    assert cpus(result)[1:] == [left, left, left, {}]
    assert errors(result)[2:] == [
        "no container default/p/a is running",
        "pod default/p is there already",
        None,
    ]


def test_updates() -> None:
    def update(cpu: str) -> dict[str, Any]:
        return {"update": {"container": "p/a", "requests": {"cpu": cpu}}}

    result = play(create("p", "a"), update("2"), update("5"), {"delete": "q"})
    assert [one["default/p/a"] for one in cpus(result)] == ["0-7", "0-6", "0-6", "0-6"]
    assert errors(result)[2:] == [
        'default/p/a: cpu "5000": is too much; ask for less',
        "there is no pod default/q",
    ]


def test_another_configuration() -> None:
    result = play(create("p", "a"), {"configure": {"width": 9}}, {"configure": {"width": 4}})
    assert [one["default/p/a"] for one in cpus(result)] == ["0-7", "0-7", "0-3"]
    assert errors(result) == [None, 'width "9": is too wide; use 8 at most', None]


FORBIDS_A = {"configure": {"width": 4, "forbidden": "a"}}


def test_whom_another_configuration_forbids_keeps_what_it_has() -> None:
    result = play(create("p", "a", "b"), FORBIDS_A, {"configure": {"width": 2}})
    assert cpus(result)[1:] == [
        {"default/p/a": "0-7", "default/p/b": "0-3"},
        {"default/p/a": "0-1", "default/p/b": "0-1"},
    ]
    assert errors(result) == [None, None, None]
    told = result["steps"][1]["assignments"]["default/p/a"]
    assert (told["pool"], told["reasons"]) == (None, ['name "a": is forbidden; use another'])


def test_where_all_or_nothing_is_the_rule_such_a_configuration_is_refused() -> None:
    result = play(create("p", "a", "b"), FORBIDS_A, {"restart": {}}, all_or_nothing=True)
    assert cpus(result)[0] == cpus(result)[1] == cpus(result)[2]
    assert errors(result) == [None, 'default/p/a: name "a": is forbidden; use another', None]


@pytest.mark.parametrize("width", [9, 12])
def test_a_refused_first_configuration(width: int) -> None:
    steps: tuple[dict[str, Any], ...] = (
        create("p", "a"),
        {"restart": {}},
        {"configure": {"width": width}},
        {"configure": {"width": 8}},
        create("q", "a"),
        {"delete": "p"},
    )
    result = play(*steps, width=width)
    refusal = f'width "{width}": is too wide; use 8 at most'
    assert result["error"] == refusal
    assert errors(result) == [refusal, None, refusal, None, None, None]
    assert cpus(result) == [{}, {}, {}, {}, {"default/q/a": "0-7"}, {"default/q/a": "0-7"}]
    assert result["steps"][0]["pools"] == {}


def test_a_restart_forgets_nothing_that_runs() -> None:
    result = play(create("p", "A", "b"), {"restart": {}}, {"exit": "p/a"})
    assert cpus(result)[0] == cpus(result)[1]
    assert cpus(result)[2] == {"default/p/b": "0-7"}
