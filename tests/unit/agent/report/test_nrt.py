# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology object: pools, balloons and NUMA nodes as the published API and its readers want."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.machines import sockets
from fakes.node import GIB, FakeNode, machine
from homenode.intent.config import PinningConfig
from homenode.intent.policy_config import CommonConfig, CpuAmount
from homenode.report.nrt import nrt
from homenode.world.place import Place
from homenode.world.world import World
from model.cpuset import CpuSet, NodeSet

TWO = machine(sockets(2, cores=4))
ANY = CpuAmount()


@dataclass(frozen=True)
class Divided:
    """A policy that has divided the machine, and does nothing more."""

    divided: tuple[Place, ...]

    def start(self) -> None:
        """Nothing is booked."""

    def places(self, books: object) -> tuple[Place, ...]:
        """As given."""
        return self.divided


def pool(name: str, cpus: str, mems: str, parent: str = "root", **more: Any) -> Place:
    """A pool of which half a CPU is taken; memory as on the machine."""
    count = 1000 * len(CpuSet.parse(cpus))
    nodes = NodeSet.parse(mems)
    figures = {"cpu_capacity": count, "cpu_allocatable": count, "cpu_available": count - 500}
    memory = {"memory_capacity": 16 * GIB * len(nodes), "memory_available": 5 * GIB}
    own = CpuSet.parse(cpus)
    return Place(
        name, own, kind="numa node", parent=parent, shared=own, mems=nodes,
        **{**figures, **memory, **more},
    )  # fmt: skip


def balloon(name: str, cpus: str, **more: Any) -> Place:
    """A balloon of an eight-CPU machine."""
    figures = {"cpu_capacity": 8000, "cpu_allocatable": 4000, "cpu_available": 2500}
    return Place(name, CpuSet.parse(cpus), kind="balloon", excess="500m", **{**figures, **more})


def divided(*places: Place, available: CpuAmount = ANY) -> World:
    """Two sockets of one NUMA node and four CPUs each, divided like that."""
    spec = CommonConfig(CpuAmount(millis=750), available=available)
    pinning = PinningConfig(policy="topology-aware", spec=spec)
    return World(TWO, pinning=pinning, policy=Divided(places))


def zones(world: World) -> dict[str, dict[str, Any]]:
    """By name, which is unique."""
    made = nrt("worker-1", world)["zones"]
    named = {zone["name"]: zone for zone in made}
    assert len(named) == len(made)
    return named


def figures(zone: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Capacity, allocatable and available of each resource."""
    return {
        each["name"]: (each["capacity"], each["allocatable"], each["available"])
        for each in zone["resources"]
    }


POOLS = (
    pool("NUMA node #0", "0-3", "0", isolated=CpuSet([3])),
    pool("NUMA node #1", "4-7", "1"),
    pool("root", "0-7", "0-1", "", reserved=CpuSet([0])),
)


def test_whole_object() -> None:
    made = nrt("worker-1", divided(*POOLS[:1]))
    assert made["apiVersion"] == "topology.node.k8s.io/v1alpha2"
    assert (made["kind"], made["metadata"]) == ("NodeResourceTopology", {"name": "worker-1"})
    assert made["attributes"] == [
        {"name": "TopologyPolicy", "value": "topology-aware"},
        {"name": "nodeTopologyPodsFingerprint", "value": "pfp0v001ef46db3751d8e999"},
        {"name": "nodeTopologyPodsFingerprintMethod", "value": "all"},
    ]
    assert made["zones"][2] == {
        "name": "NUMA node #0",
        "type": "numa node",
        "parent": "root",
        "resources": [
            {"name": "memory", "capacity": "17179869184", "allocatable": "17179869184",
             "available": "5368709120"},
            {"name": "cpu", "capacity": "4", "allocatable": "4", "available": "3500m"},
        ],
        "attributes": [
            {"name": "memory set", "value": "0"},
            {"name": "shared cpuset", "value": "0-3"},
            {"name": "isolated cpuset", "value": "3"},
        ],
    }  # fmt: skip


def test_root_has_no_parent() -> None:
    assert "parent" not in zones(divided(*POOLS))["root"]


def test_numa_node_that_is_a_pool() -> None:
    made = zones(divided(*POOLS))["node-1"]
    assert made["type"] == "Node"
    assert made["costs"] == [{"name": "node-0", "value": 21}, {"name": "node-1", "value": 10}]
    assert figures(made) == {
        "cpu": ("4", "4", "3500m"),
        "memory": ("17179869184", "17179869184", "5368709120"),
    }


def test_overcommitted_pool_leaves_nothing_of_its_numa_node() -> None:
    full = pool("NUMA node #0", "0-3", "0", memory_available=-GIB, cpu_available=-1)
    made = zones(divided(full, *POOLS[1:]))
    assert figures(made["NUMA node #0"])["memory"][2] == "-1073741824"
    assert [values[2] for values in figures(made["node-0"]).values()] == ["0", "0"]


def test_numa_node_divided_among_balloons() -> None:
    available = CpuAmount(excluded=CpuSet([7]))
    places = (balloon("default[0]", "0"), balloon("db[0]", "3-5"))
    made = zones(divided(*places, available=available))
    assert figures(made["node-0"]) == {"cpu": ("4", "4", "2")}
    assert figures(made["node-1"]) == {"cpu": ("4", "3", "1")}


def test_balloon_is_not_taken_for_its_numa_node() -> None:
    assert figures(zones(divided(balloon("db[0]", "0-3")))["node-0"])["cpu"][2] == "0"


def test_balloon() -> None:
    made = zones(divided(balloon("db[0]", "0-1", shared=CpuSet([2]), components="{{0}, {1}}")))
    assert figures(made["db[0]"]) == {"cpu": ("8", "4", "2500m")}
    assert made["db[0]"]["attributes"] == [
        {"name": "cpuset", "value": "0-1"},
        {"name": "shared cpuset", "value": "2"},
        {"name": "excess cpus", "value": "500m"},
        {"name": "component cpusets", "value": "{{0}, {1}}"},
    ]


@pytest.mark.parametrize("show", [True, False])
def test_containers_of_a_balloon(show: bool) -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a")
    places = (balloon("db[0]", "0-3", containers=("a", "gone"), show_containers=show),)
    made = zones(replace(fake.world, policy=Divided(places), books=()))
    assert ("default/a/a" in made) is show
    if show:
        assert made["default/a/a"] == {
            "name": "default/a/a",
            "type": "allocation for container",
            "parent": "db[0]",
            "resources": [{"name": "cpu", "capacity": "2", "allocatable": "2", "available": "0"}],
            "attributes": [
                {"name": "cpuset", "value": "1-2"},
                {"name": "memory set", "value": "0"},
            ],
        }


def test_pods_that_have_only_a_sandbox_or_have_ended_are_not_in_the_fingerprint() -> None:
    fake = FakeNode(TWO)
    fake.run("G1=a G1=b")
    both = nrt("worker-1", fake.world)["attributes"][1]
    fake.stop("b")
    assert nrt("worker-1", fake.world)["attributes"][1] != both
    assert nrt("worker-1", fake.world)["attributes"][1]["value"] == "pfp0v00173ac1f6debaedf3d"
