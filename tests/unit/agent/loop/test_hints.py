# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container was given is near something: which of it counts, and where that leads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, container, machine, pod
from fakes.policies import pinning
from homenode.intent.config import TOPOLOGY_AWARE
from homenode.loop.ask import ask_of
from model.cpuset import CpuSet, NodeSet
from model.events import ContainerCreating
from model.workload import Near

TWO = machine(sockets(2, cores=4))
NIC = Near("devices", ("/sys/devices/pci/nic",), CpuSet.parse("4-7"))
DISK = Near("mounts", ("/data", "/sys/devices/pci/disk"), CpuSet.parse("0-3"))
GPU = Near("pod-resources", ("podresourceapi:vendor/gpu",), nodes=NodeSet([1]))
ALL = (NIC, DISK, GPU)
SUFFIX = ".resource-policy.nri.io"

COUNTING: dict[str, tuple[dict[str, str], tuple[Near, ...]]] = {
    "all": ({}, ALL),
    "none": ({"topologyhints" + SUFFIX: "false"}, ()),
    "of one kind": ({"topologyhints" + SUFFIX: "mounts"}, (DISK,)),
    "all but a path of the host": (
        {"deny.topologyhints" + SUFFIX: "{type: prefix, paths: [/data]}"}, (NIC, GPU)),
    "all but a path of sysfs": (
        {"deny.topologyhints" + SUFFIX: "{type: glob, paths: ['/sys/devices/*/nic']}"},
        (DISK, GPU)),
    "denied and allowed": (
        {"deny.topologyhints" + SUFFIX: "{type: prefix, paths: [/sys]}",
         "allow.topologyhints" + SUFFIX: "{type: prefix, paths: [/sys/devices/pci/nic]}"},
        (NIC, GPU)),
}  # fmt: skip


@pytest.mark.parametrize("row", COUNTING.values(), ids=COUNTING)
def test_what_counts(row: tuple[dict[str, str], tuple[Near, ...]]) -> None:
    annotations, expected = row
    made = pod("a", "G1", annotations)
    one = replace(container("a", "G1", made), near=ALL)
    ask = ask_of(FakeNode(TWO).world, made, one)
    assert [(hint.provider, hint.cpus, hint.nodes) for hint in ask.hints] == [
        (near.paths[-1], near.cpus, near.nodes) for near in expected
    ]


def test_the_first_of_one_provider_counts() -> None:
    made = pod("a", "G1")
    twice = (NIC, replace(NIC, cpus=CpuSet.parse("0")))
    ask = ask_of(FakeNode(TWO).world, made, replace(container("a", "G1", made), near=twice))
    assert [hint.cpus for hint in ask.hints] == [NIC.cpus]


@pytest.mark.parametrize(("near", "cpus"), [(NIC, "4-7"), (DISK, "0-3")])
def test_a_container_goes_where_its_device_is(near: Near, cpus: str) -> None:
    fake = FakeNode(TWO, pinning(TOPOLOGY_AWARE))
    made = pod("a", "G2")
    one = replace(container("a", "G2", made), near=(near,))
    adjust = fake.send(ContainerCreating(made, one)).reply.adjust
    assert adjust is not None and adjust.cpus is not None
    assert adjust.cpus <= CpuSet.parse(cpus)
