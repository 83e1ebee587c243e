# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions and templates on one container, operator by operator and key by key."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.intent.expressions import (
    OPERATORS,
    Subject,
    check_template,
    matches,
    parse_expression,
    resolve,
)
from homenode.intent.tenant import Expression
from model.problem import HomenodeProblem
from model.workload import Pod

LABELS = {"app": "db", "io.test/tier": "back"}
POD = Pod("pod-id", "db-0", "shop", "pod-uid", labels=LABELS)
SUBJECT = Subject.of(POD, "main", "Burstable", container_id="c-id")

VALUES: dict[str, Optional[str]] = {
    "name": "main",
    "namespace": "shop",
    "qosclass": "Burstable",
    "id": "c-id",
    "uid": None,
    "labels/io.kubernetes.container.name": "main",
    "labels/app": None,
    "tags/x": None,
    "pod/name": "db-0",
    "pod/namespace": "shop",
    "pod/qosclass": "Burstable",
    "pod/id": "pod-id",
    "pod/uid": "pod-uid",
    "pod/labels/app": "db",
    "pod/labels/io.test/tier": "back",
    "pod//labels/app": "db",
    "pod/labels/app/../io.test/tier": "back",
    "pod/labels": None,
    "pod": None,
    "labels": None,
    "pod/tags/x": None,
    "name/x": None,
    "/name": None,
    "": None,
    ":pod/namespace:name": "shop:main",
    ":,-pod/qosclass,pod/namespace,pod/name,name": "Burstable-shop-db-0-main",
    ":,-nothing,name": "-main",
    ":,-nothing,neither": None,
    ":ab": None,
}


@pytest.mark.parametrize(("key", "value"), VALUES.items())
def test_value_of_a_key(key: str, value: Optional[str]) -> None:
    assert SUBJECT.value(key) == value


HOLDS = [
    ("name", "Equals", ["main"]), ("name", "Equals", ["*"]), ("name", "NotEqual", ["*"]),
    ("labels/app", "NotEqual", ["db"]), ("name", "In", ["x", "main"]), ("name", "In", ["*"]),
    ("name", "NotIn", ["x"]), ("labels/app", "NotIn", ["*"]), ("name", "Exists", []),
    ("tags/x", "NotExist", []), ("tags/x", "NotExists", []), ("name", "AlwaysTrue", []),
    ("labels/app", "AlwaysTrue", []), ("name", "Matches", ["ma*"]), ("name", "MatchesNot", ["x*"]),
    ("tags/x", "MatchesNot", ["*"]), ("name", "MatchesAny", ["x", "m??n"]),
    ("name", "MatchesNone", ["x", "y"]), ("tags/x", "MatchesNone", ["*"]), ("name", "NotIn", []),
    (":,:pod/qosclass,pod/namespace,pod/name,qosclass,name", "Matches", ["Burst*:*:*:*:*"]),
]  # fmt: skip
HOLDS_NOT = [
    ("name", "Equals", ["other"]), ("labels/app", "Equals", ["*"]), ("name", "NotEqual", ["main"]),
    ("name", "In", []), ("labels/app", "In", ["*"]), ("name", "NotIn", ["*"]),
    ("tags/x", "Exists", []), ("name", "NotExist", []), ("tags/x", "Matches", ["*"]),
    ("name", "MatchesNot", ["ma*"]), ("name", "MatchesAny", []), ("name", "MatchesNone", ["*"]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "operator", "values"), HOLDS)
def test_holds(key: str, operator: str, values: list[str]) -> None:
    assert matches(_parsed(key, operator, values), SUBJECT)


@pytest.mark.parametrize(("key", "operator", "values"), HOLDS_NOT)
def test_holds_not(key: str, operator: str, values: list[str]) -> None:
    assert not matches(_parsed(key, operator, values), SUBJECT)


def test_every_operator_has_a_row_on_each_side() -> None:
    assert {row[1] for row in HOLDS} >= set(OPERATORS)
    assert {row[1] for row in HOLDS_NOT} == set(OPERATORS) - {"AlwaysTrue"}


@given(st.sampled_from(OPERATORS), st.lists(st.text(max_size=4), max_size=3), st.text(max_size=20))
def test_nothing_raises_and_negation_negates(operator: str, values: list[str], key: str) -> None:
    held = matches(Expression(key, operator, tuple(values)), SUBJECT)
    opposite = {"In": "NotIn", "Matches": "MatchesNot", "MatchesAny": "MatchesNone"}
    if operator in opposite:
        assert matches(Expression(key, opposite[operator], tuple(values)), SUBJECT) is not held


WRONG: dict[str, tuple[Any, str]] = {
    "not a mapping": (["x"], "e"),
    "an unknown key": ({"key": "name", "operator": "Exists", "value": "x"}, "e.value"),
    "an unknown operator": ({"key": "name", "operator": "Is"}, "e.operator"),
    "no operator": ({"key": "name"}, "e.operator"),
    "no key": ({"operator": "AlwaysTrue"}, "e.key"),
    "a key that is none": ({"key": "pod/owner", "operator": "Exists"}, "e.key"),
    "a key of labels only": ({"key": "pod/labels", "operator": "Exists"}, "e.key"),
    "more after a name": ({"key": "name/x", "operator": "Exists"}, "e.key"),
    "one wrong part of a joint key": ({"key": ":name:x", "operator": "Exists"}, "e.key"),
    "a key of hostile size": ({"key": "labels/" + "x" * 2000, "operator": "Exists"}, "e.key"),
    "too few values": ({"key": "name", "operator": "Equals"}, "e.values"),
    "too many": ({"key": "name", "operator": "Matches", "values": ["a", "b"]}, "e.values"),
    "values where none belong": (
        {"key": "name", "operator": "Exists", "values": ["a"]},
        "e.values",
    ),
    "a value that is no text": ({"key": "name", "operator": "In", "values": [[1]]}, "e.values"),
    "values that are no list": ({"key": "name", "operator": "In", "values": "a"}, "e.values"),
    "values by the thousand": (
        {"key": "name", "operator": "In", "values": ["a"] * 999},
        "e.values",
    ),
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_what_is_refused(row: tuple[Any, str]) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        parse_expression(row[0], field="e")
    assert caught.value.problem.field == row[1]


RESOLVED = {
    "fixed": "fixed",
    "": "",
    "${pod/qosclass}": "Burstable",
    "${pod/labels/io.test/tier}:${name}": "back:main",
    "$pod/namespace$pod/name": "shopdb-0",
    "$pod/labels/io.test/tier$name": "backmain",
    "${pod/owner}${pod/name}": "db-0",
    "$$$$": "$$",
    "a$$": "a$",
    "$${name}": "${name}",
    "{}$name": "{}main",
    "${name}-x": "main-x",
}


@pytest.mark.parametrize(("template", "text"), RESOLVED.items())
def test_resolve(template: str, text: str) -> None:
    check_template(template)
    assert resolve(template, SUBJECT) == text


@pytest.mark.parametrize("template", ["a$", "${name", "${a$name}", "${a{b}", "$a}", "${}", "$ab{c"])
def test_templates_that_make_no_sense(template: str) -> None:
    with pytest.raises(HomenodeProblem, match="invalid substitution"):
        check_template(template)


def test_strict_wants_every_reference() -> None:
    assert resolve("${name}", SUBJECT, strict=True) == "main"
    with pytest.raises(HomenodeProblem, match="unresolvable key 'labels/app'"):
        resolve("${labels/app}", SUBJECT, strict=True)


def _parsed(key: str, operator: str, values: list[str]) -> Expression:
    return parse_expression({"key": key, "operator": operator, "values": values}, field="e")
