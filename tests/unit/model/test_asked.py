# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What containers ask for, and the QoS class that follows from it."""

from __future__ import annotations

import pytest

from model.asked import CPU, MEMORY, Amount, millis, qos_class, read_amounts
from model.fields import Fields
from model.problem import HomenodeProblem
from model.quantity import Quantity

ALL = {"cpu": "1", "memory": "1G"}
CLASSES = {
    "nothing": ([{}], "BestEffort"),
    "zeros": ([{"requests": {"cpu": "0"}}], "BestEffort"),
    "limits alone set the requests": ([{"limits": ALL}], "Guaranteed"),
    "equal in other words": ([{"requests": {"cpu": "1000m"}, "limits": ALL}], "Guaranteed"),
    "no memory limit": ([{"limits": {"cpu": "1"}}], "Burstable"),
    "less requested": ([{"requests": {"cpu": "500m"}, "limits": ALL}], "Burstable"),
    "one of two": ([{"limits": ALL}, {}], "Burstable"),
    "other resources do not count": ([{"limits": {"nvidia.com/gpu": 1}}], "BestEffort"),
}


@pytest.mark.parametrize("row", CLASSES.values(), ids=CLASSES)
def test_qos_class(row: tuple[list[dict[str, dict[str, object]]], str]) -> None:
    containers, expected = row
    asked = [read_amounts(Fields(one, source="f")) for one in containers]
    assert qos_class(asked) == expected


def test_amounts_are_exact() -> None:
    values = {"requests": {"cpu": 2}, "limits": {"cpu": "2500.5m", "memory": "1Gi"}}
    asked = read_amounts(Fields(values, source="f"))
    assert asked[CPU] == Amount(Quantity.of(2), Quantity.parse("2500.5m"))
    assert asked[MEMORY].request == asked[MEMORY].limit == Quantity.of(1 << 30)
    assert millis(asked[CPU].limit) == 2501


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"limits": {"cpu": "x"}}, "limits.cpu"),
        ({"limits": {"cpu": "-1"}}, "limits.cpu"),
        ({"limits": "x"}, "limits"),
        ({"limits": {"cpu": 1}, "requests": {"cpu": 2}}, "requests"),
    ],
)
def test_refused(values: dict[str, object], field: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        read_amounts(Fields(values, source="f"))
    assert caught.value.problem.field == field
