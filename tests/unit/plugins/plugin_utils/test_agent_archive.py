# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive that the role ships: same sources, same bytes; and it boots alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.plugin_utils import agent_archive

ROOT = Path(__file__).resolve().parents[4]
INTERPRETER = "/usr/bin/env python3"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A collection with the smallest agent that can say its version."""
    agent = tmp_path / "collection/files/agent/homenode"
    shared = tmp_path / "collection/plugins/module_utils"
    (agent / "rooms").mkdir(parents=True)
    (shared / "model").mkdir(parents=True)
    (agent / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (agent / "__main__.py").write_text(
        "import host_files, model\n\ndef main():\n    print('homenode', model.WORD)\n    return 7\n"
    )
    (agent / "rooms/__init__.py").write_text("")
    (shared / "model/__init__.py").write_text("WORD = 'packed'\n")
    (shared / "host_files.py").write_text("")
    (shared / "unshared.py").write_text("")
    return tmp_path / "collection"


def build(collection: Path, name: str = "out.pyz") -> tuple[str, bytes]:
    target = collection.parent / name
    digest = agent_archive.build_archive(collection, target, interpreter=INTERPRETER)
    return digest, target.read_bytes()


def test_same_sources_give_the_same_bytes(collection: Path, tmp_path: Path) -> None:
    first = build(collection)
    elsewhere = tmp_path / "elsewhere/collection"
    shutil.copytree(collection, elsewhere)  # other path, other times, other folder order
    assert build(elsewhere) == first


def test_what_an_interpreter_leaves_is_not_packed(collection: Path) -> None:
    first = build(collection)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(collection)], check=True)
    assert build(collection) == first


@pytest.mark.parametrize("change", ["content", "new file", "renamed"])
def test_any_change_of_the_sources_changes_the_digest(collection: Path, change: str) -> None:
    before, _archive = build(collection)
    rooms = collection / "files/agent/homenode/rooms"
    if change == "content":
        (rooms / "__init__.py").write_text("# a comment\n")
    elif change == "new file":
        (rooms / "new.py").write_text("")
    else:
        (rooms / "__init__.py").rename(rooms / "other.py")
    assert build(collection)[0] != before


def test_the_archive_holds_agent_and_shared_model_only(collection: Path) -> None:
    build(collection)
    with zipfile.ZipFile(collection.parent / "out.pyz") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "__main__.py",
            "homenode/__init__.py",
            "homenode/__main__.py",
            "homenode/_build.py",
            "homenode/rooms/__init__.py",
            "host_files.py",
            "model/__init__.py",
        ]
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_archive_runs_alone_and_keeps_the_exit_code(collection: Path) -> None:
    build(collection)
    run = subprocess.run(
        [sys.executable, "-I", str(collection.parent / "out.pyz")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (7, "homenode packed\n")


def test_a_missing_part_is_named_and_the_old_archive_stays(collection: Path) -> None:
    _digest, old = build(collection)
    (collection / "plugins/module_utils/host_files.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"host_files\.py: a part of the agent is missing"):
        build(collection)
    assert (collection.parent / "out.pyz").read_bytes() == old
    assert [path.name for path in collection.parent.iterdir() if path.is_file()] == ["out.pyz"]


def test_a_version_that_is_not_a_literal_is_refused(collection: Path) -> None:
    (collection / "files/agent/homenode/__init__.py").write_text("__version__ = str(1)\n")
    with pytest.raises(ValueError, match="__version__"):
        build(collection)
