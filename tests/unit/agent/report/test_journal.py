# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: a line is a line, a flood is cut and counted, a full disk stops nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from homenode.report.journal import BURST, PER_SECOND, ROUTINE, Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only the test moves."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def test_a_record_is_one_line_in_the_file_and_on_the_stream(
    path: Path, stream: io.StringIO
) -> None:
    Journal(str(path), 4096, stream).write({"kind": "problem", "cpus": "1-2"})
    assert path.read_text() == stream.getvalue() == '{"kind": "problem", "cpus": "1-2"}\n'


@pytest.mark.parametrize("kind", sorted(ROUTINE))
def test_what_every_pods_life_has_stands_in_the_file_alone(
    path: Path, stream: io.StringIO, kind: str
) -> None:
    Journal(str(path), 4096, stream).write({"kind": kind})
    assert path.read_text() == json.dumps({"kind": kind}) + "\n"
    assert stream.getvalue() == ""
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_name_forges_no_line_and_moves_no_cursor(path: Path, stream: io.StringIO) -> None:
    name = 'x\n{"kind": "placed"}\r\x1b[2J\u202e\u2028\0'
    Journal(str(path), 4096, stream).write({"name": name})
    text = path.read_text()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    assert text.isascii()
    assert lines(path) == [{"name": name}]


def test_a_flood_is_cut_and_counted(path: Path, stream: io.StringIO, clock: list[float]) -> None:
    journal = Journal(str(path), 1 << 20, stream)
    for number in range(10_000):
        journal.write({"n": number})
    assert len(lines(path)) == BURST
    clock[0] += 1.0
    for number in range(PER_SECOND + 1):
        journal.write({"n": number})
    assert len(lines(path)) == BURST + 1 + PER_SECOND
    assert lines(path)[BURST] == {"kind": "dropped", "lines": 10_000 - BURST}


def test_a_long_calm_saves_up_one_burst(
    path: Path, stream: io.StringIO, clock: list[float]
) -> None:
    journal = Journal(str(path), 1 << 20, stream)
    clock[0] += 3600.0
    for number in range(2 * BURST):
        journal.write({"n": number})
    assert len(lines(path)) == BURST


def test_the_file_is_rotated_once(path: Path, stream: io.StringIO) -> None:
    journal = Journal(str(path), 4096, stream)
    for number in range(150):
        journal.write({"n": number, "ballast": "x" * 80})
    old = path.with_name(path.name + ".1")
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, old.name]
    assert old.stat().st_size < 4096 + 200
    assert path.stat().st_size <= 4096
    assert [one["n"] for one in lines(old) + lines(path)][-1] == 149


def full(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_until_it_is_not_full(
    path: Path, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(str(path), 4096, stream)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        journal.write({"n": 1})
        assert journal.error == f"{path}: No space left on device"
    journal.write({"n": 2})
    assert journal.error == ""
    assert lines(path) == [{"n": 2}]
    assert stream.getvalue() == '{"n": 1}\n{"n": 2}\n'


def test_half_a_line_spoils_no_other(
    path: Path, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(str(path), 4096, stream)
    really = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: really(handle, data[:4]))
        journal.write({"n": 1})
        assert "No space left" in journal.error
    journal.write({"n": 2})
    assert path.read_text().splitlines()[1:] == ['{"n": 2}']


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_nobody_listens_on_the_stream(path: Path) -> None:
    Journal(str(path), 4096, Gone()).write({"n": 1})
    assert lines(path) == [{"n": 1}]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, stream: io.StringIO) -> None:
    journal = Journal(str(tmp_path / "gone" / "journal"), 4096, stream)
    journal.write({"n": 1})
    assert "No such file" in journal.error
