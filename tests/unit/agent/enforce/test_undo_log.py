# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of before-values: the first value wins, and nothing that was written is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from homenode.enforce.undo import SPARE_LINES, BeforeValue, UndoLog
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement


def value(name: str, cpus: str = "", mems: str = "") -> BeforeValue:
    before = Placement(CpuSet.parse(cpus) or None, NodeSet.parse(mems) or None)
    return BeforeValue(name, f"default/{name}/{name}", f"kubepods/{name}", before, 512)


def test_a_line_of_an_older_agent_knows_no_weight(tmp_path: Path) -> None:
    line = '{"container_id": "a", "name": "n", "cgroup": "k/a", "cpus": "1", "mems": ""}\n'
    (tmp_path / "undo").write_text(line)
    (found,) = UndoLog(str(tmp_path / "undo")).values()
    assert (found.container_id, found.shares) == ("a", None)


A, B, C = value("a"), value("b", "0-3", "0"), value("c", "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "undo.jsonl"


def names(path: Path) -> list[str]:
    """What a new agent would find."""
    return [one.container_id for one in UndoLog(str(path)).values()]


def test_what_was_written_is_found_again(path: Path) -> None:
    assert UndoLog(str(path)).remember([A, B]) is None
    assert UndoLog(str(path)).values() == (A, B)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_first_value_wins(path: Path) -> None:
    UndoLog(str(path)).remember([B])
    log = UndoLog(str(path))
    log.remember([value("b", "7"), A])
    assert log.values() == UndoLog(str(path)).values() == (B, A)


def test_of_two_lines_in_the_file_the_first_wins(path: Path) -> None:
    UndoLog(str(path)).remember([B])
    first = path.read_text()
    path.write_text(first + first.replace("0-3", "7"))
    assert UndoLog(str(path)).values() == (B,)


def test_what_is_known_costs_no_write(path: Path) -> None:
    log = UndoLog(str(path))
    log.remember([A])
    path.unlink()
    assert log.remember([A]) is None
    assert not path.exists()


def test_a_torn_line_is_passed_over_and_spoils_nothing(path: Path) -> None:
    UndoLog(str(path)).remember([A])
    with path.open("a") as file:
        file.write('{"container_id": "b", "na')
    UndoLog(str(path)).remember([C])
    assert names(path) == ["a", "c"]


LINE = '{"container_id": %s, "name": "n", "cgroup": "c", "cpus": "%s", "mems": ""}'
FOREIGN = {
    "not JSON": "hello",
    "no object": "[1, 2]",
    "a part is missing": '{"container_id": "x", "name": "n", "cgroup": "c", "cpus": ""}',
    "no cpuset": LINE % ('"x"', "z"),
    "a number for a text": LINE % ("5", ""),
    "a list for a text": LINE % ("[]", ""),
    "no end of nesting": "[" * 100_000,
    "not ASCII": '{"container_id": "\u00e4"',
}


@pytest.mark.parametrize("line", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_line_is_passed_over(path: Path, line: str) -> None:
    UndoLog(str(path)).remember([A])
    path.write_text(line + "\n" + path.read_text() + line)
    assert names(path) == ["a"]


def test_only_the_living_are_kept(path: Path) -> None:
    log = UndoLog(str(path))
    log.remember([A, B, C])
    assert log.keep_only(["c", "stranger"]) is None
    assert log.values() == UndoLog(str(path)).values() == (C,)
    log.remember([A])
    assert names(path) == ["c", "a"]


def test_keeping_all_costs_no_write(path: Path) -> None:
    log = UndoLog(str(path))
    log.remember([A])
    before = path.stat()
    assert log.keep_only(["a"]) is None
    assert path.stat() == before


def test_lives_without_end_leave_a_file_of_bounded_size(path: Path) -> None:
    log = UndoLog(str(path))
    largest = 0
    for number in range(1000):
        log.remember([value(f"life-{number:04}")])
        assert log.let_go({"life-0000", f"life-{number:04}"}) is None
        largest = max(largest, len(log.values()), len(path.read_text().split("\n")) - 2)
    assert largest <= 2 * 2 + SPARE_LINES + 1
    assert names(path)[0] == "life-0000"
    assert names(path)[-1] == "life-0999"


def test_the_dead_are_left_in_peace_while_they_are_few(path: Path) -> None:
    log = UndoLog(str(path))
    log.remember([A, B, C])
    before = path.stat()
    assert log.let_go({"a"}) is None
    assert path.stat() == before


def full(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_and_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = UndoLog(str(path))
    log.remember([A])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        error = log.remember([B])
        assert error is not None
        assert error.errno == errno.ENOSPC
        assert log.values() == (A, B), "this agent still knows it"
    assert log.remember([C]) is None
    assert names(path) == ["a", "b", "c"]


def test_a_disk_that_fills_up_in_mid_line_spoils_no_other_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = UndoLog(str(path))
    log.remember([A])
    really = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: really(handle, data[:20]))
        error = log.remember([B])
        assert error is not None
        assert error.errno == errno.ENOSPC
    log.remember([C])
    assert names(path) == ["a", "b", "c"]


def test_a_full_disk_takes_nothing_that_was_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = UndoLog(str(path))
    log.remember([A, B])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert log.keep_only(["a"]) is not None
    assert names(path) == ["a", "b"]
    assert log.keep_only(["a"]) is None
    assert names(path) == ["a"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    log = UndoLog(str(tmp_path / "gone" / "undo"))
    error = log.remember([A])
    assert error is not None
    assert error.errno == errno.ENOENT


def test_what_was_there_before_is_exact(path: Path) -> None:
    UndoLog(str(path)).remember([B, A])
    found = {one.container_id: one.placement for one in UndoLog(str(path)).values()}
    assert found == {"a": NOT_OURS, "b": Placement(CpuSet.parse("0-3"), NodeSet([0]))}
