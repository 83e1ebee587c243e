# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent on every Python at hand: each file imports, and the archive boots alone."""

from __future__ import annotations

import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from tools import pythons
from tools.artifacts import build_agent

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "files/agent"
SHARED = ROOT / "plugins/module_utils"

IMPORT_EACH = """
import importlib, sys
sys.path[:0] = sys.argv[1:3]
for name in sys.argv[3:]:
    importlib.import_module(name)
"""


def versions() -> list[object]:
    """One case for each supported Python; the oldest is always among them, at hand or not."""
    found = pythons.all_at_hand()
    cases: list[object] = [
        pytest.param(python, id=".".join(map(str, version))) for version, python in found.items()
    ]
    if pythons.OLDEST not in found:
        words = ".".join(map(str, pythons.OLDEST))
        missing = pytest.mark.skip(reason=f"no Python {words} on PATH or in ~/.pyenv/versions")
        cases.insert(0, pytest.param("", id=words, marks=missing))
    return cases


each_python = pytest.mark.parametrize("python", versions())


def run(*command: str | Path) -> str:
    """Its output; a failure shows what it said."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd="/", timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def modules() -> list[str]:
    """Every module of the archive by its name in it; importing `__main__` would run it."""
    paths = [
        *(path.relative_to(AGENT) for path in AGENT.rglob("*.py")),
        *(path.relative_to(SHARED) for path in (SHARED / "model").rglob("*.py")),
        Path("host_files.py"),
    ]
    names = (".".join(path.with_suffix("").parts) for path in paths)
    return sorted(name.removesuffix(".__init__") for name in names if "__main__" not in name)


@each_python
def test_every_file_imports(python: str) -> None:
    run(python, "-W", "error", "-B", "-c", IMPORT_EACH, AGENT, SHARED, *modules())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive alone in a folder: nothing of the checkout is near it."""
    target = tmp_path_factory.mktemp("node") / "homenode.pyz"
    build_agent(target)
    return target


@each_python
def test_the_archive_says_its_version(python: str, archive: Path) -> None:
    assert "0.1.0" in run(python, "-I", archive, "--version")


@each_python
@pytest.mark.parametrize("verb", ["facts", "probe"])
def test_the_archive_reads_this_machine(python: str, verb: str, archive: Path) -> None:
    assert run(python, "-I", archive, verb)


def test_the_archive_starts_by_its_own_first_line(archive: Path) -> None:
    assert "0.1.0" in run(archive, "--version")


def test_the_archive_holds_python_only(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert [name for name in opened.namelist() if not name.endswith(".py")] == []


def test_agent_sources_are_plain_files() -> None:
    """ansible-test refuses a shebang outside of plugins; what is not Python is not packed."""
    for path in AGENT.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.suffix == ".py", f"{path}: not a Python file, so it is not in the archive"
            assert not path.stat().st_mode & stat.S_IXUSR, f"{path}: executable"
            assert not path.read_bytes().startswith(b"#!"), f"{path}: has a shebang"
