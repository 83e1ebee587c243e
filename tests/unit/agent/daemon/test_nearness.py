# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where mounts and devices are near, in a made-up sysfs beside real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fake_runtime.schema import MESSAGES
from homenode.daemon.nearness import Nearness
from homenode.intent.hints import DEVICES, MOUNTS, POD_RESOURCES
from homenode.runtime.podresources import DeviceShare
from model.cpuset import CpuSet, NodeSet
from model.workload import Container, Near, Pod

POD = Pod("p", "web", "shop", "u")
NIC = "sys/devices/pci0000:80/0000:80:01.0"
DISK = "sys/devices/pci0000:00/0000:00:02.0/nvme/nvme0n1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine whose disk holds everything below its root."""
    number = os.stat(tmp_path).st_dev
    disk = f"{os.major(number)}:{os.minor(number)}"
    for folder, file, text in ((NIC, "local_cpulist", "4-7"), (DISK, "numa_node", "0")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / file).write_text(text + "\n")
    for kind, name, folder in (("char", "10:5", NIC), ("block", disk, DISK)):
        (tmp_path / "sys/dev" / kind).mkdir(parents=True)
        (tmp_path / "sys/dev" / kind / name).symlink_to(tmp_path / folder)
    (tmp_path / "data").mkdir()
    return tmp_path


def mount(source: str, destination: str = "/data", option: str = "rw") -> bytes:
    made = MESSAGES["Mount"](source=source, destination=destination, options=["rbind", option])
    return bytes(made.SerializeToString())


def device(kind: str, major: int, minor: int) -> bytes:
    made = MESSAGES["LinuxDevice"](path="/dev/x", type=kind, major=major, minor=minor)
    return bytes(made.SerializeToString())


ALL_MAY_WRITE = bytes(MESSAGES["LinuxDeviceCgroup"](allow=True, access="rwm").SerializeToString())


def found(root: Path, *mounts: bytes, devices: tuple[bytes, ...] = ()) -> tuple[Near, ...]:
    made = Container("c", "p", "app", undecoded=(mounts, devices, [ALL_MAY_WRITE]))
    return Nearness(str(root), tuple).of(POD, made, ask_kubelet=False)


def test_a_device_is_near_its_bus(root: Path) -> None:
    near = Near(DEVICES, (f"/{NIC}",), CpuSet.parse("4-7"))
    assert found(root, devices=(device("c", 10, 5), device("c", 10, 6))) == (near,)


@pytest.mark.skipif(os.stat("/tmp").st_dev >> 8 == 0, reason="needs: a disk under /tmp")
def test_a_mount_is_near_its_disk(root: Path) -> None:
    assert found(root, mount("/data")) == (Near(MOUNTS, ("/data", f"/{DISK}"), nodes=NodeSet([0])),)


PASSED_OVER = {
    "read-only": mount("/data", option="ro"),
    "no path": mount("proc"),
    "nothing there": mount("/nowhere"),
    "a NUL": mount("/da\0ta"),
    "a file of the system": mount("/data", "/etc/hosts"),
    "a library": mount("/usr/lib/x"),
    "a secret of the kubelet": mount(
        "/var/lib/kubelet/pods/0a-1b/volumes/kubernetes.io~secret/token"
    ),
}


@pytest.mark.parametrize("one", PASSED_OVER.values(), ids=PASSED_OVER)
def test_passed_over(root: Path, one: bytes) -> None:
    assert found(root, one) == ()


def test_what_cannot_be_read_is_nowhere_and_told(root: Path) -> None:
    nearness = Nearness(str(root), tuple)
    broken = Container("c", "p", "app", undecoded=([b"\xff"], [], []))
    assert nearness.of(POD, broken, ask_kubelet=False) == ()
    assert nearness.problem


def test_what_the_kubelet_gave_to_this_container(root: Path) -> None:
    shares = [
        DeviceShare("shop", "web", "app", "vendor/gpu", NodeSet([1])),
        DeviceShare("shop", "web", "other", "vendor/gpu", NodeSet([0])),
    ]
    nearness = Nearness(str(root), lambda: shares)
    container = Container("c", "p", "app")
    given = Near(POD_RESOURCES, ("podresourceapi:vendor/gpu",), nodes=NodeSet([1]))
    assert nearness.of(POD, container, ask_kubelet=True) == (given,)
    assert nearness.of(POD, container, ask_kubelet=False) == ()


def test_a_kubelet_that_does_not_answer_is_told_and_no_obstacle(root: Path) -> None:
    def silent() -> tuple[DeviceShare, ...]:
        raise OSError("no kubelet")

    nearness = Nearness(str(root), silent)
    assert nearness.of(POD, Container("c", "p", "app"), ask_kubelet=True) == ()
    assert nearness.problem == "no kubelet"


def test_cpus_near_a_named_device(root: Path) -> None:
    nearness = Nearness(str(root), tuple)
    assert nearness.cpus_near("/" + NIC) == CpuSet.parse("4-7")
    assert nearness.cpus_near("/nowhere") == CpuSet()


def test_a_device_is_looked_up_once(root: Path) -> None:
    nearness = Nearness(str(root), tuple)
    assert nearness.cpus_near("/" + NIC) == CpuSet.parse("4-7")
    (root / NIC / "local_cpulist").write_text("0\n")
    assert nearness.cpus_near("/" + NIC) == CpuSet.parse("4-7")
