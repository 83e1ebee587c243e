# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module agent_info: one look at a host, which judges nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import testing

from ansible_collections.homenode.numa.plugins.modules import agent_info

UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "31 30 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
ROOT_MOUNT = "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"


def look(capsys: pytest.CaptureFixture[str], **options: object) -> dict[str, Any]:
    with testing.patch_module_args(options), pytest.raises(SystemExit):
        agent_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert result["changed"] is False
    return result


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        (ROOT_MOUNT + UNIFIED, "v2"),
        (ROOT_MOUNT + V1, "v1"),
        (ROOT_MOUNT + UNIFIED.replace("cgroup rw", "cgroup/unified rw", 1) + V1, "hybrid"),
        (ROOT_MOUNT, "none"),
        ("garbage\n - \n", "none"),
    ],
    ids=["v2", "v1", "hybrid", "none", "garbage"],
)
def test_how_the_cgroups_are_mounted(mounts: str, found: str) -> None:
    assert agent_info.cgroup_mounts(mounts) == found


def test_an_empty_host(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = look(
        capsys,
        python=sys.executable,
        home=str(tmp_path / "home"),
        config=str(tmp_path / "etc/homenode.json"),
        paths=[str(tmp_path / "nothing"), str(tmp_path)],
    )
    assert found["python"]["path"] == sys.executable
    assert found["root"] is (os.geteuid() == 0)
    assert (found["release"], found["releases"], found["drop_ins"]) == ("", [], [])
    assert found["existing"] == [str(tmp_path)]


def test_a_host_with_the_agent(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for age, name in enumerate(["0.2.0-b", "0.1.0-a"]):
        release = tmp_path / "home/releases" / name
        release.mkdir(parents=True)
        os.utime(release, (1000 - age, 1000 - age))
    (tmp_path / "home/current").symlink_to("releases/0.1.0-a")
    drop_ins = tmp_path / "homenode.json.d"
    drop_ins.mkdir()
    (drop_ins / "50-cri_rm.json").touch()
    (drop_ins / "README").touch()
    found = look(capsys, home=str(tmp_path / "home"), config=str(tmp_path / "homenode.json"))
    assert (found["release"], found["releases"]) == ("0.1.0-a", ["0.2.0-b", "0.1.0-a"])
    assert found["drop_ins"] == ["50-cri_rm"]


@pytest.mark.parametrize("answer", ["3.6.8", "nonsense"])
def test_a_python_that_is_too_old_is_met_and_not_taken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, answer: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {answer}\n")
    python.chmod(0o755)
    version = answer if answer[0].isdigit() else ""
    assert look(capsys, python=str(python))["python"] == {"path": "", "version": version}
