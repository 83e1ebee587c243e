# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the working tree where Ansible's tools want it: .../ansible_collections/homenode/numa.

They find a collection by the end of its path only, and refuse a symlink. The copy holds what git
would take: tracked files and new ones that are not ignored, so tests need no commit first.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / "build"
STAGED = COLLECTIONS / "ansible_collections/homenode/numa"
NOT_OURS = (".git", "tests/output")
"""ansible-test's own, inside the copy: a repository to list the files by, and its results."""


def stage(root: Path = ROOT, target: Path = STAGED) -> Path:
    """Make *target* equal to *root*, touching only what differs; two at once do no harm."""
    wanted = _files(root)
    for name in wanted:
        copy = target / name
        if not copy.is_file() or not filecmp.cmp(root / name, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, copy)
        shutil.copymode(root / name, copy)
    for path in sorted(target.rglob("*"), reverse=True):
        name = path.relative_to(target).as_posix()
        if name in wanted or any(name == own or name.startswith(f"{own}/") for own in NOT_OURS):
            continue
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
        elif not any(path.iterdir()):
            path.rmdir()
    if not (target / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    return target


def _files(root: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {name for name in listed.split("\0") if name and (root / name).is_file()}
