# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a placement is worth: memory is where it was granted, and a long life leaves nothing behind.

On a machine with small and large nodes of memory only. The stage's bystander runs through all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
for _folder in ("plugins/module_utils", "files/agent"):
    sys.path.insert(0, str(TESTS.parent / _folder))

from lab.agent_in_guest import STATE  # noqa: E402
from lab.cri import RunningPod, single_container  # noqa: E402
from lab.fixtures import FULL, on_guests  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.pinning_stage import Stage  # noqa: E402
from lab.pods import Container, container_config, sandbox_config  # noqa: E402
from model.cpuset import NodeSet  # noqa: E402
from tools.artifacts import build_agent  # noqa: E402

MIB = 1 << 20
TOUCHED = 48 * MIB
TOUCHES = ("sh", "-c", f"(head -c {TOUCHED} /dev/zero; sleep inf) | tail -c {TOUCHED}")
"""A command that holds so much memory until it is ended: tail waits for more."""

ANONYMOUS = """
import sys
pages = {}
for pid in open(sys.argv[1] + "/cgroup.procs").read().split():
    for line in open(f"/proc/{pid}/numa_maps"):
        words = line.split()
        if any(word.startswith("anon=") for word in words) and "file=" not in line:
            size = next(int(w[18:]) for w in words if w.startswith("kernelpagesize_kB="))
            for word in words:
                if word[0] == "N" and "=" in word:
                    node, count = word[1:].split("=")
                    pages[node] = pages.get(node, 0) + int(count) * size * 1024
print(pages)
"""
"""Prints what the processes of a cgroup hold, in bytes by NUMA node."""

CYCLES = 200 if FULL else 100
POD_EVERY, START_EVERY = 25, 10
"""Of the cycles so many create a pod too, or also start their container."""

MOST_GROWTH_KIB = 3 << 10
"""Caches still fill up in so few lives; `make bench footprint` sees to it that they end."""

MOST_UNDO_BYTES = 70 * 500
"""The dead outnumber the living by 64 at most; a line is shorter than this."""

TYPES = "dram", "hbm", "pmem"

on_runtimes = on_guests(*["n6 1.7"] * FULL, "n6 2.x")


@pytest.fixture(scope="module")
def stage(module_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The agent of this tree, and its bystander."""
    archive = tmp_path_factory.mktemp("agent") / "homenode.pyz"
    build_agent(archive)
    made = Stage(module_guest, archive)
    yield made
    made.close()


@pytest.fixture(
    params=[
        ("topology-aware", {"reservedResources": {"cpu": "750m"}}),
        ("balloons", {"reservedResources": {"cpu": "750m"}, "balloonTypes": [{"name": "own"}]}),
    ],
    ids=["topology-aware", "balloons"],
)
def policy(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The stage under one policy; afterwards nothing that the test made."""
    assert stage.begin(*request.param) is None
    before = stage.settled()
    yield stage
    stage.end()
    assert stage.settled() == before
    assert "Traceback" not in stage.guest.run("journalctl -u homenode --no-pager -o cat")


@on_runtimes
def test_memory_comes_from_the_granted_nodes(policy: Stage) -> None:
    annotations = {f"memory-type.resource-policy.nri.io/container.{kind}": kind for kind in TYPES}
    resources: dict[str, Any] = {
        "cpu": "500m",
        "cpu_limit": "500m",
        "memory": "100M",
        "memory_limit": "100M",
    }
    containers = [Container(kind, command=TOUCHES, **resources) for kind in TYPES]
    pod = policy.cri.create_pod("tiers", containers=containers, annotations=annotations)
    policy.pods["default/tiers"] = pod
    placed = policy.assignments()
    for kind in TYPES:
        granted = NodeSet.parse(placed[f"default/tiers/{kind}"]["mems"])
        held = held_by_node(policy, pod, kind)
        assert sum(held.values()) > TOUCHED
        assert {node for node, size in held.items() if size} <= set(granted), (kind, granted)
    homes = {kind: placed[f"default/tiers/{kind}"]["mems"] for kind in TYPES}
    assert homes["dram"] in ("0", "1")
    assert homes["hbm"] in ("2", "3")
    assert homes["pmem"] in ("4", "5")


def held_by_node(stage: Stage, pod: RunningPod, container: str) -> Mapping[int, int]:
    """Bytes of anonymous memory by node, once all is touched; the cgroup counts no less."""
    folder = pod.cgroup_path_of(container)
    stage.guest.run(
        f"for second in $(seq 60); do test $(cat {folder}/memory.current) -gt {TOUCHED} && break;"
        " sleep 1; done"
    )
    text = stage.guest.run(f"python3 - {folder}", stdin=ANONYMOUS)
    return {int(node): size for node, size in json.loads(text.replace("'", '"')).items()}


@on_runtimes
def test_many_lives_leave_nothing(policy: Stage) -> None:
    pod = policy.cri.create_pod("company", cpu="100m", memory="16Mi", qos="Burstable")
    policy.pods["default/company"] = pod
    first = churn(policy, pod, range(POD_EVERY))
    early = left_by(policy)
    last = churn(policy, pod, range(POD_EVERY, CYCLES))
    late = left_by(policy)
    assert first == last
    assert late.pop("rss_kib") - early.pop("rss_kib") < MOST_GROWTH_KIB
    assert late.pop("undo_bytes") < MOST_UNDO_BYTES
    del early["undo_bytes"]
    assert late == early
    assert late["containers"] == late["granted"] == 2


def churn(stage: Stage, pod: RunningPod, cycles: range) -> Any:
    """Create and remove an exclusive container again and again; where the first one was placed."""
    container = single_container("", cpu="1", memory="16Mi")
    placed = None
    for cycle in cycles:
        if cycle % POD_EVERY == 0:
            stage.cri.create_pod(f"alone-{cycle}", cpu="1", memory="16Mi").remove()
        config = container_config(pod.pod, container, stage.cri.capacity)
        config["metadata"]["name"] = f"life-{cycle}"
        made = stage.cri.call(
            "CreateContainer",
            pod_sandbox_id=pod.sandbox_id,
            config=config,
            sandbox_config=sandbox_config(pod.pod),
        ).container_id
        if cycle % START_EVERY == 0 or cycle == cycles[0]:
            stage.cri.call("StartContainer", container_id=made)
        if cycle == cycles[0]:
            pod.container_ids["life"] = made
            placed = stage.assignments()
            del pod.container_ids["life"]
        stage.cri.call("StopContainer", container_id=made, timeout=0)
        stage.cri.call("RemoveContainer", container_id=made)
    return placed


def left_by(stage: Stage) -> dict[str, int]:
    """What the agent and the guest hold once all that was started has ended."""
    status = stage.agent.wait(lambda found: len(found["containers"]) == 2)
    pid = status["agent"]["pid"]
    numbers = stage.guest.run(
        f"sed -n 's/^\\(VmRSS\\|Threads\\):[^0-9]*\\([0-9]*\\).*/\\2/p' /proc/{pid}/status;"
        f" ls /proc/{pid}/fd | wc -l; find /sys/fs/cgroup/kubepods.slice -name '*.scope' | wc -l;"
        f" cat {STATE}/undo.jsonl | wc -c"
    )
    rss, threads, files, cgroups, undo = map(int, numbers.split())
    return {
        "rss_kib": rss,
        "threads": threads,
        "files": files,
        "cgroups": cgroups,
        "undo_bytes": undo,
        "containers": len(status["containers"]),
        "granted": len(stage.agent.stored_grants()),
    }
