# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd says of a kubelet's service, and since when a process lives."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils import kubelet_service

RUNNING = "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=42\nNRestarts=1\n"
NOT_RUNNING = {
    "": "unknown (unknown)",
    "LoadState=not-found\nActiveState=inactive\nSubState=dead\n": "inactive (dead)",
    "MainPID=-1\nNRestarts=x\nActiveState=failed\nSubState=failed\n": "failed (failed)",
}


def test_a_service_that_runs() -> None:
    found = kubelet_service.look("kubelet", lambda _words: RUNNING)
    assert (found.loaded, found.active, found.pid, found.restarts) == (True, True, 42, 1)
    later = kubelet_service.look("kubelet", lambda _words: RUNNING.replace("42", "43"))
    assert found.same_run(found)
    assert not later.same_run(found)


@pytest.mark.parametrize(("text", "state"), NOT_RUNNING.items())
def test_a_service_that_does_not_run(text: str, state: str) -> None:
    found = kubelet_service.look("kubelet", lambda _words: text)
    assert (found.loaded, found.active, found.pid, found.state) == (False, False, 0, state)


def test_since_when_a_process_runs(tmp_path: Path) -> None:
    here = kubelet_service.running_since(os.getpid())
    assert here is not None
    assert 0 < here <= time.time() + 2
    assert kubelet_service.running_since(1, tmp_path) is None
    ticks = " ".join(["0"] * 18)
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text(f"7 (a b) c) S {ticks} {5 * os.sysconf('SC_CLK_TCK')} 0\n")
    (tmp_path / "stat").write_text("cpu 1\nbtime 1000\n")
    assert kubelet_service.running_since(7, tmp_path) == 1005


def test_what_the_running_kubelet_has_not_read(tmp_path: Path) -> None:
    path = tmp_path / "50-x.conf"
    path.touch()
    here = RUNNING.replace("42", str(os.getpid()))

    def unread(text: str) -> list[str]:
        return kubelet_service.unread("kubelet", [path, tmp_path / "x"], lambda _words: text)

    os.utime(path, (1000, 1000))
    assert unread(here) == []
    os.utime(path, (time.time() + 60, time.time() + 60))
    assert unread(here) == [f"{path} is newer than the start of kubelet"]
    assert unread(RUNNING.replace("=active", "=failed")) == [
        "kubelet does not run: failed (running)"
    ]
    assert unread("") == []
