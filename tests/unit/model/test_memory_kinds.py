# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds of CPU-less memory: each kind of evidence alone, none, and more than one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fakes.files import FakeFiles
from model.cpuset import NodeSet
from model.problem import HomenodeProblem
from model.sysfs.memory_kinds import cpuless_kinds

TIER = "/sys/devices/virtual/memory_tiering/memory_tier{}/nodelist"
BANDWIDTH = "/sys/devices/system/node/node{}/access0/initiators/read_bandwidth"
NVDIMM = "/sys/bus/nd/devices/{}/target_node"
CXL = "/sys/bus/cxl/devices/{}/target_node"

DRAM_TIER = {TIER.format(4): "0-1\n"}


def speeds(dram: int, cpuless: int) -> dict[str, str]:
    """Read bandwidths of node 0 and of node 2, in MB/s."""
    return {BANDWIDTH.format(0): f"{dram}\n", BANDWIDTH.format(2): f"{cpuless}\n"}


EVIDENCE: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "nothing is known": ("memory-only", {}),
    "the tier of DRAM": ("memory-only", {TIER.format(4): "0-2\n"}),
    "a slower tier": ("memory-only", {**DRAM_TIER, TIER.format(900): "2\n"}),
    "a faster tier": ("hbm", {**DRAM_TIER, TIER.format(3): "2\n"}),
    "a faster tier, by number": ("hbm", {TIER.format(10): "0-1\n", TIER.format(9): "2\n"}),
    "a tier, but none has CPUs": ("memory-only", {TIER.format(3): "2\n"}),
    "over twice the bandwidth": ("hbm", speeds(100, 201)),
    "twice the bandwidth": ("memory-only", speeds(100, 200)),
    "bandwidth with nothing to compare": ("memory-only", {BANDWIDTH.format(2): "9999\n"}),
    "an NVDIMM region": ("pmem", {NVDIMM.format("region1"): "2\n"}),
    "an NVDIMM region of another node": ("memory-only", {NVDIMM.format("region1"): "1\n"}),
    "an NVDIMM region of no node": ("memory-only", {NVDIMM.format("region1"): "-1\n"}),
    "something else on the NVDIMM bus": ("memory-only", {NVDIMM.format("ndbus0"): "2\n"}),
    "a CXL region's DAX device": ("cxl", {CXL.format("dax_region0/dax0.0"): "2\n"}),
    "a CXL region without DAX device": ("memory-only", {CXL.format("region0"): "2\n"}),
    "persistent memory on CXL": (
        "pmem",
        {CXL.format("dax_region0/dax0.0"): "2\n", NVDIMM.format("region0"): "2\n"},
    ),
    "CXL that is faster than DRAM": (
        "cxl",
        {**DRAM_TIER, TIER.format(3): "2\n", CXL.format("dax_region0/dax0.0"): "2\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "texts"), EVIDENCE.values(), ids=EVIDENCE.keys())
def test_the_kind_follows_from_evidence(kind: str, texts: Mapping[str, str]) -> None:
    assert cpuless_kinds(FakeFiles(texts), NodeSet([0, 1]), NodeSet([2])) == {2: kind}


def test_without_cpu_less_nodes_nothing_is_read() -> None:
    files = FakeFiles({})
    assert cpuless_kinds(files, NodeSet([0, 1]), NodeSet()) == {}
    assert not files.reads and not files.lists


@pytest.mark.parametrize("path", [TIER.format(4), NVDIMM.format("region0"), BANDWIDTH.format(0)])
def test_nonsense_is_refused(path: str) -> None:
    with pytest.raises(HomenodeProblem, match=path):
        cpuless_kinds(FakeFiles({path: "zz\n"}), NodeSet([0]), NodeSet([2]))
