# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Affinities in both forms, and what refuses a container's entry."""

from __future__ import annotations

import pytest

from homenode.intent.annotation_values import MAX_STRUCTURE
from homenode.intent.nri_plugins import tenant_intent
from homenode.intent.tenant import Affinity, Expression

FOR, AGAINST = "resource-policy.nri.io/affinity", "resource-policy.nri.io/anti-affinity"
OLD = "cri-resource-manager.intel.com/affinity"
MATCH = "{key: name, operator: Equals, values: [x]}"
X = Expression("name", "Equals", ("x",))

SIMPLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "said by the container": ("c: [a, b]", ("a", "b")),
    "said by the other": ("a: [c]\nb: [c, d]", ("a", "b")),
    "said by both": ("c: [a]\na: [c]", ("a",)),
    "not said": ("a: [b]", ()),
    "nothing": ("c: []", ()),
    "nothing at all": ("", ()),
    "a number as a name": ("c: [1]", ("1",)),
}


@pytest.mark.parametrize("row", SIMPLE.values(), ids=SIMPLE)
def test_simple_form(row: tuple[str, tuple[str, ...]]) -> None:
    text, names = row
    for key, weight in ((FOR, 1), (AGAINST, -1)):
        intent = tenant_intent({key: text}, "c")
        assert intent.problems == ()
        operator = "Equals" if len(names) == 1 else "In"
        expected = (Affinity(None, Expression("name", operator, names), weight),)
        assert intent.affinities == (expected if names else None)


WEIGHTS = {
    "": 1,
    "weight: 0": 1,
    "weight: 7": 7,
    "weight: -7": -7,
    "weight: 5000": 1000,
    "weight: -5000": -1000,
}


@pytest.mark.parametrize(("text", "weight"), WEIGHTS.items())
def test_weights_are_clamped_and_turned(text: str, weight: int) -> None:
    value = f"c:\n- match: {MATCH}\n  {text}\n"
    assert tenant_intent({FOR: value}, "c").affinities == (Affinity(None, X, weight),)
    assert tenant_intent({AGAINST: value}, "c").affinities == (Affinity(None, X, -weight),)


def test_scopes_and_both_annotations() -> None:
    scope = "{key: namespace, operator: In, values: ['*']}"
    intent = tenant_intent(
        {FOR: f"c: [{{scope: {scope}, match: {MATCH}}}]", AGAINST: "c: [a]"}, "c"
    )
    assert intent.affinities == (
        Affinity(Expression("namespace", "In", ("*",)), X, 1),
        Affinity(None, Expression("name", "Equals", ("a",)), -1),
    )


def test_the_newer_domain_wins() -> None:
    (found,) = tenant_intent({OLD: "c: [a]", FOR: "c: [b]"}, "c").affinities or ()
    assert found.match.values == ("b",)
    (older,) = tenant_intent({OLD: "c: [a]"}, "c").affinities or ()
    assert older.match.values == ("a",)


REFUSED = {
    "YAML that is none": "c: [ ",
    "no mapping": "- c",
    "an unknown key": f"c:\n- sope: {MATCH}\n",
    "no match": "c:\n- weight: 3\n",
    "a text for a list": "c: nonsense",
    "a wrong operator": "c: [{match: {key: name, operator: Is, values: [x]}}]",
    "a wrong key": "c: [{match: {key: colour, operator: Exists}}]",
    "a weight that is none": f"c: [{{match: {MATCH}, weight: heavy}}]",
    "a weight beyond 32 bits": f"c: [{{match: {MATCH}, weight: 4294967296}}]",
    "mixed forms": f"c: [x]\nd: [{{match: {MATCH}}}]",
    "more than anybody needs": "c:\n" + f"- match: {MATCH}\n" * 65,
    "of hostile size": "c: [" + "a," * MAX_STRUCTURE + "]",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused_with_one_warning(text: str) -> None:
    intent = tenant_intent({FOR: text, AGAINST: "c: [a]"}, "c")
    (problem,) = intent.problems
    assert problem.field.startswith(FOR)
    assert [affinity.weight for affinity in intent.affinities or ()] == [-1]
    assert intent.demand is None


def test_a_wrong_entry_is_its_containers_affair() -> None:
    text = f"c: [{{match: {MATCH}}}]\nd: [{{match: 1}}]"
    assert tenant_intent({FOR: text}, "c").problems == ()
    assert len(tenant_intent({FOR: text}, "d").problems) == 1
