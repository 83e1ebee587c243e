# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The QEMU arguments of machines; nothing is booted here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.machine import cpu_model
from lab.problem import LabProblem
from lab.topology import NAMED, mebibytes, parse, qemu_arguments, topology


def values(arguments: list[str], option: str) -> list[str]:
    """The values of one option, in order."""
    return [value for key, value in zip(arguments, arguments[1:]) if key == option]


@pytest.mark.parametrize(
    ("name", "smp", "memory"),
    [
        ("2n", "4,sockets=2,dies=1,cores=2,threads=1", "2048M"),
        ("4n", "8,sockets=4,dies=1,cores=2,threads=1", "2048M"),
        ("ht", "16,sockets=2,dies=2,cores=2,threads=2", "2048M"),
        ("n4c16", "16,sockets=2,dies=1,cores=4,threads=2", "8192M"),
        ("n6", "8,sockets=2,dies=1,cores=2,threads=2", "14336M"),
        ("tier", "4,sockets=2,dies=1,cores=2,threads=1", "3072M"),
        ("memless", "4,sockets=2,dies=1,cores=2,threads=1", "1024M"),
        ("none", "4,sockets=1,cores=4,threads=1", "2048M"),
    ],
)
def test_size_and_shape(name: str, smp: str, memory: str) -> None:
    arguments = qemu_arguments(NAMED[name])
    assert values(arguments, "-smp") == [smp]
    assert values(arguments, "-m") == [memory]


def test_two_nodes_in_full() -> None:
    assert values(qemu_arguments(NAMED["2n"]), "-numa") == [
        "node,nodeid=0,cpus=0-1,memdev=memory0",
        "node,nodeid=1,cpus=2-3,memdev=memory1",
        "dist,src=0,dst=1,val=21",
        "dist,src=1,dst=0,val=21",
    ]


def test_a_machine_without_numa_names_no_node() -> None:
    assert not values(qemu_arguments(NAMED["none"]), "-numa")


def test_a_node_without_memory_has_no_memory_device() -> None:
    arguments = qemu_arguments(NAMED["memless"])
    assert "node,nodeid=1,cpus=2-3" in values(arguments, "-numa")
    assert values(arguments, "-object") == ["memory-backend-ram,id=memory0,size=1024M"]


def test_a_tier_is_a_node_without_cpus_and_with_speeds() -> None:
    arguments = qemu_arguments(NAMED["tier"])
    numa = values(arguments, "-numa")
    assert values(arguments, "-machine") == ["q35,hpet=off,hmat=on"]
    assert "node,nodeid=2,memdev=memory2,initiator=0" in numa
    speed = "hmat-lb,initiator=1,target=2,hierarchy=memory,data-type=access"
    assert f"{speed}-latency,latency=400" in numa
    assert f"{speed}-bandwidth,bandwidth=2000M" in numa


def test_unequal_nodes_are_made_of_equal_packages() -> None:
    machine = parse({"nodes": [{"cpus": 2, "memory": "1G"}, {"cpus": 4, "memory": "1G"}]})
    arguments = qemu_arguments(machine)
    assert values(arguments, "-smp") == ["6,sockets=3,dies=1,cores=2,threads=1"]
    assert "node,nodeid=1,cpus=2-5,memdev=memory1" in values(arguments, "-numa")


@pytest.mark.parametrize(
    ("size", "expected"), [("1G", 1024), ("512M", 512), ("2048K", 2), (64, 64), (0, 0)]
)
def test_memory_sizes(size: str | int, expected: int) -> None:
    assert mebibytes(size) == expected


NODE = {"cpus": 2, "memory": "1G"}


@pytest.mark.parametrize(
    ("description", "field"),
    [
        ({"nodes": [NODE], "colour": 1}, "colour"),
        ({"nodes": [{"cpus": 2}]}, "memory"),
        ({"nodes": [{"memory": "1G"}]}, "CPU"),
        ({"nodes": [{"cpus": 2, "memory": "1 GB"}]}, "1 GB"),
        ({"nodes": [{"cpus": 3, "memory": "1G"}], "threads": 2}, "threads"),
        ({"nodes": [NODE] * 2, "distances": [[10, 20]]}, "distances"),
        ({"nodes": [NODE] * 2, "distances": [[10, 10], [20, 10]]}, "distances: 10 from 0 to 1"),
        ({"nodes": [NODE] * 2, "distances": [[11, 20], [20, 10]]}, "distances: 11 from 0 to 0"),
        ({"nodes": [NODE], "latencies": [[10]]}, "bandwidths"),
    ],
)
def test_a_wrong_description_is_refused_by_field(description: dict[str, Any], field: str) -> None:
    with pytest.raises(LabProblem, match=field):
        parse(description)


def test_a_topology_by_name_or_file(tmp_path: Path) -> None:
    file = tmp_path / "big.json"
    file.write_text(json.dumps({"nodes": [NODE] * 3}), encoding="utf-8")
    assert topology("4n") is NAMED["4n"]
    assert topology(str(file)).cpus == 6
    with pytest.raises(LabProblem, match="unknown topology '5n'"):
        topology("5n")


def test_the_cpu_avoids_the_known_defects_of_each_qemu() -> None:
    assert cpu_model(NAMED["2n"], "tcg", (7, 2, 0)) == "Skylake-Server-v1,cx16=off"
    assert cpu_model(NAMED["2n"], "kvm", (8, 2, 0)) == "Skylake-Server-v1"
    assert cpu_model(NAMED["ht"], "tcg", (10, 0, 2)) == "max,la57=off"
