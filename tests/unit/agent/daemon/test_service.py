# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One agent in this process: what it says about its own start, and that it lets go at its end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fake_runtime.runtime import FakeRuntime
from fakes.cgroups import MOUNT
from fakes.machines import machine_files, sockets
from homenode.daemon import service as module
from homenode.daemon.service import Paths, Service
from homenode.intent.config import Config, MetricsConfig, PinningConfig
from homenode.intent.policy_objects import TOPOLOGY_AWARE_KIND, parse_spec
from homenode.report.status import problem_lines
from model.cpuset import CpuSet
from model.problem import HomenodeProblem

ON = Config(pinning=PinningConfig())


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    root = tmp_path / "host"
    for path, text in machine_files(sockets(2, cores=2)).items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Paths(
        str(root), str(tmp_path / "nri.sock"), str(tmp_path / "state"), str(tmp_path / "pid")
    )


@contextmanager
def running(config: Config, paths: Paths) -> Iterator[Service]:
    service = Service(config, paths)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield service
    finally:
        service.stop()
        thread.join(10)
        assert not thread.is_alive()


def wait_for_status(paths: Paths, part: str) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if Path(paths.status).exists():
            text = Path(paths.status).read_text()
            if part in text:
                found: dict[str, Any] = json.loads(text)
                return found
        time.sleep(0.02)
    raise AssertionError(f"no {part} in the status")


def told(service: Service) -> dict[str, str]:
    """Field and why of what the status says about the agent itself."""
    return {one["field"]: one["why"] for one in service._agent_status()["problems"]}


def test_a_life(paths: Paths) -> None:
    root = Path(paths.host_root)
    with FakeRuntime(Path(paths.nri_socket), cgroup_root=root / MOUNT) as runtime:
        with running(ON, paths):
            runtime.wait_for_plugins()
            container = runtime.create_container(runtime.run_pod("a"), "a", cpu=1)
            assert container.placement == ("1", "0")
            status = wait_for_status(paths, '"exclusive": "1"')
            assert status["agent"]["connected"]
        assert container.placement == ("1", "0"), "a stop changes no container"
    kinds = [json.loads(line)["kind"] for line in Path(paths.journal).read_text().splitlines()]
    assert kinds[0] == "started"
    assert {"placed", "runtime", "stopped"} <= set(kinds)


def test_without_a_runtime_it_waits_and_says_so(paths: Paths) -> None:
    with running(ON, paths):
        status = wait_for_status(paths, "no runtime answers")
        assert status["agent"]["connected"] is False


def test_cpu_sets_that_do_not_fit_are_told_at_start(paths: Paths) -> None:
    config = Config(pinning=PinningConfig(available_cpus=CpuSet.parse("64")))
    assert "pinning.available_cpus" in told(Service(config, paths))


def test_settings_that_nobody_obeys_are_told_and_noted_once(paths: Paths) -> None:
    values = {"reservedResources": {"cpu": 1}, "log": {"debug": ["policy"]}}
    spec = parse_spec(TOPOLOGY_AWARE_KIND, values, source="test")
    config = Config(pinning=PinningConfig(policy="topology-aware", spec=spec))
    with running(config, paths):
        status = wait_for_status(paths, "no runtime answers")
    assert "! agent: log 'debug': is not obeyed" in "\n".join(problem_lines(status))
    notes = map(json.loads, Path(paths.journal).read_text().splitlines())
    assert [note["kind"] for note in notes if note.get("field") == "log"] == ["problem"]


def test_a_ledger_that_cannot_be_believed_is_told(paths: Paths) -> None:
    Path(paths.state_dir).mkdir()
    Path(paths.ledger).write_text("{")
    assert "cannot be read back" in told(Service(ON, paths))["ledger"]


def test_a_state_folder_that_cannot_be_made_is_told(paths: Paths) -> None:
    Path(paths.state_dir).write_text("")
    assert "state folder" in told(Service(ON, paths))


def test_a_metrics_port_that_cannot_be_had_is_told(paths: Paths) -> None:
    config = Config(metrics=MetricsConfig(listen="unix:/nowhere/metrics.sock"))
    with running(config, paths):
        wait_for_status(paths, "metrics.listen")


def test_metrics_in_a_file_and_on_a_socket(paths: Paths, tmp_path: Path) -> None:
    file, socket = tmp_path / "m.prom", tmp_path / "m.sock"
    metrics = MetricsConfig(listen=f"unix:{socket}", textfile=str(file))
    config = Config(pinning=PinningConfig(), metrics=metrics)
    with running(config, paths):
        deadline = time.monotonic() + 5
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        page = file.read_text()
        assert "homenode_up 0" in page
        assert "homenode_place_info" in page
        assert socket.exists()


def test_a_fault_in_a_thread_is_told_and_the_thread_goes_on(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_S", 0.01)
    service = Service(ON, paths)
    runs: list[int] = []

    def body() -> None:
        runs.append(1)
        if len(runs) < 4:
            raise ValueError("a fault of ours")

    service._kept_alive("publisher", body)
    assert len(runs) == 4
    problems = service._agent_status()["problems"]
    assert [problem["value"] for problem in problems] == ["ValueError: a fault of ours"]


def test_a_machine_of_garbage_is_refused_with_its_file(paths: Paths) -> None:
    (Path(paths.host_root) / "sys/devices/system/cpu/online").write_text("hello")
    with pytest.raises(HomenodeProblem, match="cpu/online"):
        Service(ON, paths)


def test_what_it_remembers_lies_in_its_folders(paths: Paths) -> None:
    assert {Path(paths.ledger).parent, Path(paths.undo).parent, Path(paths.journal).parent} == {
        Path(paths.state_dir)
    }
    assert Path(paths.status).parent == Path(paths.pid_file).parent
