# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The feature file, read as node-feature-discovery reads it: namespace, name and value a line."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fakes.files import FakeFiles
from fakes.hand_made import HAND_MADE
from fakes.machines import Shape, machine_files, sockets
from homenode.report.nfd import features
from model.cpuset import CpuSet
from model.machine import Machine
from model.sysfs import read_machine

LABEL = re.compile(r"homenode\.io/[a-z0-9][a-z0-9.-]{0,61}[a-z0-9]=[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def labels(machine: Machine, swap: str = "") -> dict[str, str]:
    """What NFD would make of it; every line is a label that Kubernetes accepts."""
    text = features(machine, policy="topology-aware", mechanism="nri", swap=swap)
    assert text.endswith("\n")
    assert all(LABEL.fullmatch(line) for line in text.splitlines())
    found = dict(line.split("=", 1) for line in text.splitlines())
    return {name[len("homenode.io/") :]: value for name, value in found.items()}


def read(shape: Shape) -> Machine:
    """The machine of these files."""
    return read_machine(FakeFiles(machine_files(shape)))


ALWAYS = {"pinning.policy": "topology-aware", "pinning.mechanism": "nri"}
MACHINES = {
    "one socket": (sockets(1, cores=4), {"numa.nodes": "1"}),
    "two sockets": (sockets(2, cores=4), {"numa.nodes": "2"}),
    "SNC": (sockets(2, nodes=4, cores=2), {"numa.nodes": "8", "numa.sub-numa-clusters": "4"}),
    "HBM": (
        HAND_MADE["hbm"][1](),
        {"numa.nodes": "4", "memory.cpuless-nodes": "2", "memory.hbm": "true"},
    ),
    "CXL and PMEM": (
        HAND_MADE["cxl-pmem"][1](),
        {"numa.nodes": "3", "memory.cpuless-nodes": "2", "memory.cxl": "true",
         "memory.pmem": "true"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "expected"), MACHINES.values(), ids=MACHINES)
def test_machine(shape: Shape, expected: dict[str, str]) -> None:
    assert labels(read(shape)) == {**expected, **ALWAYS}


def test_swap() -> None:
    assert labels(read(sockets(1, cores=2)), swap="zram")["swap.kind"] == "zram"


def test_numa_node_of_two_sockets_is_no_cluster() -> None:
    machine = read(sockets(2, cores=2))
    both = replace(machine.nodes[0], cpus=CpuSet.parse("0-3"))
    assert "numa.sub-numa-clusters" not in labels(replace(machine, nodes=(both,)))
