# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults of the wire, with the real agent: pods start, the agent lives, and one line says why.

F1 to F6 are the faults of the specification (users.md C.3).
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_runtime import CreationFailed
from fake_runtime.in_process import Served
from fake_runtime.node import Node
from fake_runtime.trunk import RpcError
from homenode.runtime.wire import MAX_FRAME_BYTES
from model.cpuset import CpuSet
from model.events import NO_CHANGE, ContainerCreating, Event, Reply
from model.workload import Placement

PATIENCE_S = 0.6
"""How long the fake runtime of the slow tests waits for an answer, in seconds; a real one: 2."""


@pytest.fixture
def hasty(tmp_path: Path, machine: dict[str, str]) -> Iterator[Node]:
    """A node whose runtime has little patience."""
    with Node(tmp_path, machine, request_timeout_s=PATIENCE_S) as one:
        yield one


def test_the_socket_is_absent_at_start(node: Node) -> None:
    """One line where the user looks, and nothing more until it is there."""
    node.runtime.stop()
    node.socket.unlink()
    node.agent.start()
    status = node.wait_for_status(lambda status: "no runtime" in status["agent"]["runtime"])
    assert not status["agent"]["connected"]
    time.sleep(0.5)
    node.runtime.start()
    node.runtime.wait_for_plugins()
    node.wait_for_status(lambda status: bool(status["agent"]["connected"]))
    journal = (node.agent.state_dir / "journal.jsonl").read_text()
    assert journal.count("no runtime answers") == 1


def test_f1_killed_inside_create_container(node: Node) -> None:
    node.start()
    pod = node.runtime.run_pod("web")
    node.runtime.on_call = lambda method: node.agent.freeze() if "Create" in method else None
    kill = threading.Timer(0.2, lambda: node.agent.stop(signal.SIGKILL))
    kill.start()
    container = node.runtime.create_container(pod, "app", cpu=2)
    kill.join()
    node.runtime.on_call = lambda method: None
    assert container.placement == ("", "")
    assert container.latency_s < 1.8
    began = time.monotonic()
    node.start()
    assert time.monotonic() - began < 8
    assert len(CpuSet.parse(container.cpus)) == 2
    assert container.mems


def test_f2_frozen_agent_is_cut_off_and_repairs_when_it_thaws(hasty: Node) -> None:
    hasty.start()
    hasty.agent.freeze()
    pods = [hasty.runtime.run_pod(f"p{number}") for number in range(5)]
    containers = [hasty.runtime.create_container(pod, "app", cpu=1) for pod in pods]
    assert [container.placement for container in containers] == [("", "")] * 5
    assert sum("TimeoutError" in failure for failure in hasty.runtime.failures) == 1
    hasty.agent.thaw()
    hasty.runtime.wait_for_plugins()
    owned = [CpuSet.parse(container.cpus) for container in containers]
    assert [len(cpus) for cpus in owned] == [1] * 5
    assert len(CpuSet(cpu for cpus in owned for cpu in cpus)) == 5


def test_f3_the_runtime_is_killed_and_started_again_later(node: Node) -> None:
    node.start()
    container = node.runtime.create_container(node.runtime.run_pod("web"), "app", cpu=2)
    before = container.placement
    node.runtime.stop()
    node.wait_for_status(lambda status: not status["agent"]["connected"])
    time.sleep(1.0)
    began = time.monotonic()
    node.runtime.start()
    node.runtime.wait_for_plugins()
    assert time.monotonic() - began < 5
    assert container.placement == before
    assert container.writes == 0


def test_f4_a_runtime_that_forgot_us(tmp_path: Path, machine: dict[str, str]) -> None:
    """Registered, configured, never synchronized, the socket open: as containerd 1.7.24 does."""
    with Node(tmp_path, machine, nri=(0, 6), synchronizes=False) as node:
        node.agent.start()
        deadline = time.monotonic() + 5
        while not node.runtime.forgotten and time.monotonic() < deadline:
            time.sleep(0.02)
        node.runtime.synchronizes = True
        node.runtime.wait_for_plugins(timeout_s=12)
        assert node.runtime.registrations == 2
        assert node.runtime.create_container(node.runtime.run_pod("web"), "app").mems


def test_f5_a_second_plugin_sets_the_same(node: Node) -> None:
    """The runtime fails the creation without telling us why; the status names the suspicion."""

    def pin(event: Event, deadline: float) -> Reply:
        if isinstance(event, ContainerCreating):
            return Reply(Placement(CpuSet([0])))
        return NO_CHANGE

    node.start()
    pod = node.runtime.run_pod("web")
    with Served(node.socket, plugin_name="sample", plugin_index="95") as other:
        other.decide = pin
        node.runtime.wait_for_plugins(2)
        with pytest.raises(CreationFailed, match="both tried to set cpus"):
            node.runtime.create_container(pod, "app", cpu=1)
        status = node.wait_for_status(lambda status: bool(status["failed"]))
    [failed] = status["failed"]
    assert failed["container"] == "default/web/app"
    assert "two plugins" in failed["remedy"]
    node.runtime.wait_for_plugins(1)
    container = node.runtime.create_container(pod, "app", cpu=1)
    assert len(CpuSet.parse(container.cpus)) == 1
    node.wait_for_status(lambda status: not status["failed"])


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(struct.pack(">II", 1, MAX_FRAME_BYTES + 1), id="16 MiB + 11"),
        pytest.param(struct.pack(">II", 1, 4096) + b"cut short", id="truncated"),
        pytest.param(bytes(range(256)) * 64, id="noise"),
        pytest.param(b"\xff" * 100_000, id="ones"),
        pytest.param(
            struct.pack(">II", 1, 20) + struct.pack(">IIBB", 10, 1, 1, 0) + b"\xff" * 10,
            id="no protobuf",
        ),
    ],
)
def test_f6_garbage_frames(node: Node, garbage: bytes) -> None:
    node.start()
    container = node.runtime.create_container(node.runtime.run_pod("web"), "app", cpu=1)
    before, memory = container.placement, node.process().memory_info().rss
    [plugin] = node.runtime.plugins
    plugin.trunk.send_bytes(garbage)
    plugin.trunk.close()
    node.runtime.wait_for_plugins(0)
    node.runtime.wait_for_plugins(1)
    assert container.placement == before
    assert node.process().memory_info().rss - memory < 4 << 20
    assert "Traceback" not in node.agent.output()


def test_f6_the_largest_messages_stay_within_the_units_memory(node: Node) -> None:
    """MemoryMax is 64 MiB: frames that nobody wants, a call nobody knows, an event of ballast."""
    node.start()
    [plugin] = node.runtime.plugins
    for _time in range(4):
        plugin.trunk.send_bytes(struct.pack(">II", 9, 1 << 24) + bytes(1 << 24))
    with pytest.raises(RpcError, match="12"):
        plugin.trunk.call("MethodOfTheFuture", bytes((1 << 24) - 200), 5)
    unknown_field = b"\x42\x7e" + bytes(126)
    for _time in range(2):
        assert plugin.trunk.call("CreateContainer", unknown_field * ((1 << 17) - 8), 5) == b""
    assert node.runtime.plugins == [plugin]
    assert peak_bytes(node.agent.pid) < 64 << 20


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(
        int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")
    )


def test_two_agents_at_once(node: Node) -> None:
    """The second refuses with the first one's pid."""
    node.start()
    second = node.another_agent("second", pid_file=node.agent.pid_file)
    second.start()
    assert second.wait() != 0
    assert str(node.agent.pid) in second.output()
    assert len(node.runtime.plugins) == 1
    assert node.runtime.create_container(node.runtime.run_pod("web"), "app").mems


HOSTILE = {
    "256 KiB": {"prefer-reserved-cpus.cri-resource-manager.intel.com/pod": "x" * (256 << 10)},
    "huge range": {"cpu.preserve.resource-policy.nri.io/pod": "0-4294967295"},
    "NUL": {"cpu.preserve.resource-policy.nri.io": "tr\x00ue"},
    "1e309": {"cpu.preserve.resource-policy.nri.io": "1e309"},
    "YAML anchors": {"cpu.preserve.resource-policy.nri.io": "&a [*a,*a]"},
    "newline": {"cpu.preserve.resource-policy.nri.io": "true\nhomenode: forged line"},
    "ten thousand": {f"k{number}.nri.io/pod": "v" * 20 for number in range(10_000)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_f7_hostile_annotations(node: Node, name: str) -> None:
    """Defaults are used, the container starts, and nobody's log is forged."""
    node.start()
    pod = node.runtime.run_pod("web", annotations=HOSTILE[name])
    container = node.runtime.create_container(pod, "app", cpu=2)
    assert container.adjusted
    assert len(CpuSet.parse(container.cpus)) == 2
    assert container.latency_s < 0.5
    assert "\nhomenode: forged" not in node.agent.output()
    assert node.runtime.failures == []


@pytest.mark.parametrize(
    ("qos", "cpu"),
    [("Guaranteed", 1e6), ("Guaranteed", 0.001), ("Burstable", 1e9), ("BestEffort", 64)],
)
def test_absurd_resources(node: Node, qos: str, cpu: float) -> None:
    node.start()
    pod = node.runtime.run_pod("web", qos=qos)
    container = node.runtime.create_container(pod, "app", cpu=cpu, memory=1 << 60)
    assert container.state == "running"
    assert container.cpus == "0-15"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two pages, already full."""
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs: mounting a tmpfs")
    (folder / "filler").write_bytes(bytes(8192))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_disk_full_under_the_state_folder(node: Node, full_disk: Path) -> None:
    """It pins on, and says in its status that it has no memory."""
    node.agent = node.another_agent("agent", state_dir=full_disk)
    node.start()
    container = node.runtime.create_container(node.runtime.run_pod("web"), "app", cpu=2)
    assert len(CpuSet.parse(container.cpus)) == 2
    status = node.wait_for_status(lambda status: bool(status["agent"]["problems"]))
    assert "space" in str(status["agent"]["problems"])
    assert "Traceback" not in node.agent.output()
    before = container.placement
    node.agent.restart(signal.SIGKILL)
    node.runtime.wait_for_plugins()
    assert container.placement == before


def test_a_stopped_agent_leaves_within_a_second(node: Node) -> None:
    node.start()
    began = time.monotonic()
    assert node.agent.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 4
    assert not os.path.exists(node.agent.pid_file)
