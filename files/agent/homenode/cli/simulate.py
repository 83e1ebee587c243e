# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode simulate SCENARIO.yaml``: what the policy would do, on any machine, without one."""

from __future__ import annotations

import argparse
import importlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from homenode.intent.yaml_subset import read_yaml
from homenode.report.columns import aligned, one_line, printable
from homenode.simulate.answer import answer
from homenode.simulate.policies import run_of
from homenode.simulate.scenario import Create, Delete, Exit, Scenario, Step, Update, read_scenario
from host_files import open_host
from model.machine import Machine
from model.problem import HomenodeProblem
from model.sysfs import read_machine

MAX_CHARACTERS = 64 << 20
_HEADINGS = ("CONTAINER", "CPUS", "MEMS", "POOL", "WHY")
_NOTHING = "-"


def configure(parser: argparse.ArgumentParser) -> None:
    """The scenario, and how to tell what came out."""
    parser.add_argument("scenario", metavar="SCENARIO.yaml", help="see docs/simulate.md")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="for people, or for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 where the scenario could be read, whatever became of its steps; else a problem."""
    try:
        scenario = _read(arguments.scenario)
    except HomenodeProblem as error:
        if arguments.format == "json":
            print(json.dumps({"error": str(error), "steps": []}))
        raise
    result = answer(run_of(scenario))
    if arguments.format == "json":
        print(json.dumps(result))
    else:
        print(printable("\n".join(_table(scenario, result))))
    return 0


def _read(path: str) -> Scenario:
    def recorded(machine: str) -> Machine:
        return read_machine(open_host(os.path.join(os.path.dirname(path), machine)))

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise HomenodeProblem("SCENARIO", path, why, "name a file of YAML") from None
    return read_scenario(_parsed(text, path), source=path, recorded=recorded)


def _parsed(text: str, path: str) -> Any:
    """With PyYAML where it is installed: it knows all of YAML; else with our own small reader."""
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        return read_yaml(text, field="SCENARIO", limit=MAX_CHARACTERS, source=path)
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = f"is not YAML: {one_line(' '.join(str(error).split()))}"
        raise HomenodeProblem("SCENARIO", path, why, "correct it") from None


def _table(scenario: Scenario, result: dict[str, Any]) -> Iterator[str]:
    """For each step whom it changed, and how the pools are after the last one."""
    if result["error"]:
        yield f"configuration refused: {one_line(result['error'])}"
    before: dict[str, Any] = {}
    for step, told in zip(scenario.steps, result["steps"]):
        now = told["assignments"]
        yield f"step {told['step']}: {one_line(_title(step))}"
        if told["error"]:
            yield f"  refused: {one_line(told['error'])}"
        rows = [_row(name, one) for name, one in now.items() if before.get(name) != one]
        if rows:
            yield from (f"  {line}" for line in aligned([_HEADINGS, *rows]))
        before = now
    pools = result["steps"][-1]["pools"] if result["steps"] else {}
    if pools:
        cells = [(name, one["cpus"] or _NOTHING, one["excess"]) for name, one in pools.items()]
        yield ""
        yield from aligned([("POOL", "CPUS", "EXCESS" * any(row[2] for row in cells)), *cells])


def _row(name: str, one: dict[str, Any]) -> Sequence[str]:
    cells = (one["cpus"], one["mems"], one["pool"])
    return (one_line(name), *(cell or _NOTHING for cell in cells), one_line(one["reasons"][0]))


def _title(step: Step) -> str:
    verb = type(step).__name__.lower()
    if isinstance(step, Create):
        return f"{verb} {step.pod.full_name} ({step.pod.qos_class})"
    if isinstance(step, Delete):
        return f"{verb} {step.pod}"
    return f"{verb} {step.container}" if isinstance(step, (Exit, Update)) else verb
