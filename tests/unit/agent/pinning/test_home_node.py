# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The home-node policy on tiny machines: who asks, in order, and where everybody is in the end.

``G2:8=a`` is a Guaranteed container "a" with 2 CPUs and 8 GiB, ``B1`` Burstable, ``E``
BestEffort, ``-a`` the end of "a". A placement is ``CPUS/MEMORY NODES``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.machines import Memory, Shape, sockets
from fakes.node import FakeNode, machine
from homenode.intent.config import PinningConfig
from model.cpuset import NO_CPUS, CpuSet

TWO = sockets(2, cores=4)
SMT = sockets(2, cores=2, threads=2)


def with_memory(shape: Shape, **gib: int) -> Shape:
    """The shape with other memory: ``n1=4`` gives node 1 4 GiB."""
    nodes = {
        number: replace(node, gib=gib.get(f"n{number}", node.gib))
        for number, node in shape.nodes.items()
    }
    return replace(shape, nodes=nodes)


def with_huge_pages(shape: Shape, numa_node: int, kib: int, pages: int) -> Shape:
    nodes = dict(shape.nodes)
    nodes[numa_node] = replace(nodes[numa_node], hugepages={kib: pages})
    return replace(shape, nodes=nodes)


CPU_LESS = Shape(
    cores=TWO.cores,
    packages=TWO.packages,
    caches=TWO.caches,
    nodes={
        0: Memory(TWO.packages[0], 16, (10, 21, 14)),
        1: Memory(TWO.packages[1], 16, (21, 10, 24)),
        2: Memory(NO_CPUS, 64, (14, 24, 10)),
    },
)
NO_MEMORY_ON_1 = with_memory(sockets(2, nodes=2, cores=2), n1=0)
ALL_ISOLATED_BUT_ONE = replace(TWO, isolated=CpuSet.parse("1-7"))

DEFAULT = PinningConfig()
RESERVED = PinningConfig(reserved_cpus=CpuSet.parse("0,4"))

ROWS: dict[str, tuple[Shape, PinningConfig, str, str]] = {
    "one CPU, on the lower of two equal nodes": (TWO, DEFAULT, "G1=a", "a=1/0"),
    "the second goes where more CPUs are free": (TWO, DEFAULT, "G1=a G1=b", "a=1/0 b=4/1"),
    "a whole node": (TWO, DEFAULT, "G4=a", "a=0-3/0"),
    "never more than a node: shares, memory free": (TWO, DEFAULT, "G5=a", "a=0-7"),
    "the last CPU of all is nobody's own": (TWO, DEFAULT, "G4=a G4=b E=c", "a=0-3/0 b=4-7 c=4-7"),
    "down to that last CPU": (TWO, DEFAULT, "G4=a G3=b E=c", "a=0-3/0 b=4-6/1 c=7"),
    "a fraction shares": (TWO, DEFAULT, "G1=a G0.5=b", "a=1/0 b=0,2-7"),
    "one and a half shares": (TWO, DEFAULT, "G1.5=a", "a=0-7"),
    "Burstable and BestEffort share": (TWO, DEFAULT, "G2=a B2=b E=c", "a=1-2/0 b=0,3-7 c=0,3-7"),
    "who runs already makes room": (TWO, DEFAULT, "B1=b E=c G2=a", "a=1-2/0 b=0,3-7 c=0,3-7"),
    "an end gives back": (TWO, DEFAULT, "E=c G2=a -a", "c=0-7"),
    "what was given back is given again": (TWO, DEFAULT, "G2=a G3=b -a G2=c", "b=4-6/1 c=1-2/0"),
    "a restarted container gets its CPUs again": (TWO, DEFAULT, "G3=a G3=b -b G3=b2",
                                                  "a=1-3/0 b2=4-6/1"),
    "memory decides between equals": (with_memory(TWO, n0=15), DEFAULT, "G1=a", "a=4/1"),
    "CPUs decide before memory": (with_memory(TWO, n0=15), DEFAULT, "G1=a G1=b", "a=4/1 b=1/0"),
    "a limit that fits on one node only": (with_memory(TWO, n1=32), DEFAULT, "G1=x G1:20=a",
                                           "a=5/1 x=4/1"),
    "a limit as large as the node fits": (TWO, DEFAULT, "G1:16=a", "a=1/0"),
    "a limit that fits nowhere leaves memory free": (TWO, DEFAULT, "G2:17=a", "a=1-2"),
    "promised memory is gone": (TWO, DEFAULT, "G1:12=a G1:12=b G1:12=c",
                                "a=1/0 b=4/1 c=2"),
    "memory is given back": (TWO, DEFAULT, "G1:12=a G1:12=b -a G1:12=c", "b=4/1 c=1/0"),
    "huge pages are not memory for others": (with_huge_pages(TWO, 0, 2048, 4096), DEFAULT,
                                             "G1:12=a", "a=4/1"),
    "huge pages of 1 GiB neither": (with_huge_pages(TWO, 0, 1 << 20, 8), DEFAULT,
                                    "G1:12=a", "a=4/1"),
    "nobody owns reserved CPUs, everybody shares them": (TWO, RESERVED, "G3=a E=c",
                                                         "a=1-3/0 c=0,4-7"),
    "a node less its reserved CPU": (TWO, RESERVED, "G4=a", "a=0-7"),
    "reserved CPUs are enough for the rest": (TWO, RESERVED, "G3=a G3=b E=c",
                                              "a=1-3/0 b=5-7/1 c=0,4"),
    "all reserved: all share": (TWO, PinningConfig(reserved_cpus=CpuSet.parse("0-7")), "G1=a E=c",
                                "a=0-7 c=0-7"),
    "only what is available is used": (TWO, PinningConfig(available_cpus=CpuSet.parse("1-6")),
                                       "G2=a B1=b", "a=1-2/0 b=3-6"),
    "available beyond the machine counts as all": (
        TWO, PinningConfig(available_cpus=CpuSet.parse("64-70")), "G1=a E=c", "a=1/0 c=0,2-7"),
    "isolated CPUs are for whoever isolated them": (
        replace(TWO, isolated=CpuSet.parse("1,2")), DEFAULT, "G2=a E=c", "a=4-5/1 c=0,3,6-7"),
    "one CPU left by the boot line": (ALL_ISOLATED_BUT_ONE, DEFAULT, "G1=a E=c", "a=0 c=0"),
    "offline CPUs are not there": (replace(TWO, offline=CpuSet.parse("0-2")), DEFAULT, "G2=a",
                                   "a=4-5/1"),
    "memory left as it was": (TWO, PinningConfig(pin_memory=False), "G2=a", "a=1-2"),
    "CPUs left as they were": (TWO, PinningConfig(pin_cpu=False), "G2=a E=c", "a=/0 c="),
    "one node: CPUs are kept apart, memory is left": (
        sockets(1, cores=4), DEFAULT, "G2=a E=c", "a=1-2 c=0,3"),
    "one CPU in all: all share": (sockets(1, cores=1), DEFAULT, "G1=a E=c", "a=0 c=0"),
    "a node without CPUs is no home": (CPU_LESS, DEFAULT, "G1=a", "a=1/0"),
    "a node without memory takes its neighbour's": (
        NO_MEMORY_ON_1, DEFAULT, "G2=x G2=a", "a=2-3/0 x=0-1/0"),
    "and counts it as its neighbour's": (
        NO_MEMORY_ON_1, DEFAULT, "G2:10=x G2:10=a", "a=4-5/2 x=0-1/0"),
    "one memory for all nodes is left alone": (with_memory(TWO, n1=0), DEFAULT, "G4=x G3=a",
                                               "a=4-6 x=0-3"),
    # users.md D, the rows marked P that a policy without pools can satisfy
    "D exclusive 1, SMT": (SMT, DEFAULT, "G1=a B1=b", "a=1/0 b=0,2-7"),
    "D exclusive 2 are siblings": (SMT, DEFAULT, "G2=a B1=b", "a=1,5/0 b=0,2-4,6-7"),
    "D exclusive 3 are siblings but one": (SMT, DEFAULT, "G3=a", "a=0-1,5/0"),
    "D containers 1+2": (SMT, DEFAULT, "G1=a G2=b", "a=1/0 b=2,6/1"),
    "D containers 3+2": (SMT, DEFAULT, "G3=a G2=b", "a=0-1,5/0 b=2,6/1"),
    "D containers 4+2": (SMT, DEFAULT, "G4=a G2=b", "a=0-1,4-5/0 b=2,6/1"),
    "D two pods of 2": (SMT, DEFAULT, "G2=a G2=b B1=c", "a=1,5/0 b=2,6/1 c=0,3-4,7"),
    "D shared = online - exclusive": (SMT, RESERVED, "G1=a E=c", "a=2/1 c=0-1,3-7"),
    "D strict: shared = online - reserved - exclusive": (
        SMT, PinningConfig(available_cpus=CpuSet.parse("1-7")), "G2=a E=c", "a=2,6/1 c=1,3-5,7"),
    "D one cache for less than a cache": (sockets(2, nodes=2, cores=4), DEFAULT, "G3=a", "a=1-3/0"),
    "D release, then allocate: the same CPUs": (SMT, DEFAULT, "G2=a -a G2=b", "b=1,5/0"),
    "D the attacker does not get the long one's CPUs": (
        SMT, DEFAULT, "G2=long G2=short -short G4=attacker E=c",
        "attacker=2-3,6-7/1 c=0,4 long=1,5/0"),
    "D memory of a Guaranteed container from one node": (TWO, DEFAULT, "G1:1=init G1:1=app",
                                                         "app=4/1 init=1/0"),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row: tuple[Shape, PinningConfig, str, str]) -> None:
    shape, config, script, placements = row
    assert FakeNode(machine(shape), config).run(script) == placements
