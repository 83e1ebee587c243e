# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container gets over the real wire, and that it stays where it is whatever restarts."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from fake_runtime import FakeContainer
from fake_runtime.node import Node
from model.cpuset import CpuSet

NODE_CPUS = {0: CpuSet.parse("0-3"), 1: CpuSet.parse("4-7"), 2: CpuSet.parse("8-11")}
NODE_CPUS[3] = CpuSet.parse("12-15")


def cpus(container: FakeContainer) -> CpuSet:
    return CpuSet.parse(container.cpus)


def populate(node: Node) -> list[FakeContainer]:
    """Two containers with CPUs of their own, two that share."""
    runtime = node.runtime
    return [
        runtime.create_container(runtime.run_pod("one"), "app", cpu=1, memory=1 << 30),
        runtime.create_container(runtime.run_pod("two"), "app", cpu=2, memory=1 << 30),
        runtime.create_container(runtime.run_pod("burst", qos="Burstable"), "app", cpu=0.5),
        runtime.create_container(runtime.run_pod("best", qos="BestEffort"), "app", cpu=0),
    ]


def test_guaranteed_whole_cpus_are_pinned_to_one_node_and_the_rest_shares(node: Node) -> None:
    node.start()
    one, two, burstable, best_effort = populate(node)
    for container, count in ((one, 1), (two, 2)):
        home = int(container.mems)
        assert len(cpus(container)) == count
        assert cpus(container) <= NODE_CPUS[home]
    assert one.mems != two.mems, "the node with the most room"
    shared = CpuSet.parse("0-15") - cpus(one) - cpus(two)
    assert cpus(burstable) == cpus(best_effort) == shared
    assert node.runtime.failures == []


def test_a_pods_exit_gives_its_cpus_back_to_those_who_share(node: Node) -> None:
    node.start()
    one, two, burstable, _best_effort = populate(node)
    node.runtime.remove_pod(one.pod)
    node.runtime.remove_pod(two.pod)
    assert cpus(burstable) == CpuSet.parse("0-15")


def test_those_who_share_make_room_while_a_container_is_created(node: Node) -> None:
    node.start()
    runtime = node.runtime
    burstable = runtime.create_container(runtime.run_pod("b", qos="Burstable"), "app", cpu=0.5)
    assert cpus(burstable) == CpuSet.parse("0-15")
    pinned = runtime.create_container(runtime.run_pod("g"), "app", cpu=2)
    assert not cpus(burstable) & cpus(pinned)


def test_more_than_the_machine_has_is_created_and_shares(node: Node) -> None:
    node.start()
    runtime = node.runtime
    containers = [
        runtime.create_container(runtime.run_pod(f"g{number}"), "app", cpu=3) for number in range(8)
    ]
    own = [container for container in containers if len(cpus(container)) == 3]
    assert len(own) == 4
    taken = CpuSet(cpu for container in own for cpu in cpus(container))
    assert len(taken) == 12
    assert all(cpus(c) == CpuSet.parse("0-15") - taken for c in containers if c not in own)


def test_an_override_of_the_kubelets_update_keeps_the_pin(node: Node) -> None:
    node.start()
    runtime = node.runtime
    container = runtime.create_container(runtime.run_pod("g"), "app", cpu=2)
    before = container.placement
    runtime.update_container(container, cpu=2)
    assert container.placement == before


def lose_state(node: Node) -> None:
    shutil.rmtree(node.agent.state_dir)


@pytest.mark.parametrize(
    ("how", "between"),
    [
        pytest.param(signal.SIGTERM, lambda node: None, id="SIGTERM"),
        pytest.param(signal.SIGKILL, lambda node: None, id="SIGKILL"),
        pytest.param(signal.SIGKILL, lose_state, id="state lost"),
    ],
)
def test_a_restart_of_the_agent_moves_nothing(
    node: Node, how: signal.Signals, between: Any
) -> None:
    node.start()
    for _time in range(3):
        populate(node)
    before = node.runtime.placements()
    writes = [container.writes for container in node.runtime.containers.values()]
    node.agent.stop(how)
    node.runtime.wait_for_plugins(0)
    between(node)
    node.start()
    assert node.runtime.placements() == before
    assert [container.writes for container in node.runtime.containers.values()] == writes
    fresh = node.runtime.create_container(node.runtime.run_pod("fresh"), "app", cpu=1)
    others = [cpus(c) for c in node.runtime.containers.values() if c.mems and c is not fresh]
    assert not any(cpus(fresh) & other for other in others), "adopted CPUs are still owned"


def test_a_restart_of_the_runtime_moves_nothing(node: Node) -> None:
    """F3: five times, with ten pods."""
    node.start()
    for _time in range(3):
        populate(node)
    before = node.runtime.placements()
    for _time in range(5):
        node.runtime.restart()
        node.runtime.wait_for_plugins()
        assert node.runtime.placements() == before
    assert node.agent.process is not None
    assert node.agent.process.poll() is None


def test_pods_of_the_gap_are_pinned_when_the_agent_is_back(node: Node) -> None:
    node.start()
    populate(node)
    node.agent.stop(signal.SIGKILL)
    node.runtime.wait_for_plugins(0)
    late = node.runtime.create_container(node.runtime.run_pod("late"), "app", cpu=2)
    assert late.placement == ("", "")
    node.start()
    assert len(cpus(late)) == 2
    assert cpus(late) <= NODE_CPUS[int(late.mems)]


def test_our_agent_reads_back_what_it_granted(node: Node, tmp_path: Path) -> None:
    node.start()
    populate(node)
    status = node.wait_for_status(lambda status: len(status["containers"]) == 4)
    assert {item["name"] for item in status["containers"]} == {
        "default/one/app",
        "default/two/app",
        "default/burst/app",
        "default/best/app",
    }
    assert all(item["problems"] == [] for item in status["containers"])
