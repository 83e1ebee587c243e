# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every scenario, judged by a real kubelet and by the filters: both are right, or one test fails.

All kubelets are started first, as many at a time as there is room for; each test then looks at one
of them. Needs root and Go, see README.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from judge import answers, build, scenarios
from judge.compare import disagreements
from judge.court import Case, Judge, Outcome
from judge.scenarios import Scenario, as_started, prepared
from judge.topology import Topology

PLACES = 3
VERSIONS = (build.NEW, build.OLD)
ALL = {
    f"{version}: {scenario.name}": scenario
    for version in VERSIONS
    for scenario in scenarios.load(version)
}
Heard = tuple[Case, Outcome]


@pytest.fixture(scope="session")
def heard(request: pytest.FixtureRequest) -> dict[str, Heard]:
    """What the kubelets did with the scenarios that are wanted, and with which state files."""
    selected = {
        name: ALL[name]
        for item in request.session.items
        if (spec := getattr(item, "callspec", None)) and (name := spec.params.get("name")) in ALL
    }
    found: dict[str, Heard] = {}
    for version in VERSIONS:
        found.update(_hear(version, {n: s for n, s in selected.items() if s.version == version}))
    return found


@pytest.fixture(scope="session")
def facts() -> Iterator[dict[Topology, dict[str, Any]]]:
    """``ansible_facts.numa`` of every machine, read from the files that the kubelet reads."""
    shapes = {scenario.case.topology for scenario in ALL.values()}
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        yield {
            shape: answers.facts(shape, Path(folder) / str(number))
            for number, shape in enumerate(shapes)
        }


@pytest.mark.parametrize("name", ALL)
def test_kubelet_and_filters_agree(
    name: str, heard: dict[str, Heard], facts: dict[Topology, dict[str, Any]]
) -> None:
    scenario, (case, outcome) = ALL[name], heard[name]
    _as_seen(scenario, outcome)
    answer = answers.answer(case, facts[case.topology], scenario.version, scenario.distribution)
    assert not list(disagreements(outcome, answer, scenario.version))
    _as_expected(scenario, answer)


def test_there_are_enough() -> None:
    """The number that was promised."""
    assert len({scenario.name for scenario in ALL.values()}) >= 200


def _hear(version: str, wanted: dict[str, Scenario]) -> dict[str, Heard]:
    if not wanted:
        return {}
    left: dict[str, Outcome] = {}
    with Judge(version, places=PLACES) as judge:
        cases = judge.in_turn(lambda scenario: prepared(scenario, judge, left), wanted.values())
        started = [as_started(one, case) for one, case in zip(wanted.values(), cases, strict=True)]
        outcomes = judge.run_all(started)
    return dict(zip(wanted, zip(cases, outcomes, strict=True), strict=True))


def _as_seen(scenario: Scenario, outcome: Outcome) -> None:
    """The kubelet does what the scenario says that it does."""
    expected = scenario.expected
    assert outcome.starts == expected.starts, outcome.reason
    assert expected.message in outcome.reason
    assert not expected.any_of or any(text in outcome.reason for text in expected.any_of)
    for dotted, value in expected.effective.items():
        if expected.starts:
            assert _at(outcome.config, dotted) == value, dotted


def _as_expected(scenario: Scenario, answer: answers.Answer) -> None:
    """The filters say what the scenario says, beyond what a kubelet can tell."""
    expected = scenario.expected
    verdict = answer.verdict
    if expected.need:
        assert answer.need is not None, answer.why_no_need
        assert answer.need["quantity"] == expected.need
    assert tuple(verdict["reset"]) == expected.reset
    assert len(verdict["errors"]) == (0 if expected.starts else 1 + expected.also), verdict
    for text in expected.warns:
        assert any(text in warning for warning in verdict["warnings"]), (text, verdict)


def _at(config: Any, dotted: str) -> Any:
    """A value by its dotted key; keys of maps may have dots themselves."""
    key, _dot, rest = dotted.partition(".")
    value = config.get(key)
    return value.get(rest) if rest and value is not None else value
