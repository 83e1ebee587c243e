# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""inotify against the kernel it runs on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.linux.inotify import CREATED, DELETED, IS_FOLDER, MODIFIED, Inotify, Notice


@pytest.fixture
def inotify() -> Iterator[Inotify]:
    made = Inotify()
    yield made
    made.close()


def test_what_comes_and_goes_is_told(inotify: Inotify, tmp_path: Path) -> None:
    assert inotify.watch(str(tmp_path), CREATED | DELETED) is None
    (tmp_path / "pod").mkdir()
    (tmp_path / "pod").rmdir()
    folder = str(tmp_path)
    assert inotify.wait(5) == [
        Notice(folder, "pod", CREATED | IS_FOLDER),
        Notice(folder, "pod", DELETED | IS_FOLDER),
    ]


def test_a_write_is_told_by_its_file(inotify: Inotify, tmp_path: Path) -> None:
    (tmp_path / "cpuset.cpus").write_text("0")
    assert inotify.watch(str(tmp_path), MODIFIED) is None
    with open(tmp_path / "cpuset.cpus", "a") as file:
        file.write("1")
    assert inotify.wait(5) == [Notice(str(tmp_path), "cpuset.cpus", MODIFIED)]


def test_nothing_happens(inotify: Inotify, tmp_path: Path) -> None:
    assert inotify.watch(str(tmp_path), CREATED) is None
    assert inotify.wait(0) == []


def test_a_folder_that_went_is_told_and_forgotten(inotify: Inotify, tmp_path: Path) -> None:
    missing = inotify.watch(str(tmp_path / "gone"), CREATED)
    assert missing is not None
    assert missing.errno == errno.ENOENT
    (tmp_path / "gone").mkdir()
    assert inotify.watch(str(tmp_path / "gone"), CREATED) is None
    (tmp_path / "gone").rmdir()
    assert inotify.wait(5) == []  # only the end of the watch
