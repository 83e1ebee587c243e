# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter cpuset_reserved: its answer, and how it complains."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import cpuset_reserved

FILTER = cpuset_reserved.FilterModule().filters()["cpuset_reserved"]
NUMA = {
    "nodes": [{"id": 0, "cpus": "0-1,4-5"}, {"id": 1, "cpus": "2-3,6-7"}],
    "cpus": {"online": "0-7", "isolated": "", "siblings": ["0,4", "1,5", "2,6", "3,7"]},
}


@pytest.mark.parametrize(
    ("arguments", "options", "wanted"),
    [
        ((2,), {}, "0,4"),
        (("2",), {}, "0,4"),
        ((4, "spread"), {}, "0,2,4,6"),
        ((4,), {"placement": "spread"}, "0,2,4,6"),
        ((3,), {"whole_cores": False}, "0-1,4"),
    ],
)
def test_cpus_are_chosen(arguments: tuple[Any, ...], options: dict[str, Any], wanted: str) -> None:
    assert FILTER(NUMA, *arguments, **options) == wanted


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((3,), 'count "3": divides a core; the next number that does not is 4'),
        ((0,), 'count "0": is not a whole number of at least 1'),
        (("two",), 'count "two"'),
        ((2, "even"), 'placement "even": is not a known choice; use one of: packed, spread'),
        ((2, "packed", "no"), 'whole_cores "no"'),
    ],
)
def test_a_bad_value_is_named(arguments: tuple[Any, ...], why: str) -> None:
    with pytest.raises(AnsibleFilterError) as error:
        FILTER(NUMA, *arguments)
    assert f"homenode.numa.cpuset_reserved: {why}" in str(error.value)
