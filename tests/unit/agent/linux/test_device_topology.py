# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices in a made-up sysfs: buses, nodes, caches, and links that lead astray."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.linux.device_topology import device_node_folder, near
from model.cpuset import NO_CPUS, NO_NODES, CpuSet, NodeSet

PCI = "sys/devices/pci0000:00/0000:00:01.0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in (
        (f"{PCI}/numa_node", "1"),
        (f"{PCI}/net/eth0/mtu", "1500"),
        ("sys/devices/pci0000:80/0000:80:01.0/local_cpulist", "4-7"),
        ("sys/devices/pci0000:80/0000:80:01.0/numa_node", "1"),
        ("sys/devices/virtual/mem/null/uevent", ""),
        ("sys/devices/system/node/node2/cpulist", "8-11"),
        ("sys/devices/system/cpu/cpu7/cache/index2/shared_cpu_list", "6-7"),
        ("sys/devices/broken/local_cpulist", "x"),
        ("sys/devices/broken/numa_node", "-1"),
        ("elsewhere/numa_node", "0"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text + "\n")
    (tmp_path / "sys/class/net").mkdir(parents=True)
    (tmp_path / "sys/class/net/eth0").symlink_to(tmp_path / PCI / "net/eth0")
    (tmp_path / "sys/class/net/evil").symlink_to(tmp_path / "elsewhere")
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "cpus", "numa_nodes"),
    [
        (f"/{PCI}/net/eth0", "", "1"),
        ("/sys/class/net/eth0", "", "1"),
        ("/sys/devices/pci0000:80/0000:80:01.0", "4-7", ""),
        ("/sys/devices/system/node/node2", "8-11", ""),
        ("/sys/devices/system/cpu/cpu7/cache/index2", "6-7", ""),
        ("/sys/devices/virtual/mem/null", "", ""),
        ("/sys/devices/broken", "", ""),
        ("/sys/class/net/evil", "", ""),
        ("/elsewhere", "", ""),
        ("/nowhere", "", ""),
    ],
)
def test_where_it_is_near(root: Path, folder: str, cpus: str, numa_nodes: str) -> None:
    assert near(str(root), folder) == (CpuSet.parse(cpus), NodeSet.parse(numa_nodes))


def test_a_device_node_is_found_in_sysfs() -> None:
    assert device_node_folder("/", "/dev/null") == "/sys/dev/char/1:3"
    assert device_node_folder("/", "/etc") is None
    assert device_node_folder("/", "/dev/nothing-there") is None


def test_a_device_of_this_machine_is_near_nothing() -> None:
    assert near("/", "/sys/dev/char/1:3") == (NO_CPUS, NO_NODES)
