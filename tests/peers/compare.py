# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ours beside a peer's: runs ``homenode simulate``, and finds where the two part first.

What counts is cpus and mems of every container, and whether a step is refused; of the words of a
refusal only those that users know (pinning.md §14).
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import yaml

from homenode.cli import main

from .recording import Assignments, assignments

KNOWN_WORDS = (
    "invalid reserved cpuset",
    "cannot reserve",
    "failed to parse reserved CPU quantity",
    "mixes isolated",
    "multiple isolated CPUs",
    "fail strict hint",
    "less than requested",
    "failed to resolve overcommit",
    "no balloon for annotation",
    "no suitable balloon instance available",
    "circular composition detected",
)

Seen = Sequence[tuple[str, Assignments]]
"""(error, assignments) after each step."""


def simulate(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """What ``homenode simulate`` says."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(scenario, file, sort_keys=False)
        file.flush()
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = main(["simulate", file.name, "--format", "json"])
    assert code == 0
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


def seen(result: Mapping[str, Any]) -> list[tuple[str, Assignments]]:
    """The steps of an answer."""
    return [(answer["error"] or "", assignments(answer)) for answer in result["steps"]]


def difference(theirs: Seen, ours: Seen) -> Optional[tuple[int, str]]:
    """The first step that differs, and how; None for the same."""
    if len(theirs) > len(ours):
        return len(ours), f"ours has {len(ours)} steps"
    for step, (their, our) in enumerate(zip(theirs, ours)):
        words = [*_errors(their[0], our[0]), *_placements(their[1], our[1])]
        if words:
            return step, "; ".join(words)
    return None


def refusal(theirs: str, ours: str) -> Optional[str]:
    """How two answers to a configuration differ; None for the same."""
    return "; ".join(_errors(theirs, ours)) or None


def _errors(theirs: str, ours: str) -> list[str]:
    if bool(theirs) != bool(ours):
        return [f"refused by {'the peer' if theirs else 'ours'}: {theirs or ours}"]
    return [f"not said: {words}" for words in KNOWN_WORDS if words in theirs and words not in ours]


def _placements(theirs: Assignments, ours: Assignments) -> list[str]:
    return [
        f"{name}: peer {_text(theirs.get(name))}, ours {_text(ours.get(name))}"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]


def _text(given: Optional[tuple[Optional[str], Optional[str]]]) -> str:
    return "absent" if given is None else f"cpus {given[0]} mems {given[1]}"
