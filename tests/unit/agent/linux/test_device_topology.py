# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices in a made-up sysfs: buses, nodes, caches, and links that lead astray."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.linux.device_topology import Nearby, folder_of, near, parts
from model.cpuset import CpuSet, NodeSet

PCI, BUS = "sys/devices/pci0000:00/0000:00:01.0", "sys/devices/pci0000:80/0000:80:01.0"
CACHE = "sys/devices/system/cpu/cpu7/cache/index2"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in (
        (f"{PCI}/numa_node", "1"),
        (f"{PCI}/net/eth0/mtu", "1500"),
        (f"{BUS}/local_cpulist", "4-7"),
        (f"{BUS}/numa_node", "1"),
        (f"{BUS}/nvme/nvme0/numa_node", "1"),
        (f"{BUS}/nvme/nvme0/nvme0n1/size", "8"),
        ("sys/devices/virtual/mem/null/uevent", ""),
        ("sys/devices/system/node/node2/cpulist", "8-11"),
        (f"{CACHE}/shared_cpu_list", "6-7"),
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
    ("folder", "teller", "cpus", "numa_nodes"),
    [
        (f"/{PCI}/net/eth0", f"/{PCI}", "", "1"),
        ("/sys/class/net/eth0", f"/{PCI}", "", "1"),
        (f"/{BUS}", f"/{BUS}", "4-7", ""),
        (f"/{BUS}/nvme/nvme0/nvme0n1", f"/{BUS}/nvme/nvme0", "4-7", ""),
        ("/sys/devices/system/node/node2", "/sys/devices/system/node/node2", "8-11", ""),
        ("/sys/devices/system/cpu/cpu7/cache/index2", f"/{CACHE}", "6-7", ""),
        ("/sys/devices/virtual/mem/null", "", "", ""),
        ("/sys/devices/broken", "", "", ""),
        ("/sys/class/net/evil", "", "", ""),
        ("/elsewhere", "", "", ""),
        ("/nowhere", "", "", ""),
    ],
)
def test_where_it_is_near(root: Path, folder: str, teller: str, cpus: str, numa_nodes: str) -> None:
    expected = Nearby(teller, CpuSet.parse(cpus), NodeSet.parse(numa_nodes))
    assert near(str(root), folder) == expected


def test_disks_under_a_stack_and_devices_of_a_vfio_group(root: Path) -> None:
    disk, link = root / BUS / "nvme/nvme0/nvme0n1", "sys/devices/virtual/block/dm-0/slaves/md0"
    md = root / "sys/devices/virtual/block/md0"
    for place, target in (
        (root / link, md),
        (md / "slaves/nvme0n1", disk),
        (md / "slaves/md0", md),
        (root / "sys/kernel/iommu_groups/7/devices/0000:00:01.0", root / PCI),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    md.mkdir(exist_ok=True)
    (root / "sys/devices/virtual/vfio/7").mkdir(parents=True)

    def told(folder: str) -> set[str]:
        return {near(str(root), part).folder for part in parts(str(root), folder)} - {""}

    assert told("/sys/devices/virtual/block/dm-0") == {f"/{BUS}/nvme/nvme0"}
    assert told("/sys/devices/virtual/vfio/7") == {f"/{PCI}"}
    assert parts(str(root), f"/{PCI}") == (f"/{PCI}",)


def test_a_device_node_is_found_in_sysfs() -> None:
    assert folder_of("/", "/dev/null") == "/sys/dev/char/1:3"
    assert folder_of("/", "/proc") == "", "on no disk"
    assert folder_of("/", "/dev/nothing-there") == ""


def test_a_device_of_this_machine_is_near_nothing() -> None:
    assert near("/", "/sys/dev/char/1:3") == Nearby()
