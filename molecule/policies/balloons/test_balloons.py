# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same node after a change of policy: nobody was restarted, and balloons take new pods."""

from __future__ import annotations

import json
from typing import Any

import pytest
from guest_state import guest, processes_of_before, read_state, recorded
from testinfra.host import Host

OLD = {f"default/{pod}/main" for pod in ("early", "bystander", "late", "sharing")}


@pytest.fixture(scope="module")
def status(host: Host) -> dict[str, Any]:
    """After two more pods, in a namespace that a type of balloons is for."""
    with guest().cri() as cri:
        for number in range(2):
            cri.create_pod(f"db-{number}", namespace="databases", cpu="1", memory="32Mi")
    found: dict[str, Any] = json.loads(host.check_output("homenode status --json"))
    return found


@pytest.fixture(scope="module")
def seen(status: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in status["containers"]}


def test_each_database_has_a_balloon_of_its_own(seen: dict[str, Any]) -> None:
    found = [seen[f"databases/db-{number}/main"] for number in range(2)]
    assert [one["place"] for one in found] == ["database[0]", "database[1]"]
    for one in found:
        first, last = map(int, one["actual"]["cpus"].split("-"))
        assert last - first == 1
        assert one["actual"]["mems"] == str(first // 4)
        assert one["verified"]


def test_who_ran_before_is_in_the_other_balloon(
    status: dict[str, Any], seen: dict[str, Any]
) -> None:
    assert {seen[name]["place"] for name in OLD} == {"rest[0]"}
    assert all(seen[name]["verified"] for name in OLD)
    assert status["agent"]["problems"] == []


def test_no_process_was_restarted(seen: dict[str, Any]) -> None:
    assert set(seen) >= OLD
    assert processes_of_before(read_state()) == processes_of_before(recorded())
