# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module kubelet_state on a scratch folder with files that a real kubelet wrote."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.kubelet_state import CPU_TEXT as CPU
from fakes.kubelet_state import MEMORY_TEXT as MEMORY
from roles.local_ansible import Ansible

TEXTS = {"cpu_manager_state": CPU, "memory_manager_state": MEMORY}


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "kubelet"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def kubelet(state_dir: Path) -> Iterator[None]:
    """A process with the name and the flags of a kubelet that runs on these files."""
    script = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'kubelet'); time.sleep(60)"
    flags = [f"--root-dir={state_dir}"]
    process = subprocess.Popen(["/usr/bin/python3", "-c", script, *flags])
    try:
        while Path(f"/proc/{process.pid}/comm").read_text() != "kubelet\n":
            assert process.poll() is None
        yield
    finally:
        process.kill()
        process.wait()


def test_what_the_files_say(ansible: Ansible, state_dir: Path) -> None:
    found = ansible.module("kubelet_state", state_dir=str(state_dir))
    assert found["changed"] is False
    cpu, memory = (found["files"][name] for name in TEXTS)
    assert (cpu["policy"], memory["policy"]) == ("static", "Static")
    assert cpu["problem"] == memory["problem"] == ""
    assert cpu["pods"] and memory["nodes"]
    empty = ansible.module("kubelet_state", state_dir=str(state_dir / "nowhere"))
    assert empty["files"] == dict.fromkeys(TEXTS)


def test_a_reset_moves_aside_and_comes_back(ansible: Ansible, state_dir: Path) -> None:
    options = {"action": "reset", "state_dir": str(state_dir), "files": ["memory_manager_state"]}
    checked = ansible.module("kubelet_state", "--check", "--diff", **options)
    assert checked["changed"] is True
    assert "memory_manager_state.homenode-" in checked["printed"]
    assert {path.name: path.read_text() for path in state_dir.iterdir()} == TEXTS

    done = ansible.module("kubelet_state", **options)
    (moved,) = done["moved"]
    assert Path(moved["kept"]).read_text() == MEMORY
    assert sorted(path.name for path in state_dir.iterdir()) == [
        "cpu_manager_state",
        Path(moved["kept"]).name,
    ]
    assert ansible.module("kubelet_state", **options)["changed"] is False

    back = {"action": "restore", "state_dir": str(state_dir), "copies": [moved["kept"]]}
    assert ansible.module("kubelet_state", **back)["changed"] is True
    assert {path.name: path.read_text() for path in state_dir.iterdir()} == TEXTS
    assert ansible.module("kubelet_state", **back)["changed"] is False


def test_three_copies_are_kept(ansible: Ansible, state_dir: Path) -> None:
    for stamp in ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z"):
        (state_dir / f"cpu_manager_state.homenode-{stamp}").write_text(stamp)
    (state_dir / "cpu_manager_state.mine").write_text("somebody's")
    ansible.module("kubelet_state", action="reset", state_dir=str(state_dir))
    kept = [path.read_text() for path in state_dir.glob("cpu_manager_state.*")]
    assert sorted(kept) == ["20260102T000000Z", "20260103T000000Z", "somebody's", CPU]


@pytest.mark.usefixtures("kubelet")
def test_nothing_moves_under_a_kubelet(ansible: Ansible, state_dir: Path) -> None:
    refused = ansible.module("kubelet_state", action="reset", state_dir=str(state_dir))
    assert refused["problem"]["field"] == "state_dir"
    assert "is in use: kubelet runs as process" in refused["msg"]
    assert {path.name: path.read_text() for path in state_dir.iterdir()} == TEXTS
    elsewhere = state_dir.parent / "other"
    elsewhere.mkdir()
    (elsewhere / "cpu_manager_state").write_text(CPU)
    free = ansible.module("kubelet_state", action="reset", state_dir=str(elsewhere))
    assert free["changed"] is True


@pytest.mark.parametrize(
    "name", ["cpu_manager_state", "/etc/passwd", "x.homenode-20260101T000000Z"]
)
def test_only_copies_of_state_files_come_back(ansible: Ansible, state_dir: Path, name: str) -> None:
    path = str(state_dir / name)
    refused = ansible.module("kubelet_state", action="restore", copies=[path])
    assert "is no state file that this module has moved aside" in refused["msg"]
