# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door to a machine's files: a folder, a recorded file, and what must not get through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import host_files
from fakes.files import FakeFiles
from host_files import HostFiles, as_recording, from_recording, open_host
from model.files import RecordingFiles

ONLINE = "/sys/devices/system/cpu/online"

names = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
paths = st.lists(names, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
lines = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)
texts = st.lists(lines).map(lambda some: "".join(f"{line}\n" for line in some))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with one file, beside which lies a secret."""
    file = tmp_path / "machine" / ONLINE.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_text("0-3\n")
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "machine"


def test_a_folder_is_read_and_listed(root: Path) -> None:
    files = open_host(str(root))
    assert files.read(ONLINE) == "0-3\n"
    assert files.list("/sys/devices/system") == ["cpu"]


def test_what_is_missing_is_none_or_empty(root: Path) -> None:
    for files in (open_host(str(root)), open_host(str(root / "nowhere")), FakeFiles({})):
        assert files.read("/proc/meminfo") is None
        assert files.list("/proc") == []


def test_a_folder_is_no_file_and_a_file_no_folder(root: Path) -> None:
    for files in (open_host(str(root)), FakeFiles({ONLINE: "0-3\n"})):
        assert files.read("/sys/devices") is None
        assert files.list(ONLINE) == []


@pytest.mark.parametrize(
    "target", ["../../secret", "{outside}/secret"], ids=["relative", "absolute"]
)
def test_no_link_leads_out_of_the_root(root: Path, target: str) -> None:
    (root / "proc").mkdir()
    (root / "proc/meminfo").symlink_to(target.format(outside=root.parent))
    (root / "up").symlink_to(root.parent)
    files = HostFiles(str(root))
    assert files.read("/proc/meminfo") is None
    assert files.read("/up/secret") is None
    assert files.list("/up") == []


def test_no_dots_lead_out_of_the_root(root: Path) -> None:
    assert HostFiles(str(root)).read("/../secret") is None


def test_a_neighbour_with_the_same_beginning_is_outside(root: Path) -> None:
    beside = root.parent / "machine-2"
    beside.mkdir()
    (beside / "file").write_text("other")
    (root / "link").symlink_to(beside)
    assert HostFiles(str(root)).read("/link/file") is None


def test_a_link_inside_the_root_is_followed(root: Path) -> None:
    (root / "link").symlink_to("sys/devices/system/cpu")
    assert HostFiles(str(root)).read("/link/online") == "0-3\n"


def test_the_root_may_be_a_link_itself(root: Path) -> None:
    (root.parent / "alias").symlink_to(root)
    assert open_host(str(root.parent / "alias")).read(ONLINE) == "0-3\n"


def test_a_fifo_stops_nobody(root: Path) -> None:
    os.mkfifo(root / "fifo")
    assert HostFiles(str(root)).read("/fifo") is None


def test_a_huge_file_is_unreadable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_files, "MAX_BYTES", 10)
    (root / "fits").write_text("x" * 10)
    (root / "huge").write_text("x" * 11)
    files = HostFiles(str(root))
    assert (files.read("/fits"), files.read("/huge")) == ("x" * 10, None)


def test_bytes_that_are_no_text_are_shown_as_such(root: Path) -> None:
    (root / "binary").write_bytes(b"\xff0-3")
    assert HostFiles(str(root)).read("/binary") == "\ufffd0-3"


def test_the_live_machine_needs_no_root() -> None:
    assert open_host().read("/proc/self/stat")
    assert "self" in open_host("/").list("/proc")


def test_a_recorded_file_is_a_machine(tmp_path: Path) -> None:
    recording = tmp_path / "any-name"
    recording.write_text(f"# two lines\n  lost\n{ONLINE}\n  0-3\n/proc/meminfo\n  a: 1\n  b: 2\n")
    files = open_host(str(recording))
    assert files.read(ONLINE) == "0-3\n"
    assert files.read("/proc/meminfo") == "a: 1\nb: 2\n"
    assert files.list("/") == ["proc", "sys"]
    assert files.list("/sys/devices/system/") == ["cpu"]


def test_a_recording_cannot_name_a_way_up() -> None:
    assert from_recording("/a/../b\n  1\n/c\n  2\n") == {"/c": "2\n"}


@given(st.dictionaries(paths, texts))
def test_a_machine_survives_its_recording(machine: dict[str, str]) -> None:
    assert from_recording(as_recording(machine, "any")) == machine


@given(st.text())
def test_any_text_is_some_recording(text: str) -> None:
    FakeFiles(from_recording(text)).list("/")


def test_a_recorder_keeps_what_was_read_and_nothing_else() -> None:
    files = RecordingFiles(FakeFiles({"/a": "1\n", "/b/c": "2\n", "/serial": "3\n"}))
    assert (files.read("/a"), files.read("/missing"), files.list("/b")) == ("1\n", None, ["c"])
    assert files.texts == {"/a": "1\n"}


def test_a_recorder_keeps_only_the_totals_of_meminfo() -> None:
    text = "MemTotal: 9 kB\nMemFree: 1 kB\nDirty: 5 kB\n"
    files = RecordingFiles(FakeFiles({"/proc/meminfo": text}))
    assert files.read("/proc/meminfo") == text
    assert files.texts == {"/proc/meminfo": "MemTotal: 9 kB\nMemFree: 1 kB\n"}
