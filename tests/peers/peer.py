# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a scenario on a real peer and answers in the form of ``homenode simulate``.

Out of scope: pools and reasons, which the peers do not tell; ``restart``, after which the
placements of topology-aware are a matter of chance (pinning.md §2.14).
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import yaml

from fake_runtime import CreationFailed, FakeContainer, FakePod, PluginProcess
from fake_runtime.node import lay_out
from model.cpuset import CpuSet

from .runtime import KubeletRuntime
from .scenario import Container, Pod, figures, full_container_name, full_pod_name
from .sysfs import described, machine_files

VARIABLES = {"topology-aware": "PEER_TOPOLOGY_AWARE", "balloons": "PEER_BALLOONS"}
KINDS = {"topology-aware": "TopologyAwarePolicy", "balloons": "BalloonsPolicy"}

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "topology-aware": {
        "pinCPU": True,
        "pinMemory": True,
        "preferIsolatedCPUs": True,
        "defaultCPUPriority": "none",
        "unlimitedBurstable": "package",
    },
    "balloons": {"pinCPU": True, "pinMemory": True},
}
"""What a cluster fills into the objects, from their schemas; a file is taken as it is."""

CONFIGURED = "skipping client setup"
"""What the log says when a configuration was dealt with, for good or bad."""
REFUSED = re.compile(r"failed to (?:apply|validate) configuration|failed to unmarshal data")

LAYERS = re.compile(
    r".*(?:failed to allocate resources for [^ ]+|failed to update resources|policy"
    r"|with initial configuration|failed to (?:apply|validate) configuration|object\.yaml): "
)
MOST = 160
"""Characters of an error that are kept."""


class PeerBroken(Exception):
    """The peer did what no scenario should make it do: too slow, gone, or not started."""


class NotRunning(Exception):
    """No such container: it has ended, or its creation was refused."""


def peer_binary(policy: str) -> Optional[str]:
    """The peer that the environment names, if it does."""
    return os.environ.get(VARIABLES[policy]) or None


def configuration(policy: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The whole object, defaults filled in as a cluster would."""
    filled = {**DEFAULTS[policy], **spec}
    if "balloonTypes" in filled:
        filled["balloonTypes"] = [{"allocatorPriority": "high", **t} for t in spec["balloonTypes"]]
    return {
        "apiVersion": "config.nri/v1alpha1",
        "kind": KINDS[policy],
        "metadata": {"name": "default"},
        "spec": filled,
    }


def run(scenario: Mapping[str, Any], binary: str) -> dict[str, Any]:
    """``{"error", "steps": [{"step", "error", "assignments"}]}``; raises PeerBroken."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        return _Run(scenario, binary, Path(folder)).result()


class _Run:
    """One peer, one runtime, one scenario."""

    def __init__(self, scenario: Mapping[str, Any], binary: str, folder: Path) -> None:
        self.scenario = scenario
        self.machine = described(scenario["machine"])
        self.policy: str = scenario["policy"]
        lay_out(machine_files(self.machine), folder / "host")
        self.config_file = folder / "config" / "object.yaml"
        self.config_file.parent.mkdir()
        self._configure(scenario["config"])
        self.runtime = KubeletRuntime(folder / "nri.sock", request_timeout_s=60.0)
        self.agent = PluginProcess(
            folder / "agent",
            self.runtime.socket_path,
            host_root=folder / "host",
            config_file=self.config_file,
            command=[binary],
            environment={"PATH": os.environ["PATH"], "ENABLE_TEST_APIS": "1"},
        )
        self.pods: dict[str, FakePod] = {}

    def result(self) -> dict[str, Any]:
        """Everything; see ``run``."""
        with self.runtime, self.agent:
            refusal = self._refusal()
            if refusal:
                return {"error": refusal, "steps": []}
            try:
                self.runtime.wait_for_plugins(timeout_s=10)
            except TimeoutError as late:
                raise PeerBroken(self.agent.output()[-3000:]) from late
            steps = []
            for number, step in enumerate(self.scenario["steps"]):
                error = self._step(step)
                if self.runtime.failures:
                    raise PeerBroken(f"step {number}: {self.runtime.failures}")
                assignments = self._assignments()
                steps.append({"step": number, "error": error, "assignments": assignments})
            return {"error": None, "steps": steps}

    def _step(self, step: Mapping[str, Any]) -> Optional[str]:
        """Do it; what the peer had against it."""
        try:
            if "create" in step:
                self._create(Pod.read(step["create"]))
            elif "delete" in step:
                self.runtime.remove_pod(self.pods.pop(full_pod_name(step["delete"])))
            elif "exit" in step:
                self.runtime.remove_container(self._container(step["exit"]))
            elif "update" in step:
                self._update(step["update"])
            elif "configure" in step:
                before = len(self.agent.output())
                self._configure(step["configure"])
                return self._refusal(before)
            else:
                raise PeerBroken(f"no such step: {step}")
        except CreationFailed as refusal:
            return _reason(str(refusal))
        except NotRunning as unknown:
            return f"no container {unknown} is running"
        return None

    def _create(self, pod: Pod) -> None:
        sandbox = self.runtime.run_pod(
            pod.name,
            qos=pod.qos,
            namespace=pod.namespace,
            annotations=pod.annotations_with_resources(),
            labels=dict(pod.labels),
        )
        self.pods[f"{pod.namespace}/{pod.name}"] = sandbox
        for one in pod.init_containers:
            self.runtime.remove_container(self._start(sandbox, one))
        for one in pod.containers:
            self._start(sandbox, one)

    def _start(self, sandbox: FakePod, one: Container) -> FakeContainer:
        numbers = figures(sandbox.qos, one, self.machine.memory_bytes)
        return self.runtime.create(sandbox, one.name, numbers)

    def _update(self, update: Mapping[str, Any]) -> None:
        container = self._container(update["container"])
        numbers = figures(container.pod.qos, Container.read(update), self.machine.memory_bytes)
        self.runtime.resize(container, numbers)

    def _configure(self, spec: Mapping[str, Any]) -> None:
        """As a file that appears whole."""
        new = self.config_file.with_suffix(".new")
        new.write_text(yaml.safe_dump(configuration(self.policy, spec), sort_keys=False))
        new.rename(self.config_file)

    def _refusal(self, before: int = 0) -> Optional[str]:
        """Wait for the log, from character *before* on, to say what became of a configuration."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            ended = self.agent.process is None or self.agent.process.poll() is not None
            said = self.agent.output()[before:]
            refusals = [line for line in said.splitlines() if REFUSED.search(line)]
            settled = bool(refusals) and ("failed to apply" not in refusals[-1] or ended)
            if settled or CONFIGURED in said:
                return _reason(refusals[-1]) if refusals else None
            if ended:
                raise PeerBroken(said[-2000:])
            time.sleep(0.005)
        raise PeerBroken("says nothing about its configuration")

    def _container(self, name: str) -> FakeContainer:
        """One of the runtime's book. Raises NotRunning."""
        for one in self.runtime.containers.values():
            if _full_name(one) == full_container_name(name):
                return one
        raise NotRunning(name)

    def _assignments(self) -> dict[str, dict[str, Optional[str]]]:
        return {
            _full_name(one): {"cpus": _list(one.cpus), "mems": _list(one.mems)}
            for one in self.runtime.containers.values()
        }


def _full_name(container: FakeContainer) -> str:
    return f"{container.pod.namespace}/{container.pod.name}/{container.name}"


def _reason(text: str) -> str:
    """An error without log prefix and the steps that it went through; its end says most."""
    found = LAYERS.search(text)
    reason = text[found.end() :] if found else text
    return reason.replace('\\"', '"').rstrip("\"')")[-MOST:]


def _list(text: str) -> Optional[str]:
    return str(CpuSet.parse(text)) if text else None
