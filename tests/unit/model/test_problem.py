# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A problem in one line that nobody can forge, and the door that makes problems of wrong input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.problem import SHOWN_CHARACTERS, HomenodeProblem, Problem, shown


def test_a_problem_names_source_field_value_why_and_remedy() -> None:
    problem = Problem("a.b", "7", "is odd", "write 8", "f.json")
    assert str(problem) == 'f.json: a.b "7": is odd; write 8'
    assert str(Problem("a", "7", "is odd", "write 8")) == 'a "7": is odd; write 8'


def test_a_problem_is_json_clean() -> None:
    problem = Problem("a", "x" * 1000, "w", "r", "s")
    parts = json.loads(json.dumps(problem.as_dict()))
    assert parts == {**vars(problem), "value": "x" * SHOWN_CHARACTERS}


SHOWN = {
    "plain": "plain",
    'quo"te': 'quo\\"te',
    "new\nline": "new\\nline",
    "\x1b[2J": "\\x1b[2J",
    "\u202e": "\\u202e",
    "é": "\\xe9",
}


@pytest.mark.parametrize("text", SHOWN)
def test_a_value_is_quoted_and_escaped(text: str) -> None:
    assert shown(text) == f'"{SHOWN[text]}"'


def test_a_value_of_another_type() -> None:
    assert shown([1, None]) == '"[1, None]"'
    assert shown(None) == '"None"'


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_value_is_one_short_printable_line(text: str) -> None:
    line = shown(text)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 10 * SHOWN_CHARACTERS + 20


@pytest.mark.parametrize("value", [{"a": 1}, 5, None, "text"])
def test_the_exception_carries_the_problem(value: Any) -> None:
    error = HomenodeProblem("a", value, "is wrong", "mend it", source="f")
    assert isinstance(error.problem.value, str)
    assert str(error) == str(error.problem)
    assert error.problem.source == "f"
