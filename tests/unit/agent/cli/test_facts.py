# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode facts``: what it prints, what it records, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.hand_made import MACHINES
from homenode.cli import main
from host_files import open_host
from model.facts import machine_facts
from model.sysfs import read_machine

HYBRID = str(MACHINES / "hybrid.machine")
RECORDED = sorted(MACHINES.glob("*.machine"))


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--root", str(MACHINES / "sparse-ids.machine")]) == 0
    assert (
        capsys.readouterr().out
        == """\
NUMA nodes         2
Memory             256 GiB
CPUs online        0-15,64-79 (32)
Threads per core   4
Packages           0: 0-15 | 8: 64-79
Last-level caches  L3 10 MiB: 0-7 | 8-15 | 64-71 | 72-79

NODE  KIND  PACKAGE  CPUS   MEMORY   FREE    HUGE PAGES              DISTANCES
0     dram  0        0-15   128 GiB  96 GiB  -                       10 40
8     dram  8        64-79  128 GiB  96 GiB  2Mi: 512/512, 1Gi: 2/2  40 10
"""
    )


def test_the_table_names_what_is_special(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("numa-off", "offline", "hybrid", "8n"):
        assert main(["facts", "--root", str(MACHINES / f"{name}.machine")]) == 0
    out = capsys.readouterr().out
    assert "no NUMA" in out
    assert "CPUs offline       2-3,5-7" in out
    assert "Efficiency CPUs    8-15" in out
    assert "CPUs isolated      28-31,60-63" in out


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_json_is_the_facts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--json", "--root", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == machine_facts(read_machine(open_host(str(file))))


def test_this_very_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """No root, no Kubernetes, with NUMA or without."""
    assert main(["facts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nodes"]


@pytest.mark.parametrize("name", ["again.machine", "new/folder"])
def test_a_recorded_machine_is_the_machine(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / name)
    assert main(["facts", "--json", "--root", HYBRID, "--record", place]) == 0
    first = capsys.readouterr()
    assert place in first.err
    assert main(["facts", "--json", "--root", place]) == 0
    assert capsys.readouterr().out == first.out


def test_a_recording_holds_what_is_read_and_no_more(tmp_path: Path) -> None:
    """A serial number stays where it is, and so does the rest of a meminfo."""
    source, copy = tmp_path / "source", tmp_path / "copy"
    main(["facts", "--root", HYBRID, "--record", str(source)])
    serial = source / "sys/class/dmi/id/product_serial"
    serial.parent.mkdir(parents=True)
    serial.write_text("secret\n")
    with (source / "proc/meminfo").open("a") as meminfo:
        meminfo.write("Dirty: 17 kB\n")
    main(["facts", "--root", str(source), "--record", str(copy)])
    kept = {path.relative_to(copy): path.read_text() for path in copy.rglob("*") if path.is_file()}
    assert not any("secret" in text or "Dirty" in text for text in kept.values())
    assert len(kept) == len(open_host(HYBRID).texts)  # type: ignore[union-attr]


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("mine")
    assert main(["facts", "--root", HYBRID, "--record", str(tmp_path)]) == 1
    assert "--record" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_place_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--root", HYBRID, "--record", "/proc/nowhere/x.machine"]) == 1
    assert "name a place where you may write" in capsys.readouterr().err


def test_nonsense_in_a_file_is_one_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.machine"
    text = Path(HYBRID).read_text().replace("node0/cpulist\n  0-15", "node0/cpulist\n  zz")
    broken.write_text(text)
    assert main(["facts", "--root", str(broken)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert '/sys/devices/system/node/node0/cpulist "zz"' in said.err


def test_no_machine_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--root", "/nowhere"]) == 1
    assert "name the root folder of a Linux machine" in capsys.readouterr().err
