# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPU sets: the kernel's list format, and the algebra of sets judged by Python's own."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.cpuset import MAX_ID, CpuSet, NodeSet
from model.problem import HomenodeProblem

ids = st.frozensets(st.integers(0, 300), max_size=40) | st.frozensets(st.integers(0, MAX_ID))

LISTS = {
    "empty": ("", []),
    "only a newline": ("\n", []),
    "one": ("7", [7]),
    "run": ("0-3", [0, 1, 2, 3]),
    "run of one": ("5-5", [5]),
    "mixed": ("0-1,8,10-11\n", [0, 1, 8, 10, 11]),
    "unordered and twice": ("9,3-4,4", [3, 4, 9]),
    "spaces": (" 1, 3 ", [1, 3]),
    "leading zeros": ("007", [7]),
    "strided": ("0-9:2/4", [0, 1, 4, 5, 8, 9]),
    "strided to the end": ("3-8:1/3", [3, 6]),
    "highest": (str(MAX_ID), [MAX_ID]),
}

NO_LISTS = {
    "letters": "zz",
    "negative": "-1",
    "open run": "3-",
    "backwards": "4-2",
    "empty part": "1,,2",
    "comma at the end": "1,",
    "too high": str(MAX_ID + 1),
    "far too high": "0-99999",
    "huge number": "9" * 40,
    "stride of nothing": "0-7:0/4",
    "stride above its group": "0-7:5/4",
    "hexadecimal mask": "0x3",
    "arabic digits": "٣",
    "space inside": "1 2",
    "plus": "+1",
}


@pytest.mark.parametrize(("text", "members"), LISTS.values(), ids=LISTS.keys())
def test_a_list_is_read(text: str, members: list[int]) -> None:
    assert list(CpuSet.parse(text)) == members


@pytest.mark.parametrize("text", NO_LISTS.values(), ids=NO_LISTS.keys())
def test_what_is_no_list_is_refused_by_field_and_value(text: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        CpuSet.parse(text, field="cpulist")
    assert (caught.value.problem.field, caught.value.problem.value) == ("cpulist", text)
    assert caught.value.problem.remedy


@given(ids)
@example(frozenset())
def test_printed_and_read_again_is_the_same(members: frozenset[int]) -> None:
    printed = str(CpuSet(members))
    assert CpuSet.parse(printed) == CpuSet(members)
    assert str(CpuSet.parse(printed)) == printed


@given(ids)
def test_printing_is_canonical(members: frozenset[int]) -> None:
    """Ascending, and no two neighbours could have been one run."""
    ends = []
    for part in filter(None, str(CpuSet(members)).split(",")):
        first, _dash, last = part.partition("-")
        ends.append((int(first), int(last or first)))
    assert all(first <= last for first, last in ends)
    assert all(last + 1 < first for (_first, last), (first, _last) in zip(ends, ends[1:]))


@given(ids, ids)
def test_the_algebra_is_that_of_sets(one: frozenset[int], other: frozenset[int]) -> None:
    a, b = CpuSet(one), CpuSet(other)
    assert set(a | b) == one | other
    assert set(a & b) == one & other
    assert set(a - b) == one - other
    assert (a <= b) == (one <= other)
    assert (a == b) == (one == other)
    assert len(a) == len(one)
    assert bool(a) == bool(one)


@given(ids, st.integers(0, 50))
def test_the_lowest_are_the_lowest(members: frozenset[int], count: int) -> None:
    assert list(CpuSet(members).lowest(count)) == sorted(members)[:count]


@given(ids, st.integers(0, MAX_ID))
def test_membership(members: frozenset[int], number: int) -> None:
    assert (number in CpuSet(members)) == (number in members)


@given(ids)
def test_equal_sets_are_one_key(members: frozenset[int]) -> None:
    assert len({CpuSet(members), CpuSet(sorted(members)), CpuSet.parse(str(CpuSet(members)))}) == 1


@given(st.text(alphabet="0123456789,-:/ \nx", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert all(0 <= number <= MAX_ID for number in CpuSet.parse(text))
    except HomenodeProblem as error:
        assert error.problem.value == text


def test_results_keep_their_kind() -> None:
    assert isinstance(NodeSet([1]) | NodeSet([2]), NodeSet)
    assert repr(NodeSet([1, 2])) == "NodeSet('1-2')"


def test_a_set_cannot_change() -> None:
    with pytest.raises(AttributeError):
        CpuSet([1])._mask = 4
