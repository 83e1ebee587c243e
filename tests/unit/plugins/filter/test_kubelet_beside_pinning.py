# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that stands between kubelet settings and pinning."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import (
    kubelet_beside_pinning,
    kubelet_effective,
)

BESIDE = kubelet_beside_pinning.FilterModule().filters()["kubelet_beside_pinning"]
EFFECTIVE = kubelet_effective.FilterModule().filters()["kubelet_effective"]


def found(settings: dict[str, Any], **pinning: Any) -> dict[str, Any]:
    result: dict[str, Any] = BESIDE(EFFECTIVE(settings), **pinning)
    return result


def test_sets_notes_and_conflicts_come_out_as_plain_data() -> None:
    result = found({"cpuManagerPolicy": "static", "reservedSystemCPUs": "0,4"}, reserved_cpus="0")
    assert result["reserved_cpus"] == "0,4"
    assert [problem["field"] for problem in result["conflicts"]] == ["reserved_cpus"]
    assert len(result["notes"]) == 1


def test_nothing_is_said_where_nobody_meets() -> None:
    assert found({}) == {"conflicts": [], "notes": [], "reserved_cpus": ""}


@pytest.mark.parametrize("name", ["reserved_cpus", "available_cpus"])
def test_a_malformed_set_is_named(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match=name):
        found({}, **{name: "0-"})


def test_what_is_no_effective_configuration_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="kubelet_effective"):
        BESIDE([])
