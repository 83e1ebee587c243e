# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods under the topology-aware policy, by cgroups and by what the agent says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from guest_state import guest, processes_of_before, read_state, recorded
from testinfra.host import Host

SHARES = {"prefer-shared-cpus.resource-policy.nri.io/pod": "true"}


@pytest.fixture(scope="module")
def seen(host: Host) -> dict[str, dict[str, Any]]:
    """Containers by name, after two more pods; they stay for the next policy to deal with."""
    with guest().cri() as cri:
        cri.create_pod("late", cpu="2", memory="32Mi")
        cri.create_pod("sharing", cpu="2", memory="32Mi", annotations=SHARES)
    status = json.loads(host.check_output("homenode status --json"))
    assert status["agent"]["problems"] == []
    return {one["name"]: one for one in status["containers"]}


def test_whole_cpus_of_one_numa_node(host: Host, seen: dict[str, Any]) -> None:
    found = seen["default/late/main"]
    first, last = map(int, found["actual"]["cpus"].split("-"))
    assert found["exclusive"] == found["actual"]["cpus"]
    assert (last - first, first % 2) == (1, 0), "two threads of one core"
    assert found["actual"]["mems"] == str(first // 4)
    assert found["place"] == f"NUMA node #{first // 4}"
    assert found["place"] in host.check_output("homenode explain late")


def test_an_annotation_written_for_the_peer_is_obeyed(seen: dict[str, Any]) -> None:
    found = seen["default/sharing/main"]
    assert (found["exclusive"], found["verified"]) == ("", True)


def test_who_ran_before_runs_on(seen: dict[str, Any]) -> None:
    assert {"default/early/main", "default/bystander/main"} <= set(seen)
    assert processes_of_before(read_state()) == processes_of_before(recorded())
