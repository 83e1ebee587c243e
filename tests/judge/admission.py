# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods before a kubelet that has the role's settings: who is admitted, and gets what.

The settings are those of the role's profiles, read from the role, and what ``model.kubelet.plan``
makes of them. Each kubelet has a bystander, a pod that nothing may happen to. ``pods.py`` has the
rows. Out of scope: what is right (``test_admission.py``).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from judge import answers
from judge.court import HOST_SETTINGS, Case, Judge, Running, facts
from judge.pods import BYSTANDER, Pod, Row
from model.kubelet.effective import Layer, Sources
from model.kubelet.hardware import hardware
from model.kubelet.plan import Plan, Request, plan

ROLE = answers.ROOT / "roles/kubelet_numa"
DROPIN = "50-homenode-numa.conf"
RESERVED: Mapping[str, Any] = {
    "kubeReserved": {"cpu": "500m", "memory": "256Mi"},
    "systemReserved": {"memory": "512Mi"},
}
"""As in the role's README."""
RECONCILE = {"cpuManagerReconcilePeriod": "200ms"}
"""How often it looks whether containers have the CPUs that they should; 10 s by itself."""
LIMIT_S, STEP_S = 20.0, 0.05
METRICS = re.compile(r"^(kubelet_(?:cpu|memory|topology)_manager_\w+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """What a container has: from the runtime, where *made*, else CPUs from the state file.

    *quota* is in microseconds of each CPU period.
    """

    cpus: str
    mems: str = ""
    quota: int = 0
    made: bool = True


@dataclass
class Record:
    """All that was seen of one row. Containers are named ``pod/container``.

    *state* has the state files before the kubelet was started again, *failure* why there is nothing
    to look at.
    """

    row: Row
    machine: dict[str, Any]
    plan: Plan
    case: Case
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    at_first: dict[str, Seen] = field(default_factory=dict)
    updates: list[tuple[str, Seen]] = field(default_factory=list)
    podresources: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    def exclusive(self) -> dict[str, tuple[int, ...]]:
        """Exclusive CPUs by container, as the podresources socket has them."""
        return {name: cpus for name, (cpus, _memory) in self.resources().items() if cpus}

    def resources(self) -> dict[str, tuple[tuple[int, ...], dict[tuple[int, ...], int]]]:
        """CPUs, and bytes by set of NUMA nodes, of each container that podresources lists."""
        return {
            f"{pod['name'].removesuffix('-judge')}/{container['name']}": (
                tuple(container.get("cpu_ids", ())),
                memory_by_nodes(container),
            )
            for pod in self.podresources["pods"] or ()
            for container in pod["containers"]
        }


def memory_by_nodes(answer: Mapping[str, Any]) -> dict[tuple[int, ...], int]:
    """Bytes of type memory by their NUMA nodes. A node without an ID is node 0."""
    return {
        tuple(numa_node.get("ID", 0) for numa_node in item["topology"]["nodes"]): item["size"]
        for item in answer.get("memory", ())
        if item["memory_type"] == "memory"
    }


def profile(name: str) -> dict[str, Any]:
    """The KubeletConfiguration keys of a profile, as the role's variables put them together."""
    told = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    says = told["__kubelet_numa_profiles"][name]
    used = {
        key: re.search(r"__kubelet_numa_auto\.(\w+)", str(text))
        for key, text in told["__kubelet_numa_own_settings"].items()
    }
    return {key: says[match[1]] for key, match in used.items() if match and match[1] in says}


def planned(row: Row, machine: Mapping[str, Any], split: object) -> Plan:
    """What the role would write for *row*. Raises HomenodeProblem where it refuses *split*."""
    settings = {**RESERVED, **profile(row.profile), **row.settings}
    if row.reserved_cpus:
        reserve = answers.filter_named("cpuset_reserved")
        settings["reservedSystemCPUs"] = reserve(machine, row.reserved_cpus)
    base = Layer("/var/lib/kubelet/config.yaml", {**HOST_SETTINGS, **RECONCILE})
    sources = Sources(base=base, version=row.version.removeprefix("v"))
    return plan(Request(sources, DROPIN, settings, split), hardware(machine))


def hear(row: Row, judge: Judge) -> Record:
    """Start a kubelet with the role's settings, bring the pods one by one, and look."""
    machine = facts(row.topology)
    plan_of_it = planned(row, machine, row.split)
    dropin = yaml.safe_load(plan_of_it.text())
    if row.by_hand:
        dropin["reservedMemory"] = [
            {"numaNode": numa_node, "limits": {"memory": share}}
            for numa_node, share in row.by_hand.items()
        ]
    case = Case(row.topology, RECONCILE, {DROPIN: dropin})
    record = Record(row, machine, plan_of_it, case)
    try:
        with judge.running(replace(case, pods={BYSTANDER: row.bystander.manifest})) as kubelet:
            _Hearing(record, kubelet).hold()
    except Exception as error:  # a row that goes wrong must not take the others along
        record.failure = f"{type(error).__name__}: {error}"
    return record


class _Hearing:
    """One kubelet and the record of what is seen of it."""

    def __init__(self, record: Record, kubelet: Running) -> None:
        self._record, self._kubelet = record, kubelet
        self._here: dict[str, Pod] = {}

    def hold(self) -> None:
        """All steps of the row, and a last look."""
        self._decided(self._record.row.bystander)
        before = self._metrics()
        for step in self._record.row.steps:
            if step.pod is not None:
                self._kubelet.put_pod(step.pod.name, step.pod.manifest)
                self._decided(step.pod)
            elif step.remove:
                self._kubelet.remove_pod(step.remove)
                del self._here[step.remove]
                self._gone(step.remove)
            else:
                self._record.state = self._kubelet.state()
                self._kubelet.restart(step.restart_without)
        self._last_look(before)

    def _gone(self, name: str) -> None:
        self._until(lambda: name not in self._statuses(), f"end of {name}")

    def _decided(self, pod: Pod) -> None:
        """Wait until *pod* is refused, or its first container is made."""
        denied = re.compile(rf'"Pod admission denied".*pod="default/{pod.name}-judge"')
        first = f"{pod.name}/{pod.first}"
        self._until(
            lambda: first in self._made() or denied.search(self._kubelet.log()) is not None,
            f"a decision about {pod.name}",
        )
        if first not in self._made():
            self._until(lambda: self._statuses()[pod.name].get("reason"), "its reason")
            status = self._statuses()[pod.name]
            self._record.refused[pod.name] = (status["reason"], status["message"])
            return
        if not pod.waits:
            names = {f"{pod.name}/{container}" for container in pod.containers}
            self._until(lambda: names <= set(self._made()), f"the containers of {pod.name}")
        self._here[pod.name] = pod
        self._record.at_first.update(self._look(pod))

    def _last_look(self, before: Mapping[str, float]) -> None:
        """What all have in the end, once the runtime has been told of it."""
        record = self._record
        static = record.plan.effective.config["cpuManagerPolicy"] == "static"
        if static:
            self._until(self._told, "CPUs that the runtime knows", fails=False)
        for pod in self._here.values():
            record.seen.update(self._look(pod))
        record.podresources = self._kubelet.podresources()
        record.updates = list(self._updates())
        after = self._metrics()
        record.metrics = {name: after[name] - before.get(name, 0.0) for name in after}

    def _told(self) -> bool:
        """Whether all containers have the CPUs that the state file says."""
        state = json.loads(self._kubelet.state()["cpu_manager_state"])
        own = self._assigned()
        return all(
            seen.cpus == own.get(name, state["defaultCpuSet"])
            for pod in self._here.values()
            for name, seen in self._look(pod).items()
            if seen.made
        )

    def _look(self, pod: Pod) -> dict[str, Seen]:
        made, assigned = self._made(), self._assigned()
        updated = dict(self._updates())
        found = {}
        for container in pod.containers:
            name = f"{pod.name}/{container}"
            last = updated.get(name)
            if name not in made:
                found[name] = Seen(assigned.get(name, ""), made=False)
            elif last is None or not last.cpus:
                found[name] = made[name]
            else:
                found[name] = Seen(last.cpus, made[name].mems, made[name].quota)
        return found

    def _made(self) -> dict[str, Seen]:
        """Containers as they were made."""
        return {
            f"{line['pod'].removesuffix('-judge')}/{line['container']}": _seen(line)
            for line in self._kubelet.runtime()
            if line["operation"] == "create"
        }

    def _updates(self) -> Iterator[tuple[str, Seen]]:
        """What was changed of them, in order."""
        names = {}
        for line in self._kubelet.runtime():
            if line["operation"] == "create":
                pod = line["pod"].removesuffix("-judge")
                names[line["id"]] = f"{pod}/{line['container']}"
            else:
                yield names[line["id"]], _seen(line)

    def _assigned(self) -> dict[str, str]:
        """CPUs by container in the state file, of pods that are still there."""
        state = json.loads(self._kubelet.state().get("cpu_manager_state", "{}"))
        names = {pod["metadata"]["uid"]: _name(pod) for pod in self._listed()}
        return {
            f"{names[uid]}/{container}": cpus
            for uid, containers in state.get("entries", {}).items()
            if uid in names
            for container, cpus in containers.items()
        }

    def _statuses(self) -> dict[str, dict[str, Any]]:
        return {_name(pod): pod["status"] for pod in self._listed()}

    def _listed(self) -> list[dict[str, Any]]:
        return self._kubelet.get("/pods")["items"] or []

    def _metrics(self) -> dict[str, float]:
        if not self._record.row.metrics:
            return {}
        text = self._kubelet.text("/metrics")
        return {match[1]: float(match[2]) for match in METRICS.finditer(text)}

    def _until(self, wanted: Callable[[], Any], what: str, fails: bool = True) -> None:
        deadline = time.monotonic() + (LIMIT_S if fails else LIMIT_S / 4)
        while not wanted():
            if time.monotonic() > deadline:
                if fails:
                    raise AssertionError(f"no {what} after {LIMIT_S:.0f} s")
                return
            time.sleep(STEP_S)


def _seen(line: Mapping[str, Any]) -> Seen:
    return Seen(line["cpus"], line["mems"], line["cpu_quota"])


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"]).removesuffix("-judge")
