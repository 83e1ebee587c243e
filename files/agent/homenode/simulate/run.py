# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes a machine through the steps of a scenario, and tells its state after each.

Init containers are created and end one after another before the others are created. Where a
creation is refused, the pod's later containers are not tried, and the earlier ones stay until the
pod is deleted. A step that makes no sense (a pod that is not there) has an error, and changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from homenode.pinning.policy import Policy
from model.problem import HomenodeProblem

from .asks import ask_of, sandbox_of, with_amounts
from .kube_node import KubeNode
from .scenario import Configure, Create, Delete, Exit, Scenario, Step, Update

MakePolicy = Callable[[Mapping[str, Any]], Policy]
"""From the ``spec`` of a configuration; raises HomenodeProblem where it cannot be satisfied."""


@dataclass(frozen=True)
class State:
    """*node* is None as long as no configuration was accepted; *refusal* is why the first was not.

    *pods* has the ids of the running containers, by pod and container name; *created* counts.
    """

    config: Mapping[str, Any]
    kube_node: Optional[KubeNode] = None
    refusal: str = ""
    pods: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    created: int = 0


After = tuple[State, Optional[str]]
"""A state, and what was wrong with the step that led to it."""


class Run:
    """A scenario on its policy; *all_or_nothing* is whether a configuration is refused under which
    a running container cannot be placed (else that one is left as it is)."""

    def __init__(self, scenario: Scenario, make: MakePolicy, *, all_or_nothing: bool) -> None:
        self._scenario = scenario
        self._make = make
        self._all_or_nothing = all_or_nothing

    def start(self) -> State:
        """Nothing runs; the first configuration was tried."""
        config = self._scenario.config
        try:
            return State(config, KubeNode.of(self._make(config)))
        except HomenodeProblem as error:
            return State(config, refusal=str(error))

    def states(self, state: State) -> Iterator[After]:
        """The state after each step."""
        for step in self._scenario.steps:
            state, error = self._take(state, step)
            yield state, error

    def _take(self, state: State, step: Step) -> After:
        if isinstance(step, Create):
            return self._create(state, step)
        if isinstance(step, Delete):
            return _delete(state, step)
        if isinstance(step, Exit):
            return _exit(state, step)
        if isinstance(step, Update):
            return _update(state, step)
        if isinstance(step, Configure):
            return self._configure(state, step)
        return self._restart(state)

    def _create(self, state: State, step: Create) -> After:
        pod = step.pod
        if pod.full_name in state.pods:
            return state, f"pod {pod.full_name} is there already"
        sandbox = sandbox_of(pod, state.created)
        state = _with_pod(state, pod.full_name, {})
        for container in (*pod.init_containers, *pod.containers):
            name = f"{pod.full_name}/{container.name}"
            if state.kube_node is None:
                return state, state.refusal
            ask = ask_of(self._scenario.machine, sandbox, container, state.created)
            try:
                kube_node = state.kube_node.create(ask)
            except HomenodeProblem as error:
                return state, f"{name}: {error}"
            state = replace(state, kube_node=kube_node, created=state.created + 1)
            if container in pod.init_containers:
                state = replace(state, kube_node=kube_node.remove(ask.container_id))
            else:
                ids = {**state.pods[pod.full_name], container.name: ask.container_id}
                state = _with_pod(state, pod.full_name, ids)
        return state, None

    def _configure(self, state: State, step: Configure) -> After:
        try:
            policy = self._make(step.spec)
        except HomenodeProblem as error:
            return state, str(error)
        if state.kube_node is None:
            return replace(state, config=step.spec, kube_node=KubeNode.of(policy)), None
        kube_node, unplaced = state.kube_node.restarted(policy)
        if unplaced and self._all_or_nothing:
            return state, "; ".join(unplaced)
        return replace(state, config=step.spec, kube_node=kube_node), None

    def _restart(self, state: State) -> After:
        if state.kube_node is None:
            return state, None
        kube_node, unplaced = state.kube_node.restarted(self._make(state.config))
        return replace(state, kube_node=kube_node), "; ".join(unplaced) or None


def _delete(state: State, step: Delete) -> After:
    ids = state.pods.get(step.pod)
    if ids is None:
        return state, f"there is no pod {step.pod}"
    for container_id in ids.values():
        state = _without(state, container_id)
    pods = {name: known for name, known in state.pods.items() if name != step.pod}
    return replace(state, pods=pods), None


def _exit(state: State, step: Exit) -> After:
    pod, _slash, name = step.container.rpartition("/")
    ids = dict(state.pods.get(pod, {}))
    if name not in ids:
        return state, f"no container {step.container} is running"
    state = _without(state, ids.pop(name))
    return _with_pod(state, pod, ids), None


def _update(state: State, step: Update) -> After:
    pod, _slash, name = step.container.rpartition("/")
    container_id = state.pods.get(pod, {}).get(name)
    if container_id is None or state.kube_node is None:
        return state, f"no container {step.container} is running"
    ask = with_amounts(state.kube_node.running[container_id].ask, step.amounts)
    try:
        return replace(state, kube_node=state.kube_node.resize(ask)), None
    except HomenodeProblem as error:
        return state, f"{step.container}: {error}"


def _with_pod(state: State, pod: str, ids: Mapping[str, str]) -> State:
    return replace(state, pods={**state.pods, pod: ids})


def _without(state: State, container_id: str) -> State:
    if state.kube_node is None:
        return state
    return replace(state, kube_node=state.kube_node.remove(container_id))
