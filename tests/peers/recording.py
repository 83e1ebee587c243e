# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios with what the peer did, as files: ``recorded/POLICY/NAME.yaml``.

A file is a scenario of ``homenode simulate`` whose machine may be a name of ``machines.yaml``, and
whose steps have two keys more:

``then``: containers whose cpus or mems this step set or changed, as ``[cpus, mems]``, null for
"left alone"; whatever was there and is not named stays as it was.
``error``: what the peer had against the step.

``refused``, beside the steps, is what it had against the configuration; then there are no steps.
Out of scope: judging (``differences``, ``test_recorded``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Optional

import yaml

from .scenario import full_container_name, full_pod_name

FOLDER = Path(__file__).parent
RECORDED = FOLDER / "recorded"
SEEN = ("then", "error")
WIDTH = 92

Assignments = dict[str, tuple[Optional[str], Optional[str]]]
"""(cpus, mems) by full container name."""


def read_scenario(path: Path) -> dict[str, Any]:
    """A scenario, its machine in full, its steps as ``simulate`` takes them."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return plain(content)


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """*content* of a recorded file without what was seen, and with its machine in full."""
    machine = content["machine"]
    if isinstance(machine, str):
        machine = _machines()[machine]
    steps = [
        {key: value for key, value in step.items() if key not in SEEN} for step in content["steps"]
    ]
    return {
        "machine": machine,
        "policy": content["policy"],
        "config": content["config"],
        "steps": steps,
    }


def assignments(answer: Mapping[str, Any]) -> Assignments:
    """Those of one step of an answer."""
    return {name: (given["cpus"], given["mems"]) for name, given in answer["assignments"].items()}


def with_seen(content: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """*content* with what *result* says of its steps; steps without a result are left out."""
    before: Assignments = {}
    steps = []
    for step, answer in zip(content["steps"], result["steps"]):
        now = assignments(answer)
        changed = {
            _short(name): list(given) for name, given in now.items() if before.get(name) != given
        }
        kept = {key: value for key, value in step.items() if key not in SEEN}
        if answer["error"]:
            kept["error"] = answer["error"]
        if changed:
            kept["then"] = changed
        steps.append(kept)
        before = now
    return {**content, "steps": steps}


def expected(content: Mapping[str, Any]) -> list[tuple[str, Assignments]]:
    """(error, all assignments) after each step of a recorded file."""
    found = []
    now: Assignments = {}
    for step in content["steps"]:
        now = {name: given for name, given in now.items() if not _ends(step, name)}
        for name, (cpus, mems) in (step.get("then") or {}).items():
            now[full_container_name(name)] = cpus, mems
        found.append((step.get("error") or "", dict(now)))
    return found


def write(path: Path, content: Mapping[str, Any]) -> None:
    """As a short file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"# {content['about']}"] if "about" in content else []
    rest = {key: value for key, value in content.items() if key not in ("about", "steps")}
    lines.append(_dump(rest))
    lines.append("steps:" if content["steps"] else "steps: []")
    for step in content["steps"]:
        text = "\n".join(_flow(key, value) for key, value in step.items())
        lines.append("- " + text.replace("\n", "\n  "))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@cache
def _machines() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((FOLDER / "machines.yaml").read_text("utf-8"))
    return found


def _ends(step: Mapping[str, Any], name: str) -> bool:
    """Whether *step* ends the container *name*."""
    if "exit" in step:
        return full_container_name(step["exit"]) == name
    return "delete" in step and name.startswith(full_pod_name(step["delete"]) + "/")


def _short(name: str) -> str:
    return name[len("default/") :] if name.startswith("default/") else name


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines with escapes, on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _dump(data: Any, flow: Optional[bool] = None) -> str:
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, width=WIDTH
    )
    return text.rstrip("\n")


def _flow(key: str, value: Any) -> str:
    """``key: {…}`` on one or a few lines."""
    text = _dump([value], flow=True)[1:-1]
    return f"{key}: " + text.replace("\n", "\n  ")
