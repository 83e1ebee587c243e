# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds after any steps, under both policies, on small machines of several shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.pinning.policy import Place
from homenode.simulate.kube_node import KubeNode
from homenode.simulate.policies import run_of
from homenode.simulate.scenario import read_scenario
from model.cpuset import NO_CPUS
from model.machine import Machine

MACHINES: tuple[Mapping[str, Any], ...] = (
    {
        "packages": [
            {"nodes": [{"id": 0, "cpus": "0-3", "memory": "2Gi"}]},
            {"nodes": [{"id": 1, "cpus": "4-7", "memory": "2Gi"}]},
        ],
        "nodes_without_cpus": [{"id": 2, "memory": "4Gi", "type": "PMEM"}],
        "threads_per_core": 2,
    },
    {
        "packages": [{"nodes": [{"id": 3, "cpus": "0-11", "memory": "4Gi"}]}],
        "siblings": ["0,6", "1,7", "2,8"],
        "l3": ["0-2,6-8", "3-5,9-11"],
        "isolated": "5",
    },
    {
        "packages": [{"nodes": [{"id": 0, "cpus": "0-7", "memory": "1Gi"}]}],
        "core_kinds": {"efficiency": "4-7"},
        "l2": ["0-1", "2-3", "4-7"],
    },
)
CONFIGS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("topology-aware", {}),
    ("topology-aware", {"colocatePods": True, "preferSharedCPUs": True}),
    ("topology-aware", {"unlimitedBurstable": "numa", "defaultCPUPriority": "high"}),
    ("balloons", {}),
    (
        "balloons",
        {
            "allocatorTopologyBalancing": True,
            "balloonTypes": [
                {"name": "a", "namespaces": ["a"], "minCPUs": 1, "maxCPUs": 3, "minBalloons": 1},
                {"name": "b", "namespaces": ["b"], "shareIdleCPUsInSame": "numa"},
                {
                    "name": "c",
                    "namespaces": ["*"],
                    "preferNewBalloons": True,
                    "hideHyperthreads": True,
                },
            ],
        },
    ),
)

amounts = st.sampled_from(
    (
        {},
        {"requests": {"cpu": "300m", "memory": "100M"}},
        {"requests": {"cpu": "500m"}, "limits": {"cpu": "2", "memory": "3Gi"}},
        {"limits": {"cpu": "1", "memory": "100M"}},
        {"limits": {"cpu": "2", "memory": "900M"}},
        {"limits": {"cpu": "2500m", "memory": "100M"}},
        {"limits": {"cpu": "4", "memory": "100M"}},
    )
)
namespaces = st.sampled_from(("default", "kube-system", "a", "b"))
numbers = st.integers(0, 3)


@st.composite
def steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Pods of few names, so that much is deleted, resized and created again."""
    found: list[dict[str, Any]] = []
    for _step in range(draw(st.integers(1, 10))):
        pod = f"{draw(namespaces)}/p{draw(numbers)}"
        namespace, name = pod.split("/")
        containers = [{"name": f"c{at}", **one} for at, one in enumerate(draw(some_amounts))]
        create = {"name": name, "namespace": namespace, "containers": containers}
        update = {"container": f"{pod}/c0", **draw(amounts)}
        choice = ({"create": create}, {"delete": pod}, {"exit": f"{pod}/c0"}, {"update": update})
        found.append(draw(st.sampled_from((*choice[:1] * 3, *choice))))
    return found


some_amounts = st.lists(amounts, min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MACHINES), st.sampled_from(CONFIGS), steps())
def test_what_always_holds(
    machine: Mapping[str, Any], policy: tuple[str, Mapping[str, Any]], taken: list[dict[str, Any]]
) -> None:
    def recorded(path: str) -> Machine:
        raise AssertionError(path)

    name, config = policy
    config = {"reservedResources": {"cpu": "750m"}, **config}
    content = {"machine": machine, "policy": name, "config": config, "steps": taken}
    run = run_of(read_scenario(content, source="s", recorded=recorded))
    before = run.start()
    assert before.kube_node is not None, before.refusal
    for step, (state, error) in zip(taken, run.states(before)):
        assert state.kube_node is not None
        check(state.kube_node)
        if error and "create" not in step:
            assert state.kube_node is before.kube_node
        before = state
    empty = before.kube_node
    assert empty is not None
    for container_id in empty.running:
        empty = empty.remove(container_id)
    if name == "topology-aware":  # where balloons lie depends on their history
        assert places(empty) == places(KubeNode.of(empty.policy))


def check(kube_node: KubeNode) -> None:
    """Nobody has nothing, nobody is on another's own CPUs, and a restart changes nothing."""
    own = NO_CPUS
    for one in kube_node.running.values():
        assert one.live.cpus and one.live.mems
        assert one.placed.exclusive <= one.live.cpus
        assert not one.placed.exclusive & own
        own = own | one.placed.exclusive
    for one in kube_node.running.values():
        assert one.live.cpus is not None
        assert not (one.live.cpus - one.placed.exclusive) & own
    again, unplaced = kube_node.restarted(kube_node.policy)
    assert not unplaced
    assert {key: one.live for key, one in again.running.items()} == {
        key: one.live for key, one in kube_node.running.items()
    }
    assert places(again) == places(kube_node)


def places(kube_node: KubeNode) -> list[Place]:
    """Pools or balloons; in which order their containers came is of no interest."""
    return [replace(one, containers=tuple(sorted(one.containers))) for one in kube_node.places()]
