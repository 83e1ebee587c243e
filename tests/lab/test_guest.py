# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest from end to end: files, containers, rollback, restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.fixtures import on_guests
from lab.guest import Guest
from lab.problem import LabProblem


def test_commands_and_files(guest: Guest, tmp_path: Path) -> None:
    assert guest.run("hostname").strip() == guest.name
    assert guest.run("cat", stdin="text") == "text"
    with pytest.raises(LabProblem, match="exit status 3"):
        guest.run("exit 3")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("there and back", encoding="ascii")
    guest.put(tmp_path / "folder", "/root/copy")
    guest.get("/root/copy/file", tmp_path / "back")
    assert (tmp_path / "back").read_text(encoding="ascii") == "there and back"


def test_rollback_forgets_what_the_test_before_did(guest: Guest) -> None:
    assert guest.run("ls /root/copy || echo gone", check=False).strip() == "gone"


def test_restart_keeps_the_disk(guest: Guest) -> None:
    guest.run("touch /root/kept")
    guest.reboot()
    guest.run("test -e /root/kept && systemctl start containerd")


@on_guests("2n 1.7", "2n 2.x")
def test_a_pod_is_confined_as_asked(guest: Guest) -> None:
    with guest.cri() as cri:
        assert cri.version().startswith("1.7." if guest.identity.containerd == "1.7" else "2.")
        pod = cri.create_pod("web", cpu="2", memory="64Mi", cpuset_cpus="2-3", cpuset_mems="1")

        def cgroup(file: str) -> str:
            return guest.run(f"cat {pod.cgroup_path}/{file}").strip()

        assert (cgroup("cpuset.cpus"), cgroup("cpuset.mems")) == ("2-3", "1")
        assert (cgroup("cpu.max"), cgroup("memory.max")) == ("200000 100000", str(64 * 2**20))
        assert pod.execute("sh", "-c", "echo $0 ok").stdout == "sh ok\n"
        cri.update(pod.container_id, cpuset_cpus="0")
        assert cgroup("cpuset.cpus.effective") == "0"
        pod.remove()
        assert not cri.containers() and not cri.sandboxes()
