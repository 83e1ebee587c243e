# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: one verb a step, names in full, everything unknown refused with its path."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.simulate.pods import CPU
from homenode.simulate.scenario import (
    Configure,
    Delete,
    Exit,
    Restart,
    Scenario,
    Update,
    read_scenario,
)
from model.machine import Machine
from model.problem import HomenodeProblem

from .scenes import DESCRIBED


def scenario(*steps: Any, **more: Any) -> Scenario:
    def recorded(path: str) -> Machine:
        raise AssertionError(path)

    content = {"machine": DESCRIBED, "policy": "balloons", "steps": list(steps), **more}
    return read_scenario(content, source="s.yaml", recorded=recorded)


def test_steps() -> None:
    spec = {"reservedResources": {"cpu": 1}}
    found = scenario(
        {"delete": "p"},
        {"delete": "n/p"},
        {"exit": "p/c"},
        {"exit": "n/p/c"},
        {"configure": spec},
        {"restart": {}},
        {"restart": None},
    )
    assert found.steps == (
        Delete("default/p"),
        Delete("n/p"),
        Exit("default/p/c"),
        Exit("n/p/c"),
        Configure(spec),
        Restart(),
        Restart(),
    )


def test_an_update_names_what_changes() -> None:
    (step,) = scenario({"update": {"container": "p/c", "limits": {"cpu": 2}}}).steps
    assert isinstance(step, Update) and step.container == "default/p/c"
    assert {*step.amounts} == {CPU} and str(step.amounts[CPU].request) == "2"


def test_a_recorded_machine_is_read_by_whoever_has_files() -> None:
    asked = []
    one = scenario().machine

    def recorded(path: str) -> Machine:
        asked.append(path)
        return one

    content = {"machine": {"recorded": "a.machine"}, "policy": "balloons"}
    assert read_scenario(content, source="s", recorded=recorded).machine is one
    assert asked == ["a.machine"]


WRONG = [
    ({"name": "x"}, "name", "not a known key"),
    ({"machine": None}, "machine", "missing"),
    ({"machine": {"recorded": "x", "l3": []}}, "machine.l3", "not a known key"),
    ({"policy": "static"}, "policy", "not a known choice"),
    ({"config": []}, "config", "not a mapping"),
    ({"steps": {}}, "steps", "not a list"),
    ({"steps": [{}]}, "steps[0].step", "one verb"),
    ({"steps": [{"exit": "p/c", "delete": "p"}]}, "steps[0].exit", "one verb"),
    ({"steps": [{"reboot": {}}]}, "steps[0].reboot", "no step"),
    ({"steps": [{"create": None}]}, "steps[0].create", "no pod"),
    ({"steps": [{"delete": "a/b/c"}]}, "steps[0].delete", "no name"),
    ({"steps": [{"delete": ""}]}, "steps[0].delete", "no name"),
    ({"steps": [{"exit": "c"}]}, "steps[0].exit", "no name"),
    ({"steps": [{"exit": "/c"}]}, "steps[0].exit", "no name"),
    ({"steps": [{"update": {"container": "p/c", "cpu": 1}}]}, "steps[0].update.cpu", "known key"),
    ({"steps": [{"restart": {"now": True}}]}, "steps[0].restart.now", "not a known key"),
]


@pytest.mark.parametrize(("more", "field", "why"), WRONG)
def test_what_makes_no_sense(more: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(HomenodeProblem) as error:
        scenario(**more)
    assert (error.value.problem.field, error.value.problem.source) == (field, "s.yaml")
    assert why in error.value.problem.why
