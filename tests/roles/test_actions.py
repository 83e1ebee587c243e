# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions of the agent role, run by Ansible itself against a folder of this machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from roles.local_ansible import Ansible


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "usr/lib/homenode"


def archive(ansible: Ansible, home: Path, *flags: str) -> dict[str, Any]:
    return ansible.module(
        "agent_archive", *flags, dest=str(home / "releases"), python=sys.executable
    )


def release(ansible: Ansible, home: Path, name: str, *flags: str, keep: int = 3) -> dict[str, Any]:
    command = str(home.parents[1] / "homenode")
    return ansible.module(
        "agent_release", *flags, name=name, home=str(home), command=command, keep=keep
    )


def test_the_archive_arrives_verified_and_once(ansible: Ansible, home: Path) -> None:
    planned = archive(ansible, home, "--check", "--diff")
    assert planned["changed"] is True
    assert f"+release {planned['release']}\n+sha256 {planned['sha256']}" in planned["printed"]
    assert not home.exists()

    first = archive(ansible, home)
    assert {key: first[key] for key in ("changed", "sha256", "path")} == {
        key: planned[key] for key in ("changed", "sha256", "path")
    }
    path = Path(first["path"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == first["sha256"]
    assert path.parent.name == f"{first['version']}-{first['sha256'][:12]}"
    assert [file.name for file in path.parent.iterdir()] == ["homenode.pyz"]
    assert archive(ansible, home)["changed"] is False

    said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"homenode {first['version']}\n"


def test_a_damaged_archive_is_replaced(ansible: Ansible, home: Path) -> None:
    path = Path(archive(ansible, home)["path"])
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert archive(ansible, home)["changed"] is True
    assert path.read_bytes() == good
    path.chmod(0o700)
    assert archive(ansible, home)["changed"] is True
    assert path.stat().st_mode & 0o777 == 0o755


def test_bytes_that_change_on_the_way_never_get_the_name(ansible: Ansible, home: Path) -> None:
    """A sha256sum that lies stands for a transfer that damages."""
    fake = ansible.folder / "bin/sha256sum"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'bad  file'\n")
    fake.chmod(0o755)
    ansible.environment["PATH"] = f"{fake.parent}:{ansible.environment['PATH']}"
    assert "has SHA-256 bad" in archive(ansible, home)["msg"]
    assert list(home.rglob("homenode.pyz*")) == []


def test_a_switch_forward_and_back(ansible: Ansible, home: Path) -> None:
    for age, name in enumerate(("0.1.0-a", "0.2.0-b", "0.3.0-c")):
        folder = home / "releases" / name
        folder.mkdir(parents=True)
        subprocess.run(["touch", "-d", f"@{1000 + age}", str(folder)], check=True)
    current = home / "current"

    planned = release(ansible, home, "0.3.0-c", "--check", "--diff", keep=2)
    assert planned["removed"] == ["0.1.0-a"]
    assert not current.exists()

    assert release(ansible, home, "0.3.0-c", keep=2)["changed"] is True
    assert str(current.readlink()) == "releases/0.3.0-c"
    assert str((home.parents[1] / "homenode").readlink()) == f"{current}/homenode.pyz"
    assert sorted(path.name for path in home.glob("releases/*")) == ["0.2.0-b", "0.3.0-c"]
    assert release(ansible, home, "0.3.0-c", keep=2)["changed"] is False

    back = release(ansible, home, "0.2.0-b", "--diff", keep=2)
    assert f"-{current} -> releases/0.3.0-c" in back["printed"]
    assert f"+{current} -> releases/0.2.0-b" in back["printed"]
    assert sorted(path.name for path in home.glob("releases/*")) == ["0.2.0-b", "0.3.0-c"]


@pytest.mark.parametrize("name", ["../evil", "", ".", "a/b"])
def test_a_release_is_a_name_and_no_path(ansible: Ansible, home: Path, name: str) -> None:
    assert "is no release" in release(ansible, home, name)["msg"]
    assert not home.exists()


def test_a_question_leaves_nothing_on_the_host(ansible: Ansible) -> None:
    answer = ansible.module(
        "agent_query", "--check", verb="facts", arguments=["--json"], python=sys.executable
    )
    assert answer["changed"] is False
    assert answer["json"]["nodes"]
    assert list((ansible.folder / "remote").glob("*")) == []


def test_a_verb_that_writes_is_no_question(ansible: Ansible) -> None:
    assert "value of verb must be one of" in ansible.module("agent_query", verb="undo")["msg"]


def test_a_configuration_is_judged_where_no_agent_is_installed(
    ansible: Ansible, tmp_path: Path
) -> None:
    path = tmp_path / "homenode.json"
    options = {"path": str(path), "python": sys.executable}
    wrong = {"pinning": {"policy": "bogus"}}
    said = ansible.module("agent_config", "--check", content=wrong, **options)["msg"]
    assert f'{path}: pinning.policy "bogus": is not a known choice' in said
    good = {"pinning": {"policy": "home-node"}}
    assert ansible.module("agent_config", "--check", content=good, **options)["changed"] is True
    assert not path.exists()
