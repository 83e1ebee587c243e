# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kubelet_numa restarts a kubelet: in order, only if needed, and back if it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roles.kubelet_node import LATENCY, Node
from roles.local_ansible import Ansible

ROLLOUT: dict[str, Any] = {
    **LATENCY,
    "kubelet_numa_restart": True,
    "kubelet_numa_drain": "kubectl",
    "kubelet_numa_node_name": "localhost",
}
EMPTY: dict[str, Any] = {
    **LATENCY,
    "kubelet_numa_restart": True,
    "kubelet_numa_node_is_empty": True,
}
MOST_TASKS = 12
CALLBACKS = Path(__file__).resolve().parents[1] / "tools/callback"
WAY = [
    "kubectl cordon localhost",
    "kubectl drain localhost",
    "systemctl stop",
    "systemctl start",
    "kubectl wait node/localhost",
    "kubectl uncordon localhost",
]


@pytest.fixture
def node(ansible: Ansible, tmp_path: Path) -> Iterator[Node]:
    found = Node(ansible, tmp_path / "node")
    found.kubelet.start()
    yield found
    found.kubelet.end()


def tasks_that_reach(node: Node, *flags: str, **variables: object) -> int:
    """How many tasks of a run that changes nothing are more than thoughts of the controller."""
    log = node.folder.parent / "tasks"
    node.ansible.environment.update(
        ANSIBLE_CALLBACK_PLUGINS=str(CALLBACKS),
        ANSIBLE_CALLBACKS_ENABLED="task_times",
        TASK_TIMES=str(log),
    )
    assert "changed=0" in node.apply(*flags, **variables)
    return sum(json.loads(line)["on_node"] for line in log.read_text().splitlines())


def policies(node: Node) -> list[str]:
    return [
        json.loads((node.config.parent / name).read_text())["policyName"]
        for name in ("cpu_manager_state", "memory_manager_state")
    ]


def test_a_life(node: Node) -> None:
    before = node.files()
    said = node.apply("--check", "--diff", **ROLLOUT)
    assert "cordon and drain localhost with kubectl" in said
    assert "move aside memory_manager_state" in said
    assert (node.kubelet.calls(), node.files()) == ([], before)

    said = node.apply(**ROLLOUT)
    assert "failed=0" in said
    assert node.kubelet.calls() == WAY
    assert policies(node) == ["static", "Static"]
    assert not node.kubelet.state()["cordoned"]

    written = node.files()
    assert "changed=0" in node.apply(**ROLLOUT)
    assert (node.kubelet.calls(), node.files()) == ([], written)

    assert "failed=0" in node.apply(**{**ROLLOUT, "kubelet_numa_state": "absent"})
    assert node.kubelet.calls() == WAY
    assert policies(node) == ["none", "None"]
    left = {name: text for name, text in node.files().items() if ".homenode-" not in name}
    assert left == before
    assert "changed=0" in node.apply(**{**ROLLOUT, "kubelet_numa_state": "absent"})


def test_state_goes_at_boot_with_a_static_manager(node: Node) -> None:
    helped = {**EMPTY, "kubelet_numa_boot_helper": "auto"}
    units = node.folder / "systemd"
    units.mkdir()
    assert "failed=0" in node.apply(**helped)
    unit = (units / "kubelet_numa-boot.service").read_text()
    assert "Before=kubelet.service" in unit and "WantedBy=kubelet.service" in unit
    (command,) = [line for line in unit.split("\n") if line.startswith("ExecStart=-")]
    archive = Path(command.split()[2])
    assert archive.is_file() and archive.is_relative_to(node.folder / "boot/lib")
    assert f"--state-dir {node.config.parent} " in unit
    again = node.apply(**helped)
    assert "changed=0" in again, again
    assert tasks_that_reach(node, "--check", **helped) <= MOST_TASKS

    assert "failed=0" in node.apply(**{**helped, "kubelet_numa_state": "absent"})
    assert not any(units.rglob("kubelet_numa-boot*"))
    assert not (node.folder / "boot/lib").exists()


def test_an_empty_node_is_not_drained(node: Node) -> None:
    assert "failed=0" in node.apply(**EMPTY)
    assert node.kubelet.calls() == ["systemctl stop", "systemctl start"]


def test_what_somebody_else_has_cordoned_stays_cordoned(node: Node) -> None:
    node.kubelet.set(cordoned=True)
    assert "failed=0" in node.apply(**ROLLOUT)
    assert node.kubelet.calls() == WAY[1:-1]
    assert node.kubelet.state()["cordoned"]


def test_a_node_that_does_not_drain_is_left_alone(node: Node) -> None:
    node.kubelet.set(stubborn=True)
    before = node.files()
    said = node.apply(**ROLLOUT)
    assert "violate the pod's disruption budget" in said
    assert "Nothing was written." in said
    assert node.files() == before
    assert node.kubelet.calls() == [*WAY[:2], "kubectl uncordon localhost"]
    assert not node.kubelet.state()["cordoned"]


def test_a_node_that_the_cluster_does_not_know(node: Node) -> None:
    said = node.apply(**{**ROLLOUT, "kubelet_numa_node_name": "elsewhere"})
    assert 'nodes "elsewhere" not found' in said
    assert node.kubelet.calls() == []
    assert not node.dropin.exists()


def test_a_kubelet_that_does_not_start_gets_its_files_back(node: Node) -> None:
    before = node.files()
    node.kubelet.refuse("Static")
    said = node.apply(**ROLLOUT)
    assert "it does not want to" in said
    assert "The former files are back and kubelet runs with them." in said
    assert "failed=1" in said
    assert node.files() == before
    # The service has failed by itself, so the way back starts with a start.
    starts = ["systemctl stop", "systemctl start", "systemctl start"]
    assert node.kubelet.calls() == [*WAY[:2], *starts, "kubectl uncordon localhost"]
    assert node.kubelet.state()["active"] == "active"
    assert not node.kubelet.state()["cordoned"]


def test_an_earlier_version_comes_back_too(node: Node) -> None:
    assert "failed=0" in node.apply(**EMPTY)
    before = node.files()
    node.kubelet.refuse("1Gi")
    changed = {**EMPTY, "kubelet_numa_system_reserved": {"memory": "1Gi"}}
    assert "The former files are back" in node.apply(**changed)
    assert node.files() == before
    assert node.kubelet.state()["active"] == "active"


def test_a_way_back_that_fails_leaves_the_node_cordoned(node: Node) -> None:
    node.kubelet.refuse("")
    said = node.apply(**ROLLOUT)
    assert "The way back failed too" in said
    assert node.kubelet.state()["cordoned"]


def test_a_write_without_a_restart_is_made_good_later(node: Node) -> None:
    node.apply(**{**EMPTY, "kubelet_numa_restart": False})
    assert node.kubelet.calls() == []
    assert "failed=0" in node.apply(**EMPTY)
    assert node.kubelet.calls() == ["systemctl stop", "systemctl start"]


def test_a_pod_that_is_refused_takes_it_back(node: Node) -> None:
    before = node.files()
    node.kubelet.set(probe={"phase": "Failed", "reason": "TopologyAffinityError"})
    said = node.apply(**ROLLOUT, kubelet_numa_probe_pod="registry.k8s.io/pause:3.10")
    assert "refused on localhost: TopologyAffinityError" in said
    assert node.files() == before
    node.kubelet.set(probe={"phase": "Running"})
    said = node.apply(**ROLLOUT, kubelet_numa_probe_pod="registry.k8s.io/pause:3.10")
    assert "failed=0" in said
