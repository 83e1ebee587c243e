# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every scenario of this folder, and what holds in each: restarts move nobody, nothing leaks.

A file is a scenario of ``homenode simulate`` whose machine may be a name of
``peers/machines.yaml``, and whose steps may have three keys more:

``then``: containers with exactly these ``[cpus, mems]`` after the step;
``expect``: expressions that are true then, see ``views``;
``error``: a part of the step's error; a step without it has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Optional

import pytest
import yaml

from homenode.pinning.policy import Held
from homenode.simulate.answer import answer
from homenode.simulate.kube_node import KubeNode
from homenode.simulate.policies import run_of
from homenode.simulate.scenario import Scenario, read_scenario
from model.cpuset import CpuSet
from model.machine import Machine
from model.workload import NOT_OURS

FOLDER = Path(__file__).parent
MACHINES = FOLDER.parent / "peers" / "machines.yaml"
FILES = sorted(FOLDER.glob("*/*.yaml"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]
ADDED = ("then", "expect", "error")
RESTART: Mapping[str, Any] = {"restart": {}}


@cache
def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(content.get("machine"), str):
        content = {**content, "machine": read(MACHINES)[content["machine"]]}
    return content


def scenario_of(content: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Scenario:
    def recorded(path: str) -> Machine:
        raise AssertionError(path)

    return read_scenario({**content, "steps": steps}, source="scenario", recorded=recorded)


def played(
    content: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> tuple[Machine, list[dict[str, Any]]]:
    scenario = scenario_of(content, steps)
    found: list[dict[str, Any]] = answer(run_of(scenario))["steps"]
    return scenario.machine, found


def plain(step: Mapping[str, Any]) -> dict[str, Any]:
    """The step as ``simulate`` takes it."""
    return {key: value for key, value in step.items() if key not in ADDED}


def disjoint(*sets: set[int]) -> bool:
    """Whether no two have anything in common."""
    return len(set().union(*sets)) == sum(map(len, sets))


def of(pod: str, view: Mapping[str, Any]) -> list[Any]:
    """What *view* has of the containers of *pod*, who are named after it."""
    return [value for name, value in view.items() if name.startswith(f"{pod}c")]


def views(machine: Machine, told: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions may name: sets by the container's own name, None for "left alone".

    ``nodes``, ``packages``, ``dies`` and ``cores`` are those of a container's CPUs; ``pool`` is its
    pool, ``pools`` all of them.
    """
    given = {name.rpartition("/")[2]: one for name, one in told["assignments"].items()}
    cpus = {name: _ids(one["cpus"]) for name, one in given.items()}

    def over(groups: Sequence[CpuSet]) -> dict[str, set[int]]:
        return {
            name: {at for at, group in enumerate(groups) if set(group) & (own or set())}
            for name, own in cpus.items()
        }

    nodes = {one.id: one.cpus for one in machine.nodes}
    return {
        "cpus": cpus,
        "mems": {name: _ids(one["mems"]) for name, one in given.items()},
        "nodes": over([nodes.get(number, CpuSet()) for number in range(max(nodes) + 1)]),
        "packages": over([package.cpus for package in machine.packages]),
        "dies": over([die.cpus for die in machine.dies]),
        "cores": over(machine.siblings),
        "pool": {name: one["pool"] for name, one in given.items()},
        "pools": told["pools"],
        "disjoint": disjoint,
        "of": of,
    }


def _ids(text: Optional[str]) -> Optional[set[int]]:
    return None if text is None else set(CpuSet.parse(text))


def problems(machine: Machine, step: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """What is not as the step says."""
    wanted = step.get("error")
    wrong = []
    if bool(wanted) != bool(told["error"]) or (wanted and wanted not in told["error"]):
        wrong.append(f"error: {told['error']}")
    for name, pair in step.get("then", {}).items():
        one = told["assignments"].get(f"default/{name}", {})
        if [one.get("cpus"), one.get("mems")] != pair:
            wrong.append(f"{name}: {one.get('cpus')}, {one.get('mems')} instead of {pair}")
    names = views(machine, told)
    for expression in step.get("expect", ()):
        if not eval(expression, names):
            wrong.append(f"{expression}: {told['assignments']}")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_placements(path: Path) -> None:
    content = read(path)
    machine, found = played(content, [plain(step) for step in content["steps"]])
    wrong = [problems(machine, step, told) for step, told in zip(content["steps"], found)]
    assert not any(wrong), wrong
    assert any(key in step for step in content["steps"] for key in ADDED)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_restarts_change_nothing(path: Path) -> None:
    content = read(path)
    steps = [plain(step) for step in content["steps"]]
    _machine, without = played(content, steps)
    _machine, restarted = played(content, [one for step in steps for one in (step, RESTART)])
    for number, told in enumerate(without):
        for after in restarted[2 * number : 2 * number + 2]:
            assert _placed(after) == _placed(told), (number, after["error"])


def states(path: Path) -> Iterator[KubeNode]:
    """The node after each step, as soon as it has a policy."""
    content = read(path)
    run = run_of(scenario_of(content, [plain(step) for step in content["steps"]]))
    for state, _error in run.states(run.start()):
        if state.kube_node is not None:
            yield state.kube_node


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nobody_moves_if_everything_was_forgotten(path: Path) -> None:
    """As after a crash that took the agent's files along: cgroups are all there is."""
    for kube_node in states(path):
        running = kube_node.running
        adoption = kube_node.policy.adopt(
            [Held(one.ask, one.live) for one in running.values()], None
        )
        assert not adoption.changed
        assert all(running[key].live == NOT_OURS for key in adoption.newcomers)
        for key, placed in adoption.placed.items():
            assert placed.placement.cpus in (None, running[key].live.cpus)
            assert placed.placement.mems in (None, running[key].live.mems)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_is_left_when_everybody_has_gone(path: Path) -> None:
    *_earlier, kube_node = states(path)
    for container_id in kube_node.running:
        kube_node = kube_node.remove(container_id)
    left, fresh = kube_node.places(), KubeNode.of(kube_node.policy).places()
    assert not any(place.containers for place in left)
    if path.parent.name == "topology-aware":  # where balloons lie depends on their history
        assert left == fresh


def _placed(told: Mapping[str, Any]) -> tuple[Any, Any]:
    assignments = told["assignments"]
    return {
        name: (one["cpus"], one["mems"], one["pool"]) for name, one in assignments.items()
    }, told["pools"]
