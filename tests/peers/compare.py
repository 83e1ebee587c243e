# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ours beside a peer's: runs ``homenode simulate``, and finds where the two part first.

What counts is cpus and mems of every container, and whether a step is refused; of the words of a
refusal only those that users know (pinning.md §14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from homenode.simulate.answer import answer
from homenode.simulate.policies import run_of
from homenode.simulate.scenario import read_scenario
from host_files import open_host
from model.cpuset import CpuSet
from model.machine import Machine
from model.sysfs import read_machine

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

GIVES_UP = ("sharable CPU for", "exclusive CPUs from", "not enough free CPUs")
"""How a peer refuses pods that it has promised nothing against: ours starts them where they fit."""

BEYOND = ("over-committed, as no CPUs are idle",)
"""How ours says that it starts a container which a peer refuses in words for other cases too."""

Seen = Sequence[tuple[str, Assignments]]
"""(error, assignments) after each step."""


def simulate(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """What ``homenode simulate`` says."""
    return answer(run_of(read_scenario(scenario, source="scenario", recorded=_read)))


def _read(path: str) -> Machine:
    return read_machine(open_host(path))


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


def on_principle(theirs: Seen, result: Mapping[str, Any], step: int) -> bool:
    """Whether ours differs in *step* because the peer breaks a pod, or a promise, that ours keeps.

    A pod: it does not start (peers.md §2 d). A promise: somebody who shared is left on CPUs that
    another has for itself now (c). After that the two are apart.
    """
    error, now = theirs[step]
    if any(words in error for words in GIVES_UP):
        return True
    answers = result["steps"][step]["assignments"]
    before = theirs[step - 1][1] if step else {}
    if error:
        reasons = [text for name in answers if name not in now for text in answers[name]["reasons"]]
        return any(words in text for words in BEYOND for text in reasons)
    ours = assignments(result["steps"][step])
    alike = {name for name in now if name not in before and now[name] == ours.get(name)}
    return any(
        _cpus(now[old]) & _cpus(now[new]) and not _cpus(ours[old]) & _cpus(now[new])
        for old in before
        if old in now and old in ours
        for new in alike
    )


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


def _cpus(given: tuple[Optional[str], Optional[str]]) -> CpuSet:
    return CpuSet.parse(given[0] or "")
