# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that cannot work are refused with their name."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.runtime.settings import NriSettings
from model.problem import HomenodeProblem


@pytest.mark.parametrize(
    "values",
    [
        {"plugin_index": "9"},
        {"plugin_index": "100"},
        {"plugin_index": "9a"},
        {"plugin_index": "٠١"},
        {"plugin_name": ""},
        {"answer_budget_s": 0},
        {"retry_longest_s": float("nan")},
        {"registration_wait_s": -1},
    ],
)
def test_refused(values: dict[str, Any]) -> None:
    with pytest.raises(HomenodeProblem, match=next(iter(values))):
        NriSettings(**values)
