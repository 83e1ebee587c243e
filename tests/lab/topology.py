# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines as data: nodes, CPUs, distances and memory speeds, and the QEMU arguments for them.

CPUs are numbered node by node. QEMU wants one shape for all packages, so a package here is the
largest block of cores that every node is made of: a node of 4 CPUs beside a node of 2 has two
packages. With `dies` above 1, that many nodes share a package instead, one die each; with
`nodes_per_package` above 1, that many nodes share a package of one die.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.problem import LabProblem

LOCAL = 10  # the distance of a node to itself, by definition of ACPI
FARTHEST = 254
UNITS = {"K": 1 / 1024, "M": 1, "G": 1024}


@dataclass(frozen=True)
class NumaNode:
    """One NUMA node: its number of CPUs and its memory in MiB, either of which may be 0."""

    cpus: int
    memory: int
    initiator: int | None = None  # with HMAT: the node whose CPUs are nearest


@dataclass(frozen=True)
class Topology:
    """A machine. No nodes means a machine that says nothing of NUMA, with `plain_cpus` CPUs.

    `distances` is as in ACPI's SLIT. `latencies` (ns) and `bandwidths` (MB/s) are as in its
    HMAT, by initiator node and target node; nodes without CPUs have no row.
    """

    nodes: tuple[NumaNode, ...] = ()
    distances: tuple[tuple[int, ...], ...] = ()
    threads: int = 1
    dies: int = 1
    nodes_per_package: int = 1
    latencies: tuple[tuple[int, ...], ...] = ()
    bandwidths: tuple[tuple[int, ...], ...] = ()
    plain_cpus: int = 4
    plain_memory: int = 2048

    @property
    def cpus(self) -> int:
        """The number of logical CPUs."""
        return sum(node.cpus for node in self.nodes) if self.nodes else self.plain_cpus

    @property
    def memory(self) -> int:
        """All memory, in MiB."""
        return sum(node.memory for node in self.nodes) if self.nodes else self.plain_memory


def parse(description: Mapping[str, Any]) -> Topology:
    """A topology from a description as in JSON: `{"nodes": [{"cpus": 2, "memory": "1G"}], ...}`.

    Raises LabProblem naming the field that is wrong.
    """
    known = {"nodes", "distances", "threads", "dies", "nodes_per_package"}
    known |= {"latencies", "bandwidths"}
    if unknown := set(description) - known:
        raise LabProblem(f"unknown field {min(unknown)!r}", f"use {', '.join(sorted(known))}")
    nodes = tuple(
        NumaNode(int(node.get("cpus", 0)), mebibytes(node.get("memory", 0)), node.get("initiator"))
        for node in description.get("nodes", ())
    )
    topology = Topology(
        nodes=nodes,
        distances=_matrix(description.get("distances", ())),
        threads=int(description.get("threads", 1)),
        dies=int(description.get("dies", 1)),
        nodes_per_package=int(description.get("nodes_per_package", 1)),
        latencies=_matrix(description.get("latencies", ())),
        bandwidths=_matrix(description.get("bandwidths", ())),
    )
    _check(topology)
    return topology


def _matrix(rows: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(value) for value in row) for row in rows)


def mebibytes(size: str | int) -> int:
    """Memory in MiB from a number of MiB or a text like `512M` or `1G`."""
    if isinstance(size, int):
        return size
    match = re.fullmatch(r"(\d+)([KMG])", size)
    if not match:
        raise LabProblem(f"memory: {size!r} is no size", "write it like 512M or 1G")
    return int(int(match[1]) * UNITS[match[2]])


def _check(topology: Topology) -> None:
    """Refuse what QEMU would refuse later, with a better reason."""
    nodes, count = topology.nodes, len(topology.nodes)
    if nodes and not (topology.cpus and topology.memory):
        raise LabProblem("nodes: a machine needs at least one CPU and some memory")
    if any(node.cpus % topology.threads for node in nodes):
        raise LabProblem("threads: each node's CPUs must be whole cores")
    for name, matrix, rows in (
        ("distances", topology.distances, count),
        ("latencies", topology.latencies, len(_initiators(topology))),
        ("bandwidths", topology.bandwidths, len(_initiators(topology))),
    ):
        if matrix and (len(matrix) != rows or any(len(row) != count for row in matrix)):
            raise LabProblem(f"{name}: needs {rows} rows of {count}")
    for source, row in enumerate(topology.distances):
        for target, value in enumerate(row):
            low, high = (LOCAL, LOCAL) if source == target else (LOCAL + 1, FARTHEST)
            if not low <= value <= high:
                pair = f"from {source} to {target}"
                raise LabProblem(f"distances: {value} {pair} is not within {low}..{high}")
    if bool(topology.latencies) != bool(topology.bandwidths):
        raise LabProblem("latencies and bandwidths: give both or none")


def _initiators(topology: Topology) -> list[int]:
    return [number for number, node in enumerate(topology.nodes) if node.cpus]


def qemu_arguments(topology: Topology) -> list[str]:
    """The part of QEMU's command line that describes this machine's CPUs and memory."""
    arguments = ["-machine", f"q35,hpet=off,hmat={'on' if topology.latencies else 'off'}"]
    arguments += ["-smp", _smp(topology), "-m", f"{topology.memory}M"]
    first = 0
    for number, node in enumerate(topology.nodes):
        fields = [f"node,nodeid={number}"]
        if node.cpus:
            fields.append(f"cpus={first}-{first + node.cpus - 1}")
        if node.memory:
            arguments += ["-object", f"memory-backend-ram,id=memory{number},size={node.memory}M"]
            fields.append(f"memdev=memory{number}")
        if topology.latencies:
            nearest = number if node.cpus else node.initiator or 0
            fields.append(f"initiator={nearest}")
        arguments += ["-numa", ",".join(fields)]
        first += node.cpus
    for source, row in enumerate(topology.distances):
        for target, value in enumerate(row):
            if source != target:
                arguments += ["-numa", f"dist,src={source},dst={target},val={value}"]
    return arguments + _hmat(topology)


def _smp(topology: Topology) -> str:
    if not topology.nodes:
        return f"{topology.cpus},sockets=1,cores={topology.cpus},threads=1"
    cores = math.gcd(*(node.cpus // topology.threads for node in topology.nodes))
    cores *= topology.nodes_per_package
    packages = topology.cpus // (cores * topology.threads * topology.dies)
    shape = f"sockets={packages},dies={topology.dies},cores={cores},threads={topology.threads}"
    return f"{topology.cpus},{shape}"


def _hmat(topology: Topology) -> list[str]:
    """Memory speeds. QEMU takes bandwidths in MiB/s under the suffix M."""
    arguments = []
    for row, initiator in enumerate(_initiators(topology) if topology.latencies else ()):
        for target in range(len(topology.nodes)):
            pair = f"hmat-lb,initiator={initiator},target={target},hierarchy=memory"
            latency = f"access-latency,latency={topology.latencies[row][target]}"
            bandwidth = f"access-bandwidth,bandwidth={topology.bandwidths[row][target]}M"
            arguments += ["-numa", f"{pair},data-type={latency}"]
            arguments += ["-numa", f"{pair},data-type={bandwidth}"]
    return arguments


NAMED: Mapping[str, Topology] = {
    "2n": parse(
        {
            "nodes": [{"cpus": 2, "memory": "1G"}] * 2,
            "distances": [[10, 21], [21, 10]],
        }
    ),
    "4n": parse(
        {
            "nodes": [{"cpus": 2, "memory": "512M"}] * 4,
            "distances": [[10, 12, 20, 22], [12, 10, 22, 20], [20, 22, 10, 12], [22, 20, 12, 10]],
        }
    ),
    "ht": parse(
        {
            "nodes": [{"cpus": 4, "memory": "512M"}] * 4,
            "distances": [[10, 12, 32, 32], [12, 10, 32, 32], [32, 32, 10, 12], [32, 32, 12, 10]],
            "threads": 2,
            "dies": 2,
        }
    ),
    "n4c16": parse(
        {
            "nodes": [{"cpus": 4, "memory": "2G"}] * 4,
            "distances": [[10, 11, 21, 21], [11, 10, 21, 21], [21, 21, 10, 11], [21, 21, 11, 10]],
            "threads": 2,
            "nodes_per_package": 2,
        }
    ),
    "n6": parse(
        {
            "nodes": [
                *[{"cpus": 4, "memory": "2G"}] * 2,
                *[{"memory": "1G"}] * 2,
                *[{"memory": "4G"}] * 2,
            ],
            "distances": [
                [10, 21, 15, 30, 60, 70],
                [21, 10, 30, 15, 70, 60],
                [15, 30, 10, 35, 62, 72],
                [30, 15, 35, 10, 72, 62],
                [60, 70, 62, 72, 10, 75],
                [70, 60, 72, 62, 75, 10],
            ],
            "threads": 2,
        }
    ),
    "tier": parse(
        {
            "nodes": [
                {"cpus": 2, "memory": "1G"},
                {"cpus": 2, "memory": "1G"},
                {"memory": "1G", "initiator": 0},
            ],
            "distances": [[10, 21, 24], [21, 10, 31], [24, 31, 10]],
            "latencies": [[10, 21, 300], [21, 10, 400]],
            "bandwidths": [[20000, 10000, 3000], [10000, 20000, 2000]],
        }
    ),
    "memless": parse(
        {
            "nodes": [{"cpus": 2, "memory": "1G"}, {"cpus": 2}],
            "distances": [[10, 21], [21, 10]],
        }
    ),
    "none": Topology(),
}


def topology(name: str) -> Topology:
    """A topology by its name, or from the JSON file of that path."""
    if name in NAMED:
        return NAMED[name]
    if name.endswith(".json") and Path(name).is_file():
        return parse(json.loads(Path(name).read_text(encoding="utf-8")))
    raise LabProblem(
        f"unknown topology {name!r}",
        f"use {', '.join(NAMED)}, or the path of a machine description (.json)",
    )
