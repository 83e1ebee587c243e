# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent under real runtimes: what containers get, and that bad luck moves none of them.

One guest per runtime, with two pods that live through all tests: a bystander with a CPU of its
own, which nothing may change, and a neighbour that shares the rest.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

TESTS = Path(__file__).resolve().parents[1]
for _folder in ("plugins/module_utils", "files/agent"):
    sys.path.insert(0, str(TESTS.parent / _folder))

from fake_runtime.in_process import Served  # noqa: E402
from fake_runtime.node import Node as FakeNode  # noqa: E402
from host_files import from_recording  # noqa: E402
from lab.agent_in_guest import ARCHIVE, STATE, Agent, Seen, seen  # noqa: E402
from lab.cri import Cri, RunningPod, single_container  # noqa: E402
from lab.fixtures import on_guests  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.pods import Pod, container_config, sandbox_config  # noqa: E402
from lab.problem import LabProblem  # noqa: E402
from lab.second_plugin import decoded  # noqa: E402
from model.cpuset import CpuSet  # noqa: E402
from model.events import ContainerCreating  # noqa: E402
from tools.artifacts import build_agent  # noqa: E402

ALL_CPUS = CpuSet.parse("0-3")
EVERYTHING = ("0-3", "0-1")
HOMES = {"0": CpuSet.parse("0-1"), "1": CpuSet.parse("2-3")}
NOTES = "/root/notes"

on_both = on_guests("2n 1.7", "2n 2.x")


class Node:
    """A guest with the agent, its two pods, and the pods of the test at hand."""

    def __init__(self, guest: Guest, agent: Agent, cri: Cri) -> None:
        self.guest, self.agent, self.cri = guest, agent, cri
        self.bystander = cri.create_pod("bystander", cpu="1", memory="64Mi")
        self.neighbour = cri.create_pod("neighbour", cpu="500m", memory="32Mi", qos="Burstable")
        self.extra: list[RunningPod] = []

    def pod(self, name: str, **asked: Any) -> RunningPod:
        """A pod that goes with the test; with no figures it is BestEffort."""
        pod = self.cri.create_pod(name, **asked)
        self.extra.append(pod)
        return pod

    def pinned(self, name: str, **asked: Any) -> RunningPod:
        """A pod that is due two CPUs of its own."""
        return self.pod(name, cpu="2", memory="64Mi", **asked)

    def seen(self, *pods: RunningPod) -> list[Seen]:
        """What these pods have now."""
        return seen(self.guest, *pods)

    def remove(self, pod: RunningPod) -> None:
        """End a pod of the test."""
        pod.remove()
        self.extra.remove(pod)

    def until_pinned(self, pod: RunningPod) -> Seen:
        """Wait until its two CPUs are its own, and memory comes from their node."""
        until(lambda: len(CpuSet.parse(self.seen(pod)[0].cpus)) == 2)
        [found] = self.seen(pod)
        assert_pinned(found, 2)
        return found


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent as it is shipped."""
    target = tmp_path_factory.mktemp("agent") / "homenode.pyz"
    build_agent(target)
    return target


@pytest.fixture(scope="module")
def company(module_guest: Guest, archive: Path) -> Iterator[Node]:
    """The node of all tests, with a plugin beside the agent that writes down what it is told."""
    agent = Agent(module_guest, archive)
    with agent.second_plugin("note", NOTES), module_guest.cri() as cri:
        yield Node(module_guest, agent, cri)


@pytest.fixture
def node(company: Node) -> Iterator[Node]:
    """The same, and afterwards: the agent runs, the bystander is as it was, no fault was logged."""
    before = company.seen(company.bystander)
    yield company
    company.agent.start()
    for pod in list(company.extra):
        company.remove(pod)
    assert company.seen(company.bystander) == before
    assert "Traceback" not in company.guest.run("journalctl -u homenode --no-pager -o cat")


def until(wanted: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait for it."""
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def assert_pinned(found: Seen, count: int) -> None:
    """CPUs and memory of one node, in the cgroup and in the process."""
    cpus = CpuSet.parse(found.cpus)
    assert len(cpus) == count
    assert cpus <= HOMES[found.mems]
    assert found.effective == found.process == (found.cpus, found.mems)


@on_both
def test_every_class_runs_where_the_agent_says(node: Node, tmp_path: Path) -> None:
    best_effort, two = node.pod("best-effort"), node.pinned("two")
    pods = (node.bystander, node.neighbour, best_effort, two)
    found = dict(zip((pod.pod.name for pod in pods), node.seen(*pods)))
    assert_pinned(found["bystander"], 1)
    assert_pinned(found["two"], 2)
    rest = ALL_CPUS - CpuSet.parse(found["bystander"].cpus) - CpuSet.parse(found["two"].cpus)
    for name in ("neighbour", "best-effort"):
        assert found[name].process == found[name].effective == (str(rest), "0-1")
    inside = two.execute("grep", "s_allowed_list", "/proc/self/status").stdout.split()
    assert (inside[1], inside[3]) == (found["two"].cpus, found["two"].mems)
    the_agent_shows_the_same(node.agent, found)
    the_fake_runtime_agrees(node.guest, found, tmp_path)
    node.remove(two)
    [neighbour] = node.seen(node.neighbour)
    assert neighbour.process == (str(ALL_CPUS - CpuSet.parse(found["bystander"].cpus)), "0-1")


def the_agent_shows_the_same(agent: Agent, found: dict[str, Seen]) -> None:
    """Status, explanation and metrics, beside what the cgroups say."""
    status = agent.status()
    assert {item["name"]: item["actual"] for item in status["containers"]} == {
        f"default/{name}/main": {"cpus": one.effective[0], "mems": one.effective[1]}
        for name, one in found.items()
    }
    assert all(item["verified"] and not item["problems"] for item in status["containers"])
    assert status["agent"]["problems"] == status["failed"] == []
    told = agent.ask("explain two")
    assert f"cgroup   cpus {found['two'].cpus}, mems {found['two'].mems} (as granted)" in told
    families = {one.name: one for one in text_string_to_metric_families(agent.metrics())}
    for name, wanted in (
        ("homenode_container_cpus", {n: len(CpuSet.parse(s.cpus)) for n, s in found.items()}),
        ("homenode_container_verified", dict.fromkeys(found, 1)),
    ):
        samples = families[name].samples
        assert {one.labels["pod"]: one.value for one in samples} == wanted


def the_fake_runtime_agrees(guest: Guest, found: dict[str, Seen], tmp_path: Path) -> None:
    """The wire tests' runtime tells the agent the same, and the agent places the same."""
    notes = [json.loads(line) for line in guest.run(f"cat {NOTES}").splitlines()]
    recording = "/root/guest.machine"
    guest.run(f"python3 -I {ARCHIVE} facts --record {recording}")
    texts = from_recording(guest.run(f"cat {recording}"))
    with FakeNode(tmp_path, texts) as fake:
        fake.start()
        with Served(fake.socket, plugin_index="10") as noting:
            fake.runtime.wait_for_plugins(2)
            for name, qos, cpu, mib in (
                ("bystander", "Guaranteed", 1, 64),
                ("neighbour", "Burstable", 0.5, 32),
                ("best-effort", "BestEffort", 0, 0),
                ("two", "Guaranteed", 2, 64),
            ):
                pod = fake.runtime.run_pod(name, qos=qos)
                fake.runtime.create_container(pod, "main", cpu=cpu, memory=mib << 20)
            placed = {one.pod.name: one.placement for one in fake.runtime.containers.values()}
        creations = [one for one in noting.events if isinstance(one, ContainerCreating)]
    assert placed == {name: (one.cpus, one.mems) for name, one in found.items()}
    assert [decoded(event) for event in creations] == notes


@on_both
def test_a_restart_of_the_runtime_moves_nothing(node: Node) -> None:
    """F3. The pod that comes afterwards is pinned, although its annotations are hostile."""
    with node.agent.never_changing([node.bystander, node.neighbour]):
        for _time in range(2):
            node.guest.run("systemctl restart containerd")
            node.agent.wait_for_connection()
    hostile = {
        "cpu.preserve.resource-policy.nri.io": "true\x1b[2J\n! forged: line",
        "note": "x" * (250 << 10),
    }
    assert_pinned(node.seen(node.pinned("next", annotations=hostile))[0], 2)
    told = node.agent.ask("status")
    assert "neither true nor false" in told
    assert "\x1b" not in told
    assert "\n! forged" not in told
    assert node.agent.show("NRestarts") == "0"


@on_both
def test_killed_inside_a_creation(node: Node) -> None:
    """F1. The container starts unpinned, and is placed when the agent is back."""
    container = single_container("", cpu="2", memory="64Mi")
    late = RunningPod(node.cri, Pod("late", str(uuid.uuid4()), [container]))
    node.extra.append(late)
    node.guest.run(f"mkdir -p {late.pod.log_directory}/main")
    config = sandbox_config(late.pod)
    late.sandbox_id = node.cri.call("RunPodSandbox", config=config).pod_sandbox_id
    node.agent.signal("STOP")
    kill = threading.Timer(1.0, node.agent.kill)
    kill.start()
    made = node.cri.call(
        "CreateContainer",
        pod_sandbox_id=late.sandbox_id,
        config=container_config(late.pod, container, node.cri.capacity),
        sandbox_config=config,
    )
    kill.join()
    late.container_ids["main"] = made.container_id
    node.cri.call("StartContainer", container_id=made.container_id)
    [found] = node.seen(late)
    assert found.process == EVERYTHING
    node.agent.start()
    assert node.until_pinned(late).pid == found.pid


@on_both
def test_no_restart_of_the_agent_moves_anything(node: Node) -> None:
    """F9, F30: killed, and the ledger is gone, or of a version that is not known."""
    pods = [node.bystander, node.neighbour, node.pinned("two")]
    with node.agent.never_changing(pods):
        node.agent.kill_and_spoil(f"rm {STATE}/ledger.json")
        node.agent.kill_and_spoil(f"""echo '{{"schema": 99}}' > {STATE}/ledger.json""")
        status = node.agent.status()
    assert [problem["field"] for problem in status["agent"]["problems"]] == ["ledger"]
    assert all(item["verified"] for item in status["containers"])
    assert status["exclusive_cpus"] == str(ALL_CPUS - CpuSet.parse(status["shared_cpus"]))
    assert len(CpuSet.parse(status["exclusive_cpus"])) == 3


@on_both
def test_frozen_while_a_pod_is_created(node: Node) -> None:
    """F2. The runtime gives up on the agent, which repairs when it thaws."""
    pid = node.agent.show("MainPID")
    node.agent.signal("STOP")
    late = node.pinned("late")
    [found] = node.seen(late)
    assert found.process == EVERYTHING
    node.agent.signal("CONT")
    assert node.until_pinned(late).pid == found.pid
    assert node.agent.show("MainPID") == pid


@on_guests("2n 2.x")
def test_frozen_for_good(node: Node) -> None:
    """F2. systemd's watchdog ends it and starts it again."""
    node.agent.limit("WatchdogSec=8")
    pid = node.agent.stored_status()["agent"]["pid"]
    with node.agent.never_changing([node.bystander, node.neighbour]):
        node.agent.signal("STOP")
        node.agent.wait_for_connection(other_than=pid)
    node.agent.limit()


@on_both
def test_a_rival_plugin_is_named_and_can_be_yielded_to(node: Node) -> None:
    """F5. Two plugins set the CPUs: the creation fails; without pin_cpu we set memory alone."""
    container = single_container("", cpu="1", memory="64Mi")
    with node.agent.second_plugin("pin", "0"):
        rival = RunningPod(node.cri, Pod("rival", str(uuid.uuid4()), [container]))
        node.extra.append(rival)
        with pytest.raises(LabProblem, match="both tried to set"):
            rival.start()
        [failed] = node.agent.wait(lambda status: bool(status["failed"]))["failed"]
        assert failed["container"] == "default/rival/main"
        assert failed["field"] == "cpuset"
        assert len(CpuSet.parse(failed["value"])) == 1
        assert "set pinning.pin_cpu to false" in failed["remedy"]
        assert "! default/rival/main: cpuset" in node.agent.ask("status")
        node.agent.configure(pin_cpu=False)
        [found] = node.seen(node.pod("yielded", cpu="1", memory="64Mi"))
        assert found.process[0] == "0"
        assert found.mems in HOMES
    node.agent.configure()


@on_both
def test_churn_in_a_small_service(node: Node) -> None:
    """F13, F29: cgroups come and go faster than they are read, with little memory and files."""
    node.agent.limit("MemoryMax=32M", "LimitNOFILE=64")
    pods = [node.pod(f"churn-{number}") for number in range(2)]
    threads = [threading.Thread(target=churn, args=(node, pod, 10)) for pod in pods]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pod in pods:
        node.remove(pod)
    kept = {node.bystander.container_id, node.neighbour.container_id}
    status = node.agent.wait(
        lambda status: (
            {item["id"] for item in status["containers"]} == kept and not status["failed"]
        )  # what never started is told until its pod is gone
    )
    assert status["agent"]["problems"] == []
    assert {grant["container_id"] for grant in node.agent.stored_grants()} == kept
    assert node.agent.show("NRestarts") == "0"
    cgroup = f"/sys/fs/cgroup{node.agent.show('ControlGroup')}"
    assert "oom_kill 0" in node.guest.run(f"cat {cgroup}/memory.events")
    node.agent.limit()


def churn(node: Node, pod: RunningPod, times: int) -> None:
    """Create and remove containers in a pod; only every third one is ever started."""
    container = single_container("", cpu="1", memory="16Mi")
    for number in range(times):
        config = container_config(pod.pod, container, node.cri.capacity)
        config["metadata"]["name"] = f"churn-{number}"
        made = node.cri.call(
            "CreateContainer",
            pod_sandbox_id=pod.sandbox_id,
            config=config,
            sandbox_config=sandbox_config(pod.pod),
        ).container_id
        if not number % 3:
            node.cri.call("StartContainer", container_id=made)
        node.cri.call("RemoveContainer", container_id=made)


@on_both
def test_the_service_has_no_privileges(node: Node) -> None:
    """Security 1, 2: root without root's capabilities, without network, and its state its own."""
    pid = node.agent.show("MainPID")
    told = dict(re.findall(r"^(\w+):\s+(\S+)$", node.guest.run(f"cat /proc/{pid}/status"), re.M))
    assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0
    assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
    assert node.guest.run(f"cat /proc/{pid}/net/dev").count(":") == 1  # its own loopback
    modes = node.guest.run(f"stat -c %a {STATE} {STATE}/*").split()
    assert modes == ["700", *["600"] * (len(modes) - 1)]


@on_both
def test_stop_changes_nothing_and_undo_gives_everything_back(company: Node) -> None:
    """F30. A later update by the kubelet does not bring the cpuset back either."""
    pods = (company.bystander, company.neighbour)
    before = company.seen(*pods)
    company.agent.stop()
    assert company.seen(*pods) == before
    told = company.guest.run(f"python3 -I {ARCHIVE} undo")
    assert "the runtime was told" in told
    for pod in pods:
        assert f"default/{pod.pod.name}/main: given back, read again" in told
    after = company.seen(*pods)
    assert [one.process for one in after] == [EVERYTHING] * 2
    assert [one.pid for one in after] == [one.pid for one in before]
    for pod in pods:
        company.cri.update(pod.container_id, cpu_shares=512)
    assert [one.process for one in company.seen(*pods)] == [EVERYTHING] * 2
    assert company.guest.run(f"python3 -I {ARCHIVE} undo").strip() == "nothing to give back"


@on_guests("none 2.x")
def test_without_numa_cpus_are_kept_apart_and_memory_is_left(node: Node) -> None:
    """F24."""
    bystander, neighbour = node.seen(node.bystander, node.neighbour)
    assert len(CpuSet.parse(bystander.cpus)) == 1
    assert CpuSet.parse(neighbour.cpus) == ALL_CPUS - CpuSet.parse(bystander.cpus)
    assert bystander.mems == neighbour.mems == ""
    assert all(item["verified"] for item in node.agent.status()["containers"])
