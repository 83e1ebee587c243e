# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who uses a folder of state files, and how many copies stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.kubelet_host import Host
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_state_files import (
    aside,
    move_aside,
    place_of,
    user_of,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

KUBELET = "kubelet\n", "kubelet\0--v=2\0"
ELSEWHERE = "kubelet\n", "kubelet\0--root-dir\0/srv/kubelet\0"

USERS: dict[str, tuple[list[tuple[str, str]], str, int]] = {
    "nobody": ([("sshd\n", "sshd\0")], "/var/lib/kubelet", 0),
    "the default folder": ([KUBELET], "/var/lib/kubelet", 1),
    "written another way": ([KUBELET], "/var/lib/../lib/kubelet/", 1),
    "another folder": ([KUBELET], "/srv/kubelet", 0),
    "a folder that is named": ([ELSEWHERE], "/srv/kubelet", 1),
    "the second of two": ([KUBELET, ELSEWHERE], "/srv/kubelet", 2),
    "the first of two": ([KUBELET, ELSEWHERE], "/var/lib/kubelet", 1),
    "k3s, which does not say": ([("k3s-server\n", "/usr/local/bin/k3s server\0")], "/srv/k", 1),
}


@pytest.mark.parametrize(("processes", "folder", "pid"), USERS.values(), ids=USERS.keys())
def test_a_kubelet_on_these_files_is_found(
    processes: list[tuple[str, str]], folder: str, pid: int, tmp_path: Path
) -> None:
    for number, (name, arguments) in enumerate(processes, start=1):
        place = tmp_path / "proc" / str(number)
        place.mkdir(parents=True)
        (place / "comm").write_text(name)
        (place / "cmdline").write_text(arguments)
    found = user_of(folder, Host(str(tmp_path)))
    assert (found.pid if found else 0) == pid


def test_three_copies_stay(tmp_path: Path) -> None:
    path = tmp_path / "cpu_manager_state"
    others = ("cpu_manager_state.homenode-boot-12345678", "memory_manager_state.homenode-x")
    for name in others:
        (tmp_path / name).write_text("")
    for second in range(6):
        path.write_text(str(second))
        os.utime(path, (second, second))
        move_aside(path, aside(path, f"20260131T23595{second % 2}Z"))
    copies = {each.read_text() for each in tmp_path.iterdir() if each.name not in others}
    assert copies == {"3", "4", "5"}
    assert all((tmp_path / name).exists() for name in others)


@pytest.mark.parametrize("name", ["passwd", "x.homenode-20260131T235959Z", "cpu_manager_state"])
def test_only_copies_come_back(name: str, tmp_path: Path) -> None:
    with pytest.raises(HomenodeProblem, match=r"copies .*is no state file that this module"):
        place_of(tmp_path / name)
