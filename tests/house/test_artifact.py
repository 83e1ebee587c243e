# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it: a tarball, installed without the internet, used elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools.artifacts import build_collection

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = re.compile(
    r"(^|/)(\.git|\.venv|build|dist|__pycache__|\.ansible|\.[a-z]+_cache)(/|$)|\.pyc$"
)


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_collection(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the collection installed in it and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    install = ("collection", "install", "--offline", str(tarball), "-p", str(target))
    ansible("ansible-galaxy", *install, collections=target)
    return target


def ansible(tool: str, *arguments: str, collections: Path) -> str:
    """Run from an unrelated folder, with those collections only; the output, or why it failed."""
    elsewhere = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(collections / "home"),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        [str(Path(sys.prefix) / "bin" / tool), *arguments],
        env={**os.environ, **elsewhere},
        cwd=collections,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_tarball_holds_the_agent_and_the_main_job(tarball: Path) -> None:
    with tarfile.open(tarball) as opened:
        names = set(opened.getnames())
    assert {"site.yml", "playbooks/site.yml", "COPYING", "README.md"} <= names
    assert "plugins/plugin_utils/ec2_eni_limits.txt" in names
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "files/agent").rglob("*.py")}
    assert wanted <= names
    for role in ("kubelet_numa", "cri_rm", "nri_memtierd", "agent"):
        assert f"roles/{role}/meta/argument_specs.yml" in names


def test_the_tarball_holds_nothing_that_was_only_made_here(tarball: Path) -> None:
    with tarfile.open(tarball) as opened:
        assert [name for name in opened.getnames() if NOT_SHIPPED.search(name)] == []


def test_it_installs_offline_and_is_whole(installed: Path) -> None:
    said = ansible(
        "ansible-galaxy",
        *("collection", "verify", "--offline", "homenode.numa"),
        collections=installed,
    )
    assert "internally consistent" in said


def test_the_main_job_is_found_by_its_full_name(installed: Path) -> None:
    play = ("-i", "localhost,", "-c", "local", "homenode.numa.site", "--list-tasks")
    assert "playbook: " in ansible("ansible-playbook", *play, collections=installed)


def test_the_installed_collection_builds_the_same_agent(installed: Path, tmp_path: Path) -> None:
    build = (
        "import sys; from pathlib import Path; import agent_archive as a;"
        "print(a.build_archive(Path(sys.argv[1]), Path(sys.argv[2]), interpreter=''))"
    )
    digests = []
    for root in (ROOT, installed / "ansible_collections/homenode/numa"):
        done = subprocess.run(
            [sys.executable, "-c", build, str(root), str(tmp_path / "homenode.pyz")],
            env={**os.environ, "PYTHONPATH": str(root / "plugins/plugin_utils")},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.append(done.stdout)
    assert digests[0] == digests[1]


def test_agent_and_collection_have_one_version() -> None:
    collection = re.search(r"^version: (\S+)$", (ROOT / "galaxy.yml").read_text(), re.MULTILINE)
    agent = re.search(
        r'^__version__ = "(\S+)"$',
        (ROOT / "files/agent/homenode/__init__.py").read_text(),
        re.MULTILINE,
    )
    assert collection
    assert agent
    assert collection.group(1) == agent.group(1)
