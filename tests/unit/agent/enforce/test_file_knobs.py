# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are held and given back to the byte, also when the disk, the driver or time is bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional

import pytest

from homenode.enforce.file_knobs import FileKnobs

IRQ = "/proc/irq/4/smp_affinity_list"
CLOCK = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq"


class Disk:
    """Where before-values go; *error* makes it full."""

    def __init__(self) -> None:
        self.text, self.saves = "", 0
        self.error: Optional[OSError] = None

    def save(self, text: str) -> Optional[OSError]:
        self.saves += 1
        if self.error is None:
            self.text = text
        return self.error


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in ((IRQ, "0-15\n"), (CLOCK, "3800000\n"), ("/etc/passwd", "root\n")):
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_text(text)
    return tmp_path


def _text(root: Path, path: str) -> str:
    return (root / path[1:]).read_text().strip()


def test_held_and_given_back(root: Path, disk: Disk) -> None:
    knobs = FileKnobs(str(root), "", disk.save)
    assert knobs.hold({IRQ: "4-5", CLOCK: "2900000"}) == []
    assert (_text(root, IRQ), _text(root, CLOCK)) == ("4-5", "2900000")
    assert json.loads(disk.text) == {IRQ: "0-15", CLOCK: "3800000"}
    assert knobs.hold({CLOCK: "2900000"}) == []
    assert _text(root, IRQ) == "0-15"
    assert knobs.give_back() == []
    assert _text(root, CLOCK) == "3800000"
    assert json.loads(disk.text) == {}


def test_what_stands_is_written_once_and_what_somebody_changed_again(
    root: Path, disk: Disk
) -> None:
    knobs = FileKnobs(str(root), "", disk.save)
    knobs.hold({IRQ: "4-5"})
    before = (root / IRQ[1:]).stat().st_mtime_ns
    knobs.hold({IRQ: "4-5"})
    assert (root / IRQ[1:]).stat().st_mtime_ns == before
    assert disk.saves == 1
    (root / IRQ[1:]).write_text("0\n")
    knobs.hold({IRQ: "4-5"})
    assert _text(root, IRQ) == "4-5"


def test_a_restart_remembers_the_first_value(root: Path, disk: Disk) -> None:
    FileKnobs(str(root), "", disk.save).hold({IRQ: "4-5"})
    again = FileKnobs(str(root), disk.text, disk.save)
    again.hold({IRQ: "6-7"})
    assert again.give_back() == []
    assert _text(root, IRQ) == "0-15"


def test_without_a_way_back_nothing_new_is_touched(root: Path, disk: Disk) -> None:
    disk.error = OSError(28, "No space left on device")
    knobs = FileKnobs(str(root), "", disk.save)
    (problem,) = knobs.hold({IRQ: "4-5"})
    assert "No space left" in problem.value
    assert _text(root, IRQ) == "0-15"
    disk.error = None
    assert knobs.hold({IRQ: "4-5"}) == []
    assert _text(root, IRQ) == "4-5"


def test_a_file_that_is_not_there_is_no_problem(root: Path, disk: Disk) -> None:
    gone = "/sys/devices/system/cpu/cpu99/cpufreq/scaling_max_freq"
    assert FileKnobs(str(root), "", disk.save).hold({gone: "1"}) == []


def test_a_driver_that_refuses_is_told(
    root: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileKnobs, "_write", lambda *_arguments: None)  # accepted, and not done
    (problem,) = FileKnobs(str(root), "", disk.save).hold({CLOCK: "1"})
    assert problem.field == CLOCK
    assert "3800000" in problem.why


def test_a_value_that_stands_in_anothers_way_is_tried_again(
    root: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a clock whose new maximum is below the old minimum."""
    write = FileKnobs._write

    def ordered(knobs: FileKnobs, path: str, text: str) -> Optional[str]:
        if path == CLOCK and _text(root, IRQ) == "0-15":
            return "Invalid argument"
        return write(knobs, path, text)

    monkeypatch.setattr(FileKnobs, "_write", ordered)
    assert FileKnobs(str(root), "", disk.save).hold({CLOCK: "2900000", IRQ: "4"}) == []
    assert _text(root, CLOCK) == "2900000"


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/irq/../../etc/passwd"])
def test_nothing_elsewhere_is_ever_written(root: Path, disk: Disk, path: str) -> None:
    knobs = FileKnobs(str(root), json.dumps({path: "evil"}), disk.save)
    assert knobs.hold({path: "evil"}) == []
    assert knobs.give_back() == []
    assert _text(root, "/etc/passwd") == "root"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"/proc/irq/4/smp_affinity_list": 1}', "[" * 9999]
)
def test_a_foreign_memory_is_none(root: Path, disk: Disk, text: str) -> None:
    assert FileKnobs(str(root), text, disk.save).before == {}
