# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nine defects that were seen live in other policies (a to i), each as what must be instead.

Over the real wire, under every policy. Those of a single event are also in unit tests.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_runtime import CreationFailed, FakeContainer
from fake_runtime.node import Node
from fakes.machines import machine_files, sockets
from fakes.policies import SPECS
from model.cpuset import CpuSet

POLICIES = ("home-node", *SPECS)


def config(policy: str, **spec: object) -> dict[str, object]:
    if policy not in SPECS:
        return {"pinning": {"policy": policy}}
    return {"pinning": {"policy": policy, "spec": {**SPECS[policy], **spec}}}


@pytest.fixture(params=POLICIES)
def node(request: pytest.FixtureRequest, tmp_path: Path, machine: dict[str, str]) -> Iterator[Node]:
    """A node per policy, whose agent is not started yet."""
    with Node(tmp_path, machine, config=config(request.param)) as one:
        yield one


def policy_of(node: Node) -> str:
    return str(json.loads(node.config_file.read_text())["pinning"]["policy"])


def cpus(container: FakeContainer) -> CpuSet:
    return CpuSet.parse(container.cpus)


def create(node: Node, name: str, cpu: float, qos: str = "Guaranteed") -> FakeContainer:
    return node.runtime.create_container(node.runtime.run_pod(name, qos=qos), "app", cpu=cpu)


def populate(node: Node) -> list[FakeContainer]:
    """Guaranteed, Burstable and BestEffort, with and without CPUs of their own."""
    made = []
    for number in range(4):
        made += [
            create(node, f"g{number}", (1, 2, 0.5, 1.5)[number]),
            create(node, f"b{number}", 0.25, "Burstable"),
            create(node, f"e{number}", 0, "BestEffort"),
        ]
    return made


def wait_until_synchronized_again(node: Node) -> None:
    node.runtime.wait_for_plugins(0)
    node.runtime.wait_for_plugins(1)


@pytest.mark.parametrize("state", ["kept", "lost"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_no_restart_moves_a_running_pod(node: Node, how: signal.Signals, state: str) -> None:
    node.start()
    made = populate(node)
    node.runtime.remove_pod(made.pop(4).pod)
    before = [(one.placement, one.shares) for one in made]
    writes = [one.writes for one in made]
    for _time in range(2):
        node.agent.stop(how)
        if state == "lost":
            (node.agent.state_dir / "ledger.json").unlink(missing_ok=True)
        node.start()
    assert [(one.placement, one.shares) for one in made] == before
    assert [one.writes for one in made] == writes


def test_b_pods_made_without_the_agent_are_pinned_when_it_is_back(node: Node) -> None:
    node.start()
    create(node, "before", 2)
    node.agent.stop()
    late = [create(node, "late", 1), create(node, "burst", 0.5, "Burstable")]
    assert [one.placement for one in late] == [("", "")] * 2
    node.start()
    assert all(one.cpus for one in late)


def test_c_best_effort_never_gets_what_somebody_owns(node: Node) -> None:
    node.start()
    _fill(node)
    best_effort = create(node, "e", 0, "BestEffort")
    assert cpus(best_effort)
    status = node.wait_for_status(lambda status: "default/e/app" in str(status["containers"]))
    owned = CpuSet.parse(status["exclusive_cpus"])
    assert not cpus(best_effort) & owned
    assert len(owned) == {"home-node": 15, "topology-aware": 15, "balloons": 0}[policy_of(node)]


def _fill(node: Node) -> list[FakeContainer]:
    """One Guaranteed container per CPU, as long as they get one for themselves."""
    made = []
    for number in range(16):
        try:
            made.append(create(node, f"g{number}", 1))
        except CreationFailed:
            break
        if len(cpus(made[-1])) > 1:
            node.runtime.remove_pod(made.pop().pod)
            break
    return made


@pytest.mark.parametrize(("qos", "cpu"), [("Burstable", 0.5), ("Burstable", 4), ("BestEffort", 0)])
def test_d_a_full_node_breaks_no_pod(node: Node, qos: str, cpu: float) -> None:
    node.start()
    _fill(node)
    if policy_of(node) == "balloons":
        cpu = min(cpu, 0.25)  # more is beyond what its balloon may have: the operator's limit
    late = create(node, "late", cpu, qos)
    assert late.state == "running"
    assert cpus(late)


def test_d_an_operators_limit_is_told_with_its_remedy(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    """maxBalloons is a limit that somebody set: the pod says so, and what would help."""
    types = [
        {"name": "db", "namespaces": ["default"], "minCPUs": 2, "maxCPUs": 2, "maxBalloons": 1}
    ]
    with Node(tmp_path, machine, config=config("balloons", balloonTypes=types)) as node:
        node.start()
        create(node, "first", 2)
        with pytest.raises(CreationFailed, match=r"no suitable balloon instance.*maxBalloons"):
            create(node, "second", 2)
        status = node.wait_for_status(lambda status: bool(status["failed"]))
        assert status["failed"][0]["container"] == "default/second/app"
        node.runtime.remove_pod(next(iter(node.runtime.pods.values())))
        assert len(cpus(create(node, "second", 2))) == 2


@pytest.mark.parametrize("policy", POLICIES)
def test_e_caches_with_one_id_give_no_cpu_twice(tmp_path: Path, policy: str) -> None:
    texts = machine_files(sockets(2, nodes=2, cores=4))
    for cpu in range(16):
        texts[f"/sys/devices/system/cpu/cpu{cpu}/cache/index3/id"] = "0\n"
    with Node(tmp_path, texts, config=config(policy)) as node:
        node.start()
        owned = [cpus(create(node, f"g{number}", 2)) for number in range(4)]
        if policy != "balloons":  # there they share a balloon
            assert sum(map(len, owned)) == len(CpuSet(cpu for one in owned for cpu in one)) == 8


def test_f_a_runtime_that_restarts_finds_the_agent_again(node: Node) -> None:
    node.start()
    made = populate(node)
    before = [one.placement for one in made]
    for _time in range(3):
        node.runtime.restart()
        node.runtime.wait_for_plugins()
    assert [one.placement for one in made] == before
    assert node.agent.process is not None
    assert node.agent.process.poll() is None
    assert create(node, "late", 1).cpus


def test_g_a_second_agent_breaks_no_creation(node: Node) -> None:
    node.start()
    second = node.another_agent("second", pid_file=node.agent.pid_file)
    second.start()
    assert second.wait() != 0
    assert create(node, "g", 1).cpus


def test_h_the_log_of_a_pods_life_does_not_grow_with_the_number_of_pods(node: Node) -> None:
    node.start()
    alone = _lines_of_a_life(node, "first")
    for number in range(40):
        create(node, f"e{number}", 0, "BestEffort")
    assert _lines_of_a_life(node, "last") <= alone + 4


def _lines_of_a_life(node: Node, name: str) -> int:
    """Journal lines from a pod's creation to its end."""

    def lines() -> list[str]:
        return (node.agent.state_dir / "journal.jsonl").read_text().splitlines()

    create(node, name + "-warm", 0, "BestEffort")
    node.wait_for(lambda: any(f"{name}-warm" in line for line in lines()))
    before = len(lines())
    one = create(node, name, 1)
    node.runtime.remove_pod(one.pod)
    node.wait_for(lambda: any("released" in line and f"/{name}/" in line for line in lines()))
    return len(lines()) - before


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_i_what_died_meanwhile_counts_no_capacity(node: Node, how: signal.Signals) -> None:
    node.start()
    owners = _fill(node)
    node.wait_for_status(lambda status: len(status["containers"]) == len(owners))
    node.agent.stop(how)
    for one in owners:
        node.runtime.remove_pod(one.pod)
    node.start()
    assert len(_fill(node)) == len(owners)
