# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bypass under a real runtime without NRI: how soon a container is pinned, and that it stays so.

That decisions are those of `simulate` here too is in `test_pinning`. The bystander runs on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
for _folder in ("plugins/module_utils", "files/agent"):
    sys.path.insert(0, str(TESTS.parent / _folder))

from lab.cri import RunningPod  # noqa: E402
from lab.fixtures import FULL, on_guests  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.pinning_stage import Stage  # noqa: E402
from lab.pods import Container  # noqa: E402
from tools.artifacts import build_agent  # noqa: E402

ALL_CPUS = "0-3"
LOOKS = ("sh", "-c", "while :; do grep Cpus_allowed_list /proc/self/status; sleep 0.02; done")
"""A command that says without end where it may run."""

CONTAINERS = 6
SOON_S = 2.0
"""Emulated; on hardware it is a hundredth of it."""

pytestmark = on_guests("2n 1.7", *["2n 2.x"] * FULL)


@pytest.fixture(scope="module")
def stage(module_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The agent of this tree in bypass, and its bystander."""
    archive = tmp_path_factory.mktemp("agent") / "homenode.pyz"
    build_agent(archive)
    made = Stage(module_guest, archive, bypass=True)
    assert made.begin("topology-aware", {"reservedResources": {"cpu": "cpuset:0"}}) is None
    yield made
    made.close()


@pytest.fixture
def pods(stage: Stage) -> Iterator[Stage]:
    """The same, and afterwards none of its pods; the bystander is where it was."""
    before = stage.settled()
    yield stage
    stage.end()
    assert stage.settled() == before
    assert "Traceback" not in stage.guest.run("journalctl -u homenode --no-pager -o cat")


def create(stage: Stage, name: str, containers: list[Container]) -> RunningPod:
    """A pod that goes with the test."""
    pod = stage.pods[f"default/{name}"] = stage.cri.create_pod(name, containers=containers)
    return pod


def test_a_container_is_pinned_when_it_starts_or_soon_after(pods: Stage) -> None:
    limits: dict[str, Any] = {"cpu": "100m", "cpu_limit": "200m", "memory": "16Mi"}
    names = [f"look-{number}" for number in range(CONTAINERS)]
    pod = create(pods, "looking", [Container(name, command=LOOKS, **limits) for name in names])
    placed = pods.settled()
    delays = []
    for name in names:
        log = pods.guest.run(f"cat {pod.pod.log_directory}/{name}/0.log")
        looks = [line.split() for line in log.splitlines()]
        seen = [(moment(words[0]), words[-1]) for words in looks if len(words) == 5]
        wanted = placed[f"default/looking/{name}"]["cpus"]
        assert wanted != ALL_CPUS
        [when, *_later] = [time_of for time_of, cpus in seen if cpus == wanted]
        delays.append(when - seen[0][0])
    print("pinned", [f"{delay:.3f} s" for delay in delays], "after the first look")
    assert max(delays) < SOON_S
    assert delays.count(0) >= CONTAINERS // 2


def moment(text: str) -> float:
    """A log's time of day, in seconds; Python knows no nanoseconds."""
    return datetime.fromisoformat(text[:26] + "+00:00").timestamp()


def test_what_the_runtime_rewrites_is_written_again(pods: Stage) -> None:
    limits: dict[str, Any] = {
        "cpu": "1",
        "cpu_limit": "1",
        "memory": "16Mi",
        "memory_limit": "16Mi",
    }
    pod = create(pods, "own", [Container(**limits)])
    placed = pods.settled()
    assert placed["default/own/main"]["cpus"] in ("1", "2", "3")
    pods.cri.update(pod.container_id, cpu_shares=512)
    assert pods.settled() == placed
    started = time.monotonic()
    pods.cri.update(pod.container_id, cpuset_cpus=ALL_CPUS, cpuset_mems="0-1")
    while pods.settled() != placed:
        assert time.monotonic() < started + 10
    print(f"written again {time.monotonic() - started:.1f} s after the call, looks included")
