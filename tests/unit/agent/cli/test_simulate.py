# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode simulate``: what the documentation shows, both formats, and files that are wrong."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from homenode.cli import main

ROOT = Path(__file__).parents[4]
DOCUMENTATION = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
MACHINE = ROOT / "tests" / "machines" / "lab-2n.machine"


def shown_in_documentation() -> tuple[str, str]:
    """The scenario, and what is shown as its outcome."""
    found = re.search(r"```yaml\n(.*?)```\n(.*?)\n\n`--format", DOCUMENTATION, re.DOTALL)
    assert found is not None
    outcome = re.sub(r"^ {4}", "", found[2], flags=re.MULTILINE).strip("\n")
    return found[1], outcome


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(shown_in_documentation()[0])
    return path


def test_the_documentation_shows_what_comes_out(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", str(scenario)]) == 0
    assert capsys.readouterr().out.rstrip("\n") == shown_in_documentation()[1]


def as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["simulate", str(path), "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_json_is_one_object(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(scenario, capsys)
    assert found["error"] is None
    assert [step["step"] for step in found["steps"]] == [0, 1, 2]
    assert {*found["steps"][0]} == {"step", "error", "assignments", "pools"}
    server = found["steps"][1]["assignments"]["default/db/server"]
    assert (server["cpus"], server["mems"], server["pool"]) == ("4-5", "1", "NUMA node #1")
    assert found["steps"][0]["pools"]["NUMA node #1"] == {"cpus": "4-7", "excess": ""}


def test_without_pyyaml_it_is_the_same(
    scenario: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_pyyaml = as_json(scenario, capsys)
    real = importlib.import_module

    def without(name: str) -> ModuleType:
        if name == "yaml":
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", without)
    assert as_json(scenario, capsys) == with_pyyaml


def test_a_recorded_machine_lies_beside_the_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here.machine").write_text(MACHINE.read_text())
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "{machine: {recorded: here.machine}, policy: balloons,"
        " config: {reservedResources: {cpu: cpuset:0}},"
        " steps: [{create: {name: p, containers: [{name: c, requests: {cpu: 1}}]}}]}"
    )
    (step,) = as_json(path, capsys)["steps"]
    assert step["assignments"]["default/p/c"]["pool"] == "default[0]"


WRONG = [
    ("machine: [", "SCENARIO", "is not YAML"),
    ("- 1", "(whole file)", "is not a mapping"),
    ("{machine: {packages: []}}", "machine.packages", "there is none"),
    ("{machine: {recorded: gone.machine}, policy: balloons}", "/sys", "is missing"),
    ("1" * 5000, "SCENARIO", "is not YAML"),
]


@pytest.mark.parametrize(("text", "field", "why"), WRONG)
def test_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, field: str, why: str
) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    assert main(["simulate", str(path), "--format", "json"]) == 1
    written = capsys.readouterr()
    told = json.loads(written.out)
    assert told["steps"] == [] and field in told["error"] and why in told["error"]
    assert written.err.count("\n") == 1 and why in written.err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "/nowhere.yaml"]) == 1
    written = capsys.readouterr()
    assert written.out == "" and "cannot be read (No such file" in written.err
