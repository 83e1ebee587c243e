# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest as a stage: scenarios of `homenode simulate` played with real pods and the real agent.

What came out has the form of `simulate`'s answer, so that the two can be laid side by side; it is
read from cgroups and processes, never from the agent. Out of scope: what should have come out.
"""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from lab.agent_in_guest import (
    ARCHIVE,
    NRI_DROP_IN,
    NRI_SECTION,
    ROOT,
    STATE,
    Agent,
    Seen,
    seen_in,
)
from lab.cri import RunningPod
from lab.guest import Guest
from lab.pods import Container, Pod, container_config, container_resources, sandbox_config
from lab.problem import LabProblem

KINDS = {"topology-aware": "TopologyAwarePolicy", "balloons": "BalloonsPolicy"}
CONFIG = "/etc/homenode/homenode.json"
DROP_IN = f"{CONFIG}.d/10-lab.json"
PATIENCE = {"nri": {"answer_budget_ms": 1900}}
"""Beside every policy object: an emulated guest is slow."""

BYPASS = {"runtime": {"mode": "bypass"}}
ROLE_VARIABLES = ROOT / "roles/cri_rm/vars/main.yml"

JOURNAL = f"{STATE}/journal.jsonl"
RECORDING = "/root/guest.machine"

BYSTANDER: Mapping[str, Any] = {
    "name": "bystander",
    "namespace": "kube-system",
    "containers": [{"name": "main"}],
}
"""A pod, as in a `create` step, that runs through all scenarios of a stage."""

QUIET_S = 0.5
"""For so long nothing changes once what happens without anybody waiting for it is done."""

RESTARTS = {
    "stopped and started": "systemctl restart homenode",
    "killed": "kill -KILL {pid}",
    "containerd restarted": "systemctl restart containerd",
    "killed, and all it knew is lost": "kill -KILL {pid}; rm -rf {state}/*",
}
"""The ways in which the `restart` steps of a scenario are taken, in turn."""


class Stage:
    """See the module. Scenarios are played one after another; the bystander never ends.

    With *bypass* the runtime's NRI is off, and cgroups are the agent's only way.
    """

    def __init__(self, guest: Guest, archive: Path, *, bypass: bool = False) -> None:
        self.guest = guest
        self.bypass = bypass
        self.agent = Agent(guest, archive)
        drop_in = {**PATIENCE, **BYPASS} if bypass else PATIENCE
        guest.run(f"mkdir -p {CONFIG}.d; cat > {DROP_IN}", stdin=json.dumps(drop_in))
        if bypass:
            off = NRI_SECTION.replace("disable = false", "disable = true")
            guest.run(f"cat > {NRI_DROP_IN}; systemctl restart containerd", stdin=off)
            role = yaml.safe_load(ROLE_VARIABLES.read_text(encoding="utf-8"))
            self.agent.limit(*role["__cri_rm_bypass_lines"])
        self.cri = guest.cri()
        self.pods: dict[str, RunningPod] = {}
        self._restarts: Iterator[str] = iter(())
        self.ended: set[str] = set()
        self._bystander = self._sandbox(BYSTANDER)
        refused = self._containers(self._bystander, BYSTANDER["containers"])
        assert not refused, refused
        [found] = seen_in(guest, [self._bystander.cgroup_path])
        self._bystander_pid, self.everything = found.pid, found.effective

    def close(self) -> None:
        """End what only this process holds."""
        self.cri.close()

    def recorded_machine(self, path: Path) -> Path:
        """The guest's machine in the file *path*, as the agent records it."""
        self.guest.run(f"python3 -I {ARCHIVE} facts --record {RECORDING}")
        self.guest.get(RECORDING, path)
        return path

    def play(self, scenario: Mapping[str, Any]) -> dict[str, Any]:
        """Take the guest through a scenario; `{"error", "steps": [{"error", "assignments"}]}`.

        Nothing of it is left afterwards, except the bystander, which must be as it was.
        """
        refused = self.begin(scenario["policy"], scenario["config"])
        self._restarts = itertools.cycle(RESTARTS.values())
        answers = []
        try:
            for number, step in enumerate(() if refused else scenario["steps"]):
                error = self.take(step, scenario["policy"])
                placed = self.settled() if self.bypass else self.assignments()
                answers.append({"step": number, "error": error, "assignments": placed})
        finally:
            self.end()
        return {"error": refused, "steps": answers}

    def assignments(self) -> dict[str, dict[str, Any]]:
        """Cpuset of every running container by full name; null where none is set."""
        return {name: _assignment(name, one) for name, one in self._seen().items()}

    def settled(self) -> dict[str, dict[str, Any]]:
        """The same, once it is still."""
        self._settle()
        return self.assignments()

    def _seen(self) -> dict[str, Seen]:
        """Every running container; the bystander is among them, and still the same process."""
        names, folders = [], []
        for pod in (*self.pods.values(), self._bystander):
            for container, container_id in pod.container_ids.items():
                if container_id not in self.ended:
                    names.append(f"{pod.pod.namespace}/{pod.pod.name}/{container}")
                    folders.append(pod.cgroup_path_of(container))
        found = seen_in(self.guest, folders)
        assert found[-1].pid == self._bystander_pid, "the bystander was started again"
        return dict(zip(names, found))

    def begin(self, policy: str, spec: Mapping[str, Any]) -> str | None:
        """Start the agent without a memory, under this policy; why it would not start."""
        self.agent.stop()
        cpus, mems = self.everything
        self.cri.update(self._bystander.container_id, cpuset_cpus=cpus, cpuset_mems=mems)
        self.guest.run(
            f"rm -rf {STATE}/*; cat > {CONFIG}; systemctl reset-failed homenode || true",
            stdin=policy_object(policy, spec),
        )
        try:
            self.agent.start()
        except LabProblem:
            told = self.guest.run("journalctl -u homenode -n 20 --no-pager -o cat", check=False)
            lines = [line for line in told.splitlines() if line.startswith("homenode:")]
            if not lines:
                raise
            return lines[-1]
        return None

    def end(self) -> None:
        """End what was created, except the bystander."""
        for pod in self.pods.values():
            pod.remove()
        self.pods, self.ended = {}, set()

    def take(self, step: Mapping[str, Any], policy: str) -> str | None:
        """Take a step, and what was wrong with it."""
        [(verb, what)] = step.items()
        if verb == "create":
            pod = self._sandbox(what)
            self.pods[f"{pod.pod.namespace}/{pod.pod.name}"] = pod
            return self._init_containers(pod, what) or self._containers(pod, what["containers"])
        if verb == "delete":
            self.pods.pop(_full(what, 2)).remove()
            return None
        if verb == "update":
            return self._update(what)
        error = None
        if verb == "configure":
            error = self._configure(policy, what)
        elif verb == "exit":
            self._exit(what)
        else:
            self._restart()
        self._settle()
        return error

    def _sandbox(self, given: Mapping[str, Any]) -> RunningPod:
        every = [*(given.get("init_containers") or ()), *given["containers"]]
        pod = Pod(
            given["name"],
            str(uuid.uuid4()),
            [asked(one) for one in every],
            given.get("namespace") or "default",
            given.get("labels") or {},
            {key: str(value) for key, value in (given.get("annotations") or {}).items()},
        )
        folders = " ".join(f"{pod.log_directory}/{one.name}" for one in pod.containers)
        self.guest.run(f"mkdir -p {folders}")
        running = RunningPod(self.cri, pod)
        config = sandbox_config(pod)
        running.sandbox_id = self.cri.call("RunPodSandbox", config=config).pod_sandbox_id
        return running

    def _containers(self, pod: RunningPod, given: Iterable[Mapping[str, Any]]) -> str | None:
        """Start containers in turn, until one is refused."""
        for one in given:
            container = asked(one)
            try:
                made = self.cri.call(
                    "CreateContainer",
                    pod_sandbox_id=pod.sandbox_id,
                    config=container_config(pod.pod, container, self.cri.capacity),
                    sandbox_config=sandbox_config(pod.pod),
                )
            except LabProblem as problem:
                return str(problem)
            pod.container_ids[container.name] = made.container_id
            self.cri.call("StartContainer", container_id=made.container_id)
        return None

    def _init_containers(self, pod: RunningPod, given: Mapping[str, Any]) -> str | None:
        """Each starts and ends before the next is created."""
        for one in given.get("init_containers") or ():
            refused = self._containers(pod, [one])
            if refused:
                return refused
            container_id = pod.container_ids.pop(one["name"])
            self.cri.call("StopContainer", container_id=container_id, timeout=0)
            self.cri.call("RemoveContainer", container_id=container_id)
        return None

    def _update(self, given: Mapping[str, Any]) -> str | None:
        """Resize in place; amounts that are not named stay.

        An update is never refused, since it would be tried again for ever: what stands in its way
        is told in the status.
        """
        pod, name = self._found(given["container"])
        [old] = [one for one in pod.pod.containers if one.name == name]
        new = replace(old, **_amounts(given))
        pod.pod = replace(
            pod.pod, containers=[new if one is old else one for one in pod.pod.containers]
        )
        resources = container_resources(new, pod.pod.qos, self.cri.capacity)
        kept = {key: value for key, value in resources.items() if not key.startswith("cpuset")}
        container_id = pod.container_ids[name]
        before = self._told_of(container_id)
        self.cri.update(container_id, **kept)
        self._settle()
        return "; ".join(self._told_of(container_id) - before) or None

    def _told_of(self, container_id: str) -> set[str]:
        """Why the agent's status has problems with a container."""
        containers = self.agent.stored_status()["containers"]
        [found] = [one for one in containers if one["id"] == container_id]
        return {problem["why"] for problem in found["problems"]}

    def _exit(self, full_name: str) -> None:
        """End a container's process."""
        pod, name = self._found(full_name)
        self.guest.run(f"kill -KILL $(cat {pod.cgroup_path_of(name)}/cgroup.procs)")
        self.ended.add(pod.container_ids[name])

    def _restart(self) -> None:
        pid = self.agent.stored_status()["agent"]["pid"]
        command = next(self._restarts)
        self.guest.run(command.format(pid=pid, state=STATE))
        self.agent.wait_for_connection(other_than=pid if "containerd" not in command else 0)

    def _configure(self, policy: str, spec: Mapping[str, Any]) -> str | None:
        """Give the running agent another configuration; why it refused it."""
        before = len(self._verdicts())
        self.guest.run(f"cat > {CONFIG}", stdin=policy_object(policy, spec))
        self.agent.signal("HUP")
        verdicts = self._wait(self._verdicts, lambda found: len(found) > before)
        problem = verdicts[-1].get("why")
        return None if problem is None else str(problem)

    def _verdicts(self) -> list[dict[str, Any]]:
        """What the agent's journal says of configurations."""
        lines = self.guest.run(f"cat {JOURNAL}").splitlines()
        notes: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [one for one in notes if "configuration" in (one.get("what"), one.get("field"))]

    def _settle(self) -> None:
        """Wait until the agent knows who runs, and nothing changes any more: nobody waited for
        what this step set off."""
        pods = (*self.pods.values(), self._bystander)
        ids = {one for pod in pods for one in pod.container_ids.values()} - self.ended
        self.agent.wait(lambda status: {one["id"] for one in status["containers"]} == ids)
        before: object = None

        def same(now: object) -> bool:
            nonlocal before
            time.sleep(QUIET_S)
            unchanged, before = now == before, now
            return unchanged

        self._wait(self._seen, same)

    def _found(self, full_name: str) -> tuple[RunningPod, str]:
        pod, _slash, container = _full(full_name, 3).rpartition("/")
        return self.pods[pod], container

    @staticmethod
    def _wait(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + 60
        while not wanted(found := look()):
            if time.monotonic() > deadline:
                raise LabProblem(f"did not come: {found}")
        return found


def policy_object(policy: str, spec: Mapping[str, Any]) -> str:
    """A configuration file with the object that a cluster would hold, as JSON."""
    return json.dumps(
        {
            "apiVersion": "config.nri/v1alpha1",
            "kind": KINDS[policy],
            "metadata": {"name": "default"},
            "spec": spec,
        }
    )


def asked(given: Mapping[str, Any]) -> Container:
    """A container of a scenario as the lab's kubelet takes it."""
    return Container(name=given["name"], **_amounts(given))


def _amounts(given: Mapping[str, Any]) -> dict[str, Any]:
    requests, limits = given.get("requests") or {}, given.get("limits") or {}
    named = {"cpu": requests, "memory": requests, "cpu_limit": limits, "memory_limit": limits}
    return {
        field: str(where[resource])
        for field, where in named.items()
        if (resource := field.partition("_")[0]) in where
    }


def _assignment(name: str, found: Seen) -> dict[str, Any]:
    """The cpuset in the cgroup, once it is sure that the process has it too."""
    assert found.process == found.effective, (name, found)
    for value, effective in zip((found.cpus, found.mems), found.effective):
        assert value in ("", effective), (name, found)
    return {"cpus": found.cpus or None, "mems": found.mems or None}


def _full(name: str, parts: int) -> str:
    """With the namespace, which a bare name leaves out."""
    return name if name.count("/") == parts - 1 else f"default/{name}"
