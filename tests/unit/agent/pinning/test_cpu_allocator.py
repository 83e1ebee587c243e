# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs of a free set: four cores of two threads, 0 and 4 are one core, and so on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.pinning.cpu_allocator import pick
from model.cpuset import CpuSet

CORES = tuple(CpuSet((core, core + 4)) for core in range(4))

ROWS = {
    "a whole core for two": ("0-7", 2, "1,5"),
    "siblings but one for three": ("0-7", 3, "1-2,5"),
    "two whole cores for four": ("0-7", 4, "1-2,5-6"),
    "the first core comes last": ("0-7", 7, "0-3,5-7"),
    "all": ("0-7", 8, "0-7"),
    "one thread of a core nobody uses": ("0-7", 1, "1"),
    "a partly used core before a whole one": ("0,2-4,6-7", 1, "2"),
    "what is left over first": ("0,3-4,6-7", 1, "6"),
    "a whole core before two halves": ("1-3,7", 2, "3,7"),
    "halves where no core is whole": ("1-3", 2, "1-2"),
    "a core, and a half that was left over": ("1-3,7", 3, "1,3,7"),
    "the half of the first core comes last too": ("0-3", 2, "1-2"),
    "the first core where no other is whole": ("0-1,4", 2, "0,4"),
    "nothing asked": ("0-7", 0, ""),
    "fewer than asked": ("2-3", 5, "2-3"),
    "nothing there": ("", 2, ""),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row: tuple[str, int, str]) -> None:
    free, count, chosen = row
    assert str(pick(CpuSet.parse(free), CORES, count)) == chosen


def test_a_machine_that_tells_no_cores() -> None:
    assert str(pick(CpuSet.parse("2-5"), (), 2)) == "2-3"


@settings(deadline=None)
@given(st.sets(st.integers(0, 7)), st.integers(0, 9))
def test_as_many_as_there_are_and_none_but_free_ones(free: set[int], count: int) -> None:
    chosen = pick(CpuSet(free), CORES, count)
    assert chosen <= CpuSet(free)
    assert len(chosen) == min(count, len(free))
