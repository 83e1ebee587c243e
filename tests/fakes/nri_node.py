# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scenario played to the loop in NRI's own messages, with the numbers that the kubelet makes.

What a simulation knows exactly is read back here from what a runtime tells. Out of scope: sockets,
threads; hints that only a simulation obeys.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from fake_runtime import FakeContainer, FakePod, kubelet
from fake_runtime.schema import MESSAGES
from homenode.intent.config import PinningConfig, parse_config
from homenode.intent.policy_config import BalloonsConfig
from homenode.intent.real_resources import KEY
from homenode.loop import begin, reconfigure, step
from homenode.pinning import NOTHING_AROUND, Surroundings
from homenode.pinning.balloons.devices import device_paths
from homenode.runtime import nri
from homenode.simulate.devices import cpus_near
from host_files import RecordedFiles
from model.events import Reply, Synchronized
from model.problem import HomenodeProblem
from model.sysfs import read_machine
from peers.scenario import Container, Pod, figures, full_container_name, full_pod_name
from peers.sysfs import described, machine_files

Shown = dict[str, tuple[Optional[str], Optional[str]]]


class NriNode:
    """Raises HomenodeProblem where the first configuration cannot be satisfied."""

    def __init__(self, scenario: Mapping[str, Any]) -> None:
        self._described = described(scenario["machine"])
        self._machine = read_machine(RecordedFiles(machine_files(self._described)))
        self._policy = scenario["policy"]
        self._pods: dict[str, FakePod] = {}
        self._containers: dict[str, FakeContainer] = {}
        self._numbers: Iterator[int] = itertools.count()
        pinning = self._pinning(scenario["config"])
        self._world = begin(self._machine, pinning, around=self._around(pinning))

    def shown(self) -> Shown:
        """(cpus, mems) of every container by its full name."""
        return {
            f"{one.pod.namespace}/{one.pod.name}/{one.name}": (one.cpus or None, one.mems or None)
            for one in self._containers.values()
        }

    def take(self, what: Mapping[str, Any]) -> Optional[str]:
        """One step of a scenario; why it was refused."""
        ((verb, value),) = what.items()
        if verb == "create":
            return self._create(Pod.read(value))
        if verb == "update":
            return self._update(value)
        if verb == "configure":
            return self._configure(value)
        if verb == "restart":
            self._restart()
            return None
        if verb == "exit":
            container = self._find(value)
            if container is None:
                return "no such container"
            self._end(container)
            return None
        return self._delete(full_pod_name(value))

    def _pinning(self, spec: Mapping[str, Any]) -> PinningConfig:
        section = {"pinning": {"policy": self._policy, "spec": spec}}
        pinning = parse_config(section, source="scenario").pinning
        assert pinning is not None
        return pinning

    def _around(self, pinning: PinningConfig) -> Surroundings:
        if not isinstance(pinning.spec, BalloonsConfig):
            return NOTHING_AROUND
        near = {path: cpus_near(self._machine, path) for path in device_paths(pinning.spec)}
        return Surroundings(near={path: (cpus,) for path, cpus in near.items() if cpus})

    def _create(self, pod: Pod) -> Optional[str]:
        name = f"{pod.namespace}/{pod.name}"
        if name in self._pods:
            return "there is one already"
        identity = f"p{next(self._numbers)}"
        parent = kubelet.cgroup_parent(pod.qos, identity)
        annotations = pod.annotations_with_resources()
        labels = dict(pod.labels)
        names = (identity, pod.name, pod.namespace, identity)
        sandbox = FakePod(*names, pod.qos, parent, annotations, labels)
        self._pods[name] = sandbox
        self._tell("RunPodSandbox", pod=sandbox.message())
        for one in (*pod.init_containers, *pod.containers):
            numbers = figures(sandbox.qos, one, self._described.memory_bytes)
            made = FakeContainer(f"c{next(self._numbers)}", sandbox, one.name, numbers)
            reply = self._tell_of("CreateContainer", made)
            if reply.refusal is not None:
                return str(reply.refusal)
            made.state = "running"
            self._tell_of("PostStartContainer", made)
            if one in pod.init_containers:
                self._end(made)
        return None

    def _update(self, asked: Mapping[str, Any]) -> Optional[str]:
        container = self._find(asked["container"])
        if container is None:
            return "no such container"
        memory = self._described.memory_bytes
        container.figures = figures(container.pod.qos, Container.read(asked), memory)
        container.shares = container.figures.shares
        resources = container.resources()
        resources.cpu.cpus = resources.cpu.mems = ""
        self._tell_of("UpdateContainer", container, linux_resources=resources)
        found = self._world.problems.get(container.id, ())  # an update is never refused
        return "; ".join(str(problem) for problem in found if problem.field != KEY) or None

    def _configure(self, spec: Mapping[str, Any]) -> Optional[str]:
        try:
            pinning = self._pinning(spec)
            around = self._around(pinning)
            tried = reconfigure(self._world, self._machine, pinning, 1.0, around)
        except HomenodeProblem as error:
            return str(error)
        if tried.obstacles:
            return "; ".join(map(str, tried.obstacles))
        self._world = tried.world
        self._apply(nri.answer("UpdateContainer", None, tried.effects.reply))  # type: ignore[arg-type]
        return None

    def _restart(self) -> None:
        """The agent starts anew with what it wrote down, and is told of everything."""
        old = self._world
        memory = json.loads(json.dumps(old.policy.remember(old.books or old.policy.start())))
        assert old.pinning is not None
        around = self._around(old.pinning)
        self._world = begin(self._machine, old.pinning, old.ledger, memory, around)
        listed = MESSAGES["SynchronizeRequest"](
            pods=[pod.message() for pod in self._pods.values()],
            containers=[one.message() for one in self._containers.values()],
        )
        pods, containers, _more = nri.synchronized_part(listed.SerializeToString())
        told = Synchronized(tuple(pods), tuple(containers))
        self._world, effects = step(self._world, told, 1.0)
        self._apply(nri.answer("UpdateContainer", told, effects.reply))

    def _delete(self, name: str) -> Optional[str]:
        pod = self._pods.pop(name, None)
        if pod is None:
            return "no such pod"
        for container in [one for one in self._containers.values() if one.pod is pod]:
            self._end(container)
        self._tell("RemovePodSandbox", pod=pod.message())
        return None

    def _end(self, container: FakeContainer) -> None:
        del self._containers[container.id]
        self._tell_of("StopContainer", container)
        self._tell_of("RemoveContainer", container)

    def _find(self, name: str) -> Optional[FakeContainer]:
        wanted, shown = full_container_name(name), self.shown()
        return next(
            (one for full, one in zip(shown, self._containers.values()) if full == wanted), None
        )

    def _tell_of(self, method: str, container: FakeContainer, **fields: Any) -> Reply:
        about = {"pod": container.pod.message(), "container": container.message(), **fields}
        created = container if method == "CreateContainer" else None
        return self._tell(method, created=created, **about)

    def _tell(self, method: str, created: Optional[FakeContainer] = None, **fields: Any) -> Reply:
        kind = "UpdateContainerRequest" if method == "UpdateContainer" else "ContainerRequest"
        event = nri.event_of(method, MESSAGES[kind](**fields).SerializeToString())
        assert event is not None
        self._world, effects = step(self._world, event, 1.0)
        reply = effects.reply
        if reply.refusal is not None:
            return reply
        wire = nri.answer(method, event, reply)
        if created is not None:
            self._containers[created.id] = created
            adjusted = MESSAGES["CreateContainerResponse"].FromString(wire)
            created.apply(adjusted.adjust.linux.resources.cpu)
            self._apply(MESSAGES["UpdateList"](update=adjusted.update).SerializeToString())
        elif method in ("UpdateContainer", "StopContainer"):
            self._apply(wire)
        return reply

    def _apply(self, wire: bytes) -> None:
        for update in MESSAGES["UpdateList"].FromString(wire).update:
            if update.container_id in self._containers:
                self._containers[update.container_id].apply(update.linux.resources.cpu)
