# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of our own: written once, removed with the folders that were made, others untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils import own_files
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.destination import MARK
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

TEXT = f"{MARK}\na: 1\n"


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def written(path: Path) -> str:
    text = own_files.with_folders(path, TEXT, own_files.text_of(path))
    own_files.change({path: text}).apply()
    return text


def test_folders_that_were_made_go_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a/b/50-x.conf"
    text = written(path)
    assert text.splitlines()[1].endswith(f"{tmp_path}/a/b, {tmp_path}/a")
    assert written(path) == text
    assert path.stat().st_mode & 0o777 == 0o644
    own_files.remove(path)
    assert listed(tmp_path) == []
    own_files.remove(path)


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "a/b/50-x.conf"
    written(path)
    (tmp_path / "a/other").touch()
    own_files.remove(path)
    assert listed(tmp_path) == ["a", "a/other"]


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "50-x.conf"
    assert written(path) == TEXT
    own_files.remove(path)
    assert tmp_path.is_dir()


def test_a_change_goes_there_and_back(tmp_path: Path) -> None:
    old, new = tmp_path / "old.conf", tmp_path / "new.conf"
    written(old)
    change = own_files.change({old: None, new: TEXT})
    assert change.as_dict()["files"] == [str(new)]
    assert [item["after"] for item in change.as_dict()["diff"]] == ["", TEXT]
    change.apply()
    assert listed(tmp_path) == ["new.conf"]
    own_files.change(change.before).apply()
    assert listed(tmp_path) == ["old.conf"]
    assert old.read_text() == TEXT
    assert not own_files.change({old: TEXT}).as_dict()["changed"]


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "50-x.conf"
    path.write_text(f"a: 1\n{MARK}\n")
    with pytest.raises(HomenodeProblem, match="somebody else"):
        own_files.change({path: None})
