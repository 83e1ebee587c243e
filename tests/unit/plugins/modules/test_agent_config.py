# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module agent_config: the agent itself judges, and what it refuses is not written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import testing

from ansible_collections.homenode.numa.plugins.modules import agent_config
from ansible_collections.homenode.numa.plugins.plugin_utils.agent_archive import build_archive

ROOT = Path(__file__).resolve().parents[4]
PINNING = {"pinning": {"policy": "home-node"}}


class Config:
    """A configuration folder, and the module that writes into it."""

    def __init__(self, folder: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.main = folder / "etc/homenode/homenode.json"
        self.main.parent.parent.mkdir()
        self._archive = archive
        self._capsys = capsys

    def __call__(self, *, check: bool = False, **options: object) -> dict[str, Any]:
        arguments = {
            "path": str(self.main),
            "archive": str(self._archive),
            "python": sys.executable,
            "_ansible_check_mode": check,
            **options,
        }
        with testing.patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            agent_config.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result

    @property
    def files(self) -> list[str]:
        """What is there, by its name below /etc."""
        return sorted(
            str(path.relative_to(self.main.parent))
            for path in self.main.parent.rglob("*")
            if path.is_file()
        )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent of this checkout."""
    path = tmp_path_factory.mktemp("archive") / "homenode.pyz"
    build_archive(ROOT, path, interpreter="")
    return path


@pytest.fixture
def config(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> Config:
    """An empty host."""
    return Config(tmp_path, archive, capsys)


def test_a_life(config: Config) -> None:
    drop_in: dict[str, Any] = {"drop_in": "50-cri_rm", "content": PINNING}
    assert config(check=True, **drop_in)["changed"] is True
    assert config.files == []
    assert config(content={"journal": {"max_bytes": 65536}})["changed"] is True
    assert config(**drop_in)["changed"] is True
    assert config(**drop_in)["changed"] is False
    assert config.files == ["homenode.json", "homenode.json.d/50-cri_rm.json"]
    assert (config.main.stat().st_mode & 0o777, config.main.parent.stat().st_mode & 0o777) == (
        0o644,
        0o755,
    )
    assert config(drop_in="50-cri_rm", state="absent")["changed"] is True
    assert config(drop_in="50-cri_rm", state="absent")["changed"] is False
    assert config.files == ["homenode.json"]


def test_the_diff_is_the_hunk(config: Config) -> None:
    config(content={"journal": {"max_bytes": 65536}})
    diff = config(content={"journal": {"max_bytes": 4096}}, check=True)["diff"]
    assert '"max_bytes": 65536' in diff["before"]
    assert '"max_bytes": 4096' in diff["after"]
    assert diff["after_header"] == str(config.main)


@pytest.mark.parametrize("check", [False, True])
def test_what_the_agent_refuses_is_not_written(config: Config, check: bool) -> None:
    config(content={})
    before = config.main.read_text()
    said = config(content={"nri": {"plugin_index": "7"}}, check=check)["msg"]
    assert f"{config.main}: nri.plugin_index" in said
    assert "nothing was written" in said
    assert config.main.read_text() == before


def test_a_drop_in_is_judged_together_with_the_others(config: Config) -> None:
    config(content={"journal": {"max_bytes": 65536}})
    said = config(drop_in="60-other", content={"journal": {"max_bytes": 4096}})["msg"]
    assert "homenode.json.d/60-other.json: journal.max_bytes" in said
    assert f"differs from the value in {config.main}" in said
    assert config.files == ["homenode.json"]


@pytest.mark.parametrize("name", ["../evil", "a/b", "a.json", "-x"])
def test_a_name_is_a_name_and_no_path(config: Config, name: str) -> None:
    assert "cannot be a file name" in config(drop_in=name, content={})["msg"]
    assert config.files == []
