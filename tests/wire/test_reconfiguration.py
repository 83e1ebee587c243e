# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another configuration, or CPUs that come and go, while pods run; and what ``check`` foretells."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fake_runtime import FakeContainer
from fake_runtime.node import Node
from fake_runtime.process import tree_environment
from model.cpuset import CpuSet


def populate(node: Node) -> tuple[FakeContainer, FakeContainer]:
    """One with CPUs of its own, one that shares."""
    runtime = node.runtime
    one = runtime.create_container(runtime.run_pod("one"), "app", cpu=2, memory=1 << 30)
    shares = runtime.create_container(runtime.run_pod("burst", qos="Burstable"), "app", cpu=0.5)
    return one, shares


def configure_stopped(node: Node, pinning: Any) -> None:
    """Write the configuration for the next start."""
    node.config_file.write_text(json.dumps({"pinning": pinning}))


def configure(node: Node, pinning: Any) -> None:
    """Write the configuration, and tell the agent."""
    configure_stopped(node, pinning)
    os.kill(node.agent.pid, signal.SIGHUP)


def check(node: Node, file: Path) -> subprocess.CompletedProcess[str]:
    words = ("config", "check", str(file), "--pid-file", str(node.agent.pid_file))
    return subprocess.run(
        [sys.executable, "-m", "homenode", *words],
        env=tree_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_configuration_holds_at_once_and_disturbs_nobody_who_can_stay(node: Node) -> None:
    node.start()
    one, shares = populate(node)
    before = one.placement
    configure(node, {"available_cpus": "0-11"})
    node.wait_for_status(lambda status: status["shared_cpus"] == "0,3-11")
    assert one.placement == before
    node.wait_for(lambda: shares.cpus == "0,3-11")
    late = node.runtime.create_container(node.runtime.run_pod("late"), "app", cpu=4)
    assert CpuSet.parse(late.cpus) <= CpuSet.parse("0-11")


@pytest.mark.parametrize(
    "text", ["{", '{"pinning": {"policy": "none"}}', '{"pinning": {"reserved_cpus": "x"}}']
)
def test_a_wrong_configuration_is_told_and_the_old_one_stays(node: Node, text: str) -> None:
    node.start()
    one, shares = populate(node)
    before = (one.placement, shares.placement)
    node.config_file.write_text(text)
    os.kill(node.agent.pid, signal.SIGHUP)
    node.wait_for_status(lambda status: bool(status["agent"]["problems"]))
    assert (one.placement, shares.placement) == before
    configure(node, {})
    node.wait_for_status(lambda status: not status["agent"]["problems"])


def test_sections_that_need_a_restart_are_told(node: Node) -> None:
    node.start()
    node.config_file.write_text(json.dumps({"nri": {"plugin_index": "77"}}))
    os.kill(node.agent.pid, signal.SIGHUP)
    status = node.wait_for_status(lambda status: bool(status["agent"]["problems"]))
    assert [one["field"] for one in status["agent"]["problems"]] == ["nri"]


def test_check_tells_who_would_move_and_moves_nobody(node: Node, tmp_path: Path) -> None:
    node.start()
    one, shares = populate(node)
    before = (one.placement, shares.placement)
    file = tmp_path / "new.json"
    file.write_text(json.dumps({"pinning": {"available_cpus": "0-11"}}))
    done = check(node, file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{file}: ok, 1 would move:",
        "default/burst/app: cpus 0,3-15 -> 0,3-11",
    ]
    assert (one.placement, shares.placement) == before


def test_cpus_go_and_come(node: Node) -> None:
    """F23: the shared set shrinks and grows, and nobody's set is ever empty."""
    node.start()
    one, shares = populate(node)
    online = node.host_root / "sys/devices/system/cpu/online"
    online.write_text("0-7\n")
    node.wait_for(lambda: shares.cpus == "0,3-7", timeout_s=15)
    online.write_text("0-15\n")
    node.wait_for(lambda: shares.cpus == "0,3-15", timeout_s=15)
    assert one.cpus == "1-2"
    assert one.writes == 0


TOPOLOGY_AWARE = """
# as in a cluster, and as a file
apiVersion: config.nri/v1alpha1
kind: TopologyAwarePolicy
metadata:
  name: default
spec:
  reservedResources:
    cpu: {reserved}
  pinCPU: true
  pinMemory: true
"""


def test_an_upstream_object_is_a_configuration_as_it_is(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    text = TOPOLOGY_AWARE.format(reserved="750m")
    with Node(tmp_path, machine, config_text=text) as node:
        node.start()
        one, _shares = populate(node)
        assert node.wait_for_status(lambda status: bool(status["containers"]))["pinning"] == (
            "topology-aware"
        )
        before = one.placement
        node.config_file.write_text(TOPOLOGY_AWARE.format(reserved="cpuset:99"))
        os.kill(node.agent.pid, signal.SIGHUP)
        status = node.wait_for_status(lambda status: bool(status["agent"]["problems"]))
        assert "invalid reserved cpuset" in str(status["agent"]["problems"])
        node.config_file.write_text(TOPOLOGY_AWARE.format(reserved="cpuset:0"))
        os.kill(node.agent.pid, signal.SIGHUP)
        node.wait_for_status(lambda status: not status["agent"]["problems"])
        assert one.placement == before


def test_another_policy_while_pods_run(node: Node) -> None:
    """Who has CPUs of its own keeps them: topology-aware takes over what home-node gave."""
    node.start()
    one, _shares = populate(node)
    before = one.placement
    configure(node, {"policy": "topology-aware", "spec": {"reservedResources": {"cpu": "1"}}})
    node.wait_for_status(lambda status: status["pinning"] == "topology-aware")
    assert one.placement == before
    late = node.runtime.create_container(node.runtime.run_pod("late"), "app", cpu=2)
    assert not CpuSet.parse(late.cpus) & CpuSet.parse(one.cpus)


SPEC = {"reservedResources": {"cpu": "1"}, "pinCPU": True, "pinMemory": True}
POLICIES: dict[str, dict[str, Any]] = {
    "home-node": {"policy": "home-node"},
    "topology-aware": {"policy": "topology-aware", "spec": SPEC},
    "balloons": {"policy": "balloons", "spec": SPEC},
}


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(POLICIES, 2)))
def test_a_restart_into_another_policy_is_as_a_reload(
    tmp_path: Path, machine: dict[str, str], old: str, new: str
) -> None:
    """The runtime tells what the old one set; nobody takes that for the kubelet's choice."""
    ends = []
    for way in ("reload", "restart"):
        with Node(tmp_path / way, machine) as node:
            configure_stopped(node, POLICIES[old])
            node.start()
            populate(node)
            node.wait_for_status(lambda status: len(status["containers"]) == 2)
            if way == "reload":
                configure(node, POLICIES[new])
            else:
                node.agent.stop()
                node.runtime.wait_for_plugins(0)
                configure_stopped(node, POLICIES[new])
                node.start()
            status = node.wait_for_status(
                lambda status: status["pinning"] == new and len(status["containers"]) == 2
            )
            ends.append(
                {one["name"]: (one["place"], one["granted"]) for one in status["containers"]}
            )
    assert ends[0] == ends[1]
    assert all(granted for _place, granted in ends[0].values())
