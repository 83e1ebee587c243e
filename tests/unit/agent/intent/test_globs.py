# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Globs: each row is what Go's path/filepath.Match answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.intent.globs import MAX_PATTERN, glob_matches, is_glob

MATCH = [
    ("", ""), ("*", ""), ("*", "abc"), ("a*", "a"), ("*a", "bba"), ("**a", "ba"), ("x**", "x"),
    ("a*b*c", "axxbyc"), ("*b*b", "abbb"), ("?b", "ab"), ("[a-c]x", "bx"), ("[^a]", "b"),
    ("[^a]", "/"), ("[a\\]]", "]"), ("\\*", "*"), ("a/*/c", "a/b/c"), ("[c-aB]", "B"),
    ("[^c-a]", "x"), ("[tf][ao][go]*", "tag2"), ("infra-*", "infra-"),
]  # fmt: skip
NO_MATCH = [
    ("", "a"), ("?", ""), ("?", "/"), ("*", "a/b"), ("a*/c", "a/b/c"), ("a*b*c", "axxbyd"),
    ("[c-a]", "b"), ("ab", "abc"), ("*a*", "b/a"), ("[!a]", "b"),
]  # fmt: skip
MALFORMED = ["[", "[]", "[^]", "[a", "[a-]", "[-a]", "a\\", "*[^]**", "x" * (MAX_PATTERN + 1)]


@pytest.mark.parametrize(("pattern", "text"), MATCH)
def test_matches(pattern: str, text: str) -> None:
    assert glob_matches(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), NO_MATCH)
def test_matches_not(pattern: str, text: str) -> None:
    assert not glob_matches(pattern, text)
    assert is_glob(pattern)


@pytest.mark.parametrize("pattern", MALFORMED)
def test_malformed_matches_nothing(pattern: str) -> None:
    assert not is_glob(pattern)
    assert not glob_matches(pattern, pattern)


@given(st.text(alphabet="*?[]^-\\ab/", max_size=40), st.text(alphabet="ab/]^-", max_size=40))
def test_no_pattern_raises(pattern: str, text: str) -> None:
    assert glob_matches(pattern, text) in (True, False)


@given(st.text(max_size=20).filter(lambda text: "/" not in text))
def test_an_escaped_text_matches_itself_and_a_star_all(text: str) -> None:
    assert glob_matches("".join("\\" + char for char in text), text)
    assert glob_matches("*", text)


def test_many_stars_cost_nothing() -> None:
    assert not glob_matches("*a" * 250, "a" * 249 + "b" * 4096)
