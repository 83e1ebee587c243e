# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters for CPU lists: what they accept, what they give, what they say of nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter.cpuset import FilterModule

FILTERS = FilterModule().filters()

ROWS: dict[str, tuple[str, tuple[Any, ...], Any]] = {
    "expand": ("cpuset_expand", ("0-2,8",), [0, 1, 2, 8]),
    "expand nothing": ("cpuset_expand", ("",), []),
    "expand a number": ("cpuset_expand", (3,), [3]),
    "collapse numbers": ("cpuset_collapse", ([8, 2, 1, 0, 8],), "0-2,8"),
    "collapse a list": ("cpuset_collapse", ("3,1,2",), "1-3"),
    "collapse lists in a list": ("cpuset_collapse", (["0-1", ["4", 5]],), "0-1,4-5"),
    "collapse a generator": ("cpuset_collapse", (iter((1, 2)),), "1-2"),
    "collapse nothing": ("cpuset_collapse", ([],), ""),
    "union of two": ("cpuset_union", ("0-1", "1-3"), "0-3"),
    "union of one sequence": ("cpuset_union", (["0-1", "8"],), "0-1,8"),
    "union of many kinds": ("cpuset_union", ("0", 1, ["2", 3]), "0-3"),
    "intersect": ("cpuset_intersect", ("0-7", "2-5", [4, 5, 6]), "4-5"),
    "intersect nothing": ("cpuset_intersect", ("0-7", ""), ""),
    "intersect alone": ("cpuset_intersect", ("0-7",), "0-7"),
    "difference": ("cpuset_difference", ("0-7", "2-5", 7), "0-1,6"),
    "difference of strangers": ("cpuset_difference", ("0-1", "5"), "0-1"),
    "difference alone": ("cpuset_difference", ("0-1",), "0-1"),
}


@pytest.mark.parametrize(("name", "arguments", "result"), ROWS.values(), ids=ROWS.keys())
def test_a_row(name: str, arguments: tuple[Any, ...], result: Any) -> None:
    assert FILTERS[name](*arguments) == result


NONSENSE: dict[str, tuple[object, str]] = {
    "letters": ("zz", "neither a number nor a range"),
    "negative": (-1, "is not within 0 to 8191"),
    "too high": (8192, "is not within 0 to 8191"),
    "true": (True, "is of type bool"),
    "nothing": (None, "is of type NoneType"),
    "fraction": (1.5, "is of type float"),
    "mapping": ({"cpus": "0-1"}, "is of type dict"),
    "in a sequence": (["0-1", "x"], "neither a number nor a range"),
}


@pytest.mark.parametrize(("cpus", "why"), NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.parametrize("name", FILTERS)
def test_nonsense_is_told_by_filter_field_and_remedy(name: str, cpus: object, why: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](cpus)
    said = str(caught.value)
    assert said.startswith(f"homenode.numa.{name}: CPU list ")
    assert why in said and "a list like 0-3,8" in said


def test_nonsense_in_a_later_argument_is_told_too() -> None:
    for name in ("cpuset_union", "cpuset_intersect", "cpuset_difference"):
        with pytest.raises(AnsibleFilterError, match="zz"):
            FILTERS[name]("0-1", "0", "zz")
