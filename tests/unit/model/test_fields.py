# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door for untrusted structures: typed, bounded, and every message with the whole path."""

from __future__ import annotations

from typing import Any

import pytest

from model.fields import MAX_TEXT, Fields
from model.problem import HomenodeProblem


def fields(**values: Any) -> Fields:
    return Fields(values, source="f.json", path="top")


def test_what_is_there_is_given_as_it_is() -> None:
    read = fields(text="x", yes=True, number=7, inner={"a": 1})
    assert read.text("text", "") == "x"
    assert read.boolean("yes", False) is True
    assert read.integer("number", 0, minimum=7, maximum=7) == 7
    inner = read.section("inner")
    assert inner is not None
    assert inner.name("a") == "top.inner.a"
    read.refuse_unknown()


def test_what_is_not_there_has_its_default() -> None:
    read = fields(nothing=None)
    assert read.text("text", "d") == "d"
    assert read.boolean("yes", True) is True
    assert read.integer("number", 3, minimum=0, maximum=9) == 3
    assert read.section("inner") is None
    assert read.section("nothing") is None


@pytest.mark.parametrize("value", [None, 1, True, [], {}])
def test_no_text(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"f\.json: top\.k .*: is not a text"):
        fields(k=value).text("k", "")


@pytest.mark.parametrize("value", [None, 0, 1, "true", []])
def test_no_boolean(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k .*neither true nor false"):
        fields(k=value).boolean("k", False)


@pytest.mark.parametrize("value", [None, "1", 1.0, [], float("nan")])
def test_no_number(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k .*is not a whole number"):
        fields(k=value).integer("k", 0, minimum=0, maximum=9)


@pytest.mark.parametrize("value", [-1, 10, 1 << 70, True, False])
def test_out_of_bounds(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k .*use a number from 0 to 9"):
        fields(k=value).integer("k", 0, minimum=0, maximum=9)


def test_a_text_has_an_end() -> None:
    assert fields(k="x" * MAX_TEXT).text("k", "") == "x" * MAX_TEXT
    with pytest.raises(HomenodeProblem, match="is longer than 4096 characters"):
        fields(k="x" * (MAX_TEXT + 1)).text("k", "")


def test_choices() -> None:
    assert fields(k="a").text("k", "", choices=("a", "b")) == "a"
    with pytest.raises(HomenodeProblem, match="use one of: a, b"):
        fields(k="c").text("k", "", choices=("a", "b"))


@pytest.mark.parametrize("value", [1, "x", [1], True])
def test_a_section_that_is_no_mapping(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k .*is not a mapping"):
        fields(k=value).section("k")


def test_a_file_that_is_no_mapping() -> None:
    with pytest.raises(HomenodeProblem, match=r"f: \(whole file\) "):
        Fields([], source="f")


def test_a_key_that_nobody_read_is_refused_with_those_that_are_known() -> None:
    read = fields(colour=1, b=2)
    read.integer("b", 0, minimum=0, maximum=9)
    read.text("a", "")
    with pytest.raises(
        HomenodeProblem, match=r'top\.colour "1": is not a known key; known here: a, b'
    ):
        read.refuse_unknown()


@pytest.mark.parametrize("key", [5, None, ("a",)])
def test_a_key_that_is_no_text_is_refused(key: Any) -> None:
    with pytest.raises(HomenodeProblem, match="is not a known key"):
        Fields({key: 1}, source="f").refuse_unknown()


def test_lists() -> None:
    read = fields(names=["a", "b"], rules=[{"x": 1}], nothing=None)
    assert read.texts("names", most=2) == ("a", "b")
    assert [rule.name("x") for rule in read.sections("rules", most=1)] == ["top.rules[0].x"]
    assert read.texts("absent", most=1) == read.texts("nothing", most=1) == ()
    read.refuse_unknown()


@pytest.mark.parametrize("value", ["ab", {"a": 1}, 1, ["a", 1], [None], ["a", "b", "c"]])
def test_no_list_of_two_texts(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k "):
        fields(k=value).texts("k", most=2)


def test_no_list_of_mappings() -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k\[1\] .*is not a mapping"):
        fields(k=[{}, 1]).sections("k", most=2)


def test_short_forms_of_mappings() -> None:
    read = fields(caches=["0-7", 8, {"cpus": "9"}])
    caches = read.sections("caches", most=3, short="cpus")
    assert [one.scalar("cpus", "") for one in caches] == ["0-7", "8", "9"]
    assert caches[1].name("cpus") == "top.caches[1].cpus"


def test_scalars_are_what_people_wrote() -> None:
    read = fields(text="0-3", number=8, fraction=1.5, yes=True, nothing=None)
    named = ("text", "number", "fraction", "yes", "nothing", "absent")
    assert [read.scalar(key, "d") for key in named] == ["0-3", "8", "1.5", "true", "d", "d"]


@pytest.mark.parametrize("value", [[], {}, "x" * (MAX_TEXT + 1)])
def test_no_scalar(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k "):
        fields(k=value).scalar("k", "")


def test_a_mapping_for_another_reader() -> None:
    read = fields(spec={"a": [1]}, nothing=None)
    assert read.mapping("spec") == {"a": [1]}
    assert read.mapping("nothing") == read.mapping("absent") == {}
    read.refuse_unknown()
    with pytest.raises(HomenodeProblem, match=r"top\.k .*is not a mapping"):
        fields(k=[]).mapping("k")


def test_rows() -> None:
    read = fields(matrix=[[10, 11], [11, 10]])
    assert read.rows("matrix", most=2) == ((10, 11), (11, 10))
    assert read.rows("absent", most=2) == ()


@pytest.mark.parametrize("value", [1, [1], [[True]], [["1"]], [[1.0]], [[1, 2, 3]], [[]] * 3])
def test_no_rows(value: Any) -> None:
    with pytest.raises(HomenodeProblem, match=r"top\.k "):
        fields(k=value).rows("k", most=2)


def test_names_of_ones_own() -> None:
    assert fields(b=1, a=2).names() == ("b", "a")
    with pytest.raises(HomenodeProblem, match=r"is no \(short\) name"):
        Fields({1: 2}, source="f").names()


def test_scalars_are_texts_of_what_yaml_made_of_them() -> None:
    assert fields(k=["a", 1, True, 0.5]).scalars("k", most=4) == ("a", "1", "true", "0.5")
    with pytest.raises(HomenodeProblem, match=r"top\.k .*is not a text"):
        fields(k=[[]]).scalars("k", most=4)


def test_keys_are_spelt_as_known_and_nulls_left_out() -> None:
    given = fields(PinCPU=1, pinMEMORY=2, pinMemory=3, other=4, nothing=None)
    read = given.spelt_as(("pinCPU", "pinMemory", "nothing"))
    assert read.names() == ("pinCPU", "pinMemory", "other")
    assert read.integer("pinMemory", 0, minimum=0, maximum=9) == 3
    assert read.source == "f.json"
