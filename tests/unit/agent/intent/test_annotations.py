# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which annotation holds for a container, and what a wrong one comes to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.intent.annotations import FALSE, MAX_VALUE, TRUE, boolean, effective
from homenode.intent.nri_plugins import (
    MAX_SHOWN,
    NO_INTENT,
    PREFER_SHARED,
    PRESERVE_CPU,
    PRESERVE_MEMORY,
    SUFFIX,
    TenantIntent,
    tenant_intent,
)
from model.problem import Problem

BARE, POD, OURS, OTHER = "k", "k/pod", "k/container.c", "k/container.d"
PRECEDENCE: dict[str, tuple[dict[str, str], str]] = {
    "its own before its pod's before the bare key": ({BARE: "1", POD: "2", OURS: "3"}, OURS),
    "its own before the bare key": ({BARE: "1", OURS: "3"}, OURS),
    "its pod's before the bare key": ({BARE: "1", POD: "2"}, POD),
    "the bare key": ({BARE: "1"}, BARE),
    "another container's is none": ({OTHER: "4"}, ""),
    "an empty one is one": ({POD: "2", OURS: ""}, OURS),
    "none": ({"kk": "1", "k/pods": "2", "k/container": "3"}, ""),
}


@pytest.mark.parametrize("row", PRECEDENCE.values(), ids=PRECEDENCE)
def test_precedence(row: tuple[dict[str, str], str]) -> None:
    annotations, key = row
    found = effective(annotations, "k", "c")
    assert (found.key if found else "") == key
    assert found is None or found.value == annotations[key]


@pytest.mark.parametrize("text", [*TRUE, *FALSE])
def test_spellings(text: str) -> None:
    problems: list[Problem] = []
    assert boolean({BARE: text}, "k", "c", problems) is (text in TRUE)
    assert problems == []


@pytest.mark.parametrize("text", ["", "yes", "tRue", " true", "2", "1e309", "\0", "t" * 262144])
def test_a_wrong_value_is_a_problem_and_no_value(text: str) -> None:
    problems: list[Problem] = []
    assert boolean({POD: text}, "k", "c", problems) is None
    (problem,) = problems
    assert (problem.field, problem.remedy) == (POD, 'write "true" or "false"')
    assert len(str(problem)) < 400


def test_a_long_value_is_not_looked_at() -> None:
    long = {BARE: "x" * (MAX_VALUE + 1)}
    assert boolean(long, "k", "c", []) is None


def test_without_annotations_of_the_dialect_there_is_no_intent() -> None:
    assert tenant_intent({"kubernetes.io/config.source": "api"}, "c") is NO_INTENT


def test_every_key_that_is_honoured() -> None:
    annotations = {PREFER_SHARED: "true", PRESERVE_CPU: "1", PRESERVE_MEMORY + "/pod": "t"}
    assert tenant_intent(annotations, "c") == TenantIntent(True, True, True)


def test_a_container_says_no_to_what_its_pod_says() -> None:
    annotations = {PREFER_SHARED + "/pod": "true", PREFER_SHARED + "/container.c": "false"}
    assert not tenant_intent(annotations, "c").prefer_shared_cpus
    assert tenant_intent(annotations, "d").prefer_shared_cpus


def test_a_requirement_that_is_not_understood_is_told() -> None:
    key = "memory-type" + SUFFIX + "/pod"
    intent = tenant_intent({key: "hbm", PREFER_SHARED: "true"}, "c")
    assert intent.prefer_shared_cpus
    assert [problem.field for problem in intent.problems] == [key]


def test_what_is_told_is_bounded() -> None:
    annotations = {f"x{number}{SUFFIX}": "1" for number in range(1000)}
    assert len(tenant_intent(annotations, "c").problems) == MAX_SHOWN


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=30).map(lambda t: t + SUFFIX), st.text(max_size=50)))
def test_anything(annotations: dict[str, str]) -> None:
    intent = tenant_intent(annotations, "c")
    assert len(intent.problems) <= MAX_SHOWN + 3
