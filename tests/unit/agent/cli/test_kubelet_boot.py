# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode kubelet-boot``: boots one after the other on a machine whose memory drifts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fakes.kubelet_state import cpu_text, memory_text
from fakes.machines import machine_files, sockets
from homenode.cli import main
from homenode.cli.kubelet_boot import BOOT_ID

Capture = pytest.CaptureFixture[str]
FILES = machine_files(sockets(2, cores=2))
TOTAL = 16 << 30


class Node:
    """A machine as a folder, with the kubelet's state and the record of boots."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self.root, self.state, self.record = folder / "root", folder / "state", folder / "record"
        self._capsys = capsys
        self.state.mkdir()
        for path, text in FILES.items():
            self.put(path, text)

    def put(self, path: str, text: str) -> None:
        """A file of the machine."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def boot(self, boot_id: str, *words: str) -> dict[str, Any]:
        """Boot, and run the helper; what it decided about each file."""
        self.put(BOOT_ID, f"{boot_id}-1234\n")
        return dict(json.loads(self.run("--json", *words))["files"])

    def run(self, *words: str) -> str:
        """The helper's output."""
        where = ("--host-root", str(self.root), "--state-dir", str(self.state))
        assert main(["kubelet-boot", *where, "--record", str(self.record), *words]) == 0
        return self._capsys.readouterr().out

    def names(self) -> list[str]:
        """The files in the state folder."""
        return sorted(os.listdir(self.state))

    def kubelet_writes(self, *totals: int, age_s: int = 0) -> None:
        """A memory state as the kubelet would write it."""
        place = self.state / "memory_manager_state"
        place.write_text(memory_text(*totals))
        os.utime(place, (1700000000 - age_s, 1700000000 - age_s))


@pytest.fixture
def kube_node(tmp_path: Path, capsys: Capture) -> Node:
    """A machine with a kubelet that has run: its memory state is as the machine is."""
    made = Node(tmp_path, capsys)
    made.kubelet_writes(TOTAL, TOTAL)
    (made.state / "cpu_manager_state").write_text(cpu_text("0-3"))
    return made


def test_a_boot_with_other_totals(kube_node: Node) -> None:
    assert not kube_node.boot("11111111")["memory_manager_state"]["goes"]
    kube_node.kubelet_writes(TOTAL - 4096, TOTAL + 4096)
    told = kube_node.boot("22222222")["memory_manager_state"]
    copy = kube_node.state / "memory_manager_state.homenode-boot-22222222"
    assert told["goes"] is True and told["kept"] == str(copy)
    assert "memory of node 0 was" in told["reason"]
    assert copy.read_text() == memory_text(TOTAL - 4096, TOTAL + 4096)
    assert kube_node.names() == ["cpu_manager_state", copy.name]


def test_the_first_look_only_records(kube_node: Node) -> None:
    kube_node.kubelet_writes(1, 2)
    told = kube_node.boot("11111111")["memory_manager_state"]
    assert told == {"goes": False, "reason": "no earlier boot is recorded", "kept": None}
    assert json.loads((kube_node.record / "boot.json").read_text()) == {
        "boot_id": "11111111-1234",
        "online": "0-3",
    }


def test_a_second_look_in_the_same_boot(kube_node: Node) -> None:
    kube_node.boot("11111111")
    kube_node.kubelet_writes(1, 2)
    assert not kube_node.boot("11111111")["memory_manager_state"]["goes"]
    assert "memory_manager_state" in kube_node.names()


@pytest.mark.parametrize(
    ("path", "text", "who"),
    [
        ("/proc/77/cgroup", "0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope", "processes 77"),
        ("/proc/78/comm", "kubelet\n", "kubelet (process 78)"),
        ("/proc/79/comm", "k3s-server\n", "kubelet (process 79)"),
        ("/sys/fs/cgroup/kubepods.slice/cgroup.events", "populated 1\nfrozen 0\n", "cgroup /sys"),
        ("/sys/fs/cgroup/k8s/kubepods/cgroup.events", "populated 1\n", "k8s/kubepods)"),
    ],
)
def test_nothing_goes_while_something_runs(kube_node: Node, path: str, text: str, who: str) -> None:
    kube_node.boot("11111111")
    kube_node.kubelet_writes(1, 2)
    kube_node.put(path, text)
    told = kube_node.boot("22222222")["memory_manager_state"]
    assert told["goes"] is False
    assert told["reason"].startswith("something runs: ") and who in told["reason"]


def test_an_empty_cgroup_and_other_processes_do_not_hinder(kube_node: Node) -> None:
    kube_node.boot("11111111")
    kube_node.kubelet_writes(1, 2)
    kube_node.put("/sys/fs/cgroup/kubepods.slice/cgroup.events", "populated 0\n")
    kube_node.put("/proc/80/comm", "sshd\n")
    kube_node.put("/proc/80/cgroup", "0::/system.slice/ssh.service\n")
    assert kube_node.boot("22222222")["memory_manager_state"]["goes"]


def test_a_dry_run_changes_nothing(kube_node: Node) -> None:
    kube_node.boot("11111111")
    kube_node.kubelet_writes(1, 2)
    before = (kube_node.names(), (kube_node.record / "boot.json").read_text())
    assert kube_node.boot("22222222", "--dry-run")["memory_manager_state"]["goes"]
    assert (kube_node.names(), (kube_node.record / "boot.json").read_text()) == before


def test_a_cpu_that_is_gone(kube_node: Node) -> None:
    kube_node.boot("11111111")
    (kube_node.state / "cpu_manager_state").write_text(cpu_text("0-5"))
    told = kube_node.boot("22222222")
    assert told["cpu_manager_state"]["goes"] and not told["memory_manager_state"]["goes"]
    assert "cpu_manager_state.homenode-boot-22222222" in kube_node.names()


def test_the_latest_copies_stay(kube_node: Node) -> None:
    kube_node.boot("00000000")
    for number in range(1, 6):
        kube_node.kubelet_writes(number, number, age_s=100 - number)
        kube_node.boot(str(number) * 8)
    copies = [name for name in kube_node.names() if "boot" in name]
    assert [name[-1] for name in copies] == ["3", "4", "5"]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"boot_id": "x", "online": "0-y"}', "{"])
def test_a_record_that_makes_no_sense_is_none(kube_node: Node, record: str) -> None:
    kube_node.record.mkdir()
    (kube_node.record / "boot.json").write_text(record)
    kube_node.kubelet_writes(1, 2)
    told = kube_node.boot("22222222")["memory_manager_state"]
    assert told["reason"] == "no earlier boot is recorded"
    assert "22222222" in (kube_node.record / "boot.json").read_text()


def test_a_line_for_each_file(kube_node: Node) -> None:
    kube_node.boot("11111111")
    kube_node.kubelet_writes(1, 2)
    kube_node.put(BOOT_ID, "22222222\n")
    state = kube_node.state
    why = f"memory of node 0 was 1 bytes and is {TOTAL}; the machine was booted and nothing runs"
    last = f"{state}/cpu_manager_state: left alone: the CPUs are what it says\n"
    assert kube_node.run("--dry-run") == (
        f"{state}/memory_manager_state: would be moved aside: {why}\n{last}"
    )
    copy = f"{state}/memory_manager_state.homenode-boot-22222222"
    assert kube_node.run() == (
        f"{state}/memory_manager_state: moved aside to {copy}: {why}\n{last}"
    )


def test_what_cannot_be_written_is_named(kube_node: Node, capsys: Capture) -> None:
    kube_node.record.write_text("a file in the way")
    where = ("--host-root", str(kube_node.root), "--state-dir", str(kube_node.state))
    kube_node.put(BOOT_ID, "22222222\n")
    assert main(["kubelet-boot", *where, "--record", str(kube_node.record)]) == 1
    assert 'homenode: --record "' in capsys.readouterr().err


def test_a_machine_without_a_kubelet(kube_node: Node) -> None:
    for name in kube_node.names():
        (kube_node.state / name).unlink()
    assert {each["reason"] for each in kube_node.boot("11111111").values()} == {"there is none"}
