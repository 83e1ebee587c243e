# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios for guests: where they come from, what each must do there, and the table of all.

Most are what a peer was recorded on (`tests/peers`), on a guest of the machine that the recording
is of, so that three can be laid side by side: real pods, `homenode simulate` on the guest's own
recorded machine, and the peer. A few are ours (`scenarios`), of what a peer cannot do. Out of
scope: playing (`pinning_stage`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import yaml

from lab.pinning_stage import BYSTANDER
from peers.compare import Seen, difference, refusal, seen, simulate
from peers.recording import RECORDED, Assignments, expected, plain

OURS = Path(__file__).with_name("scenarios")
BYSTANDER_NAME = "kube-system/bystander/main"


@dataclass(frozen=True)
class Scenario:
    """One scenario, by `POLICY/NAME`."""

    name: str

    @property
    def is_recorded(self) -> bool:
        """Whether a peer played it too."""
        return not (OURS / f"{self.name}.yaml").exists()

    @property
    def content(self) -> dict[str, Any]:
        """The file."""
        folder = RECORDED if self.is_recorded else OURS
        text = (folder / f"{self.name}.yaml").read_text(encoding="utf-8")
        content: dict[str, Any] = yaml.safe_load(text)
        return content

    @property
    def played(self) -> dict[str, Any]:
        """As `Stage.play` takes it."""
        return plain(self.content)


@dataclass(frozen=True)
class Outcome:
    """What came out of a scenario in a guest, beside what `simulate` and the peer say of it.

    *against_simulate* and *against_peer* tell how they part, None where they do not.
    """

    scenario: Scenario
    guest: str
    containers: int
    against_simulate: Optional[str]
    against_peer: Optional[str]

    @property
    def row(self) -> str:
        """A line of the table."""
        cells = [
            self.scenario.name,
            self.guest,
            str(self.containers),
            self.against_simulate or "the same",
            self.against_peer or "the same",
        ]
        return "| " + " | ".join(cells) + " |"


HEADINGS = (
    "| scenario | guest | containers placed | guest and simulate | guest and peer |",
    "| --- | --- | --- | --- | --- |",
)


def judged(
    scenario: Scenario,
    guest: str,
    machine: Path,
    everything: tuple[str, str],
    answer: Mapping[str, Any],
) -> Outcome:
    """Lay what a guest of this recorded *machine* answered beside the two others.

    *everything* is what the bystander has where the policy leaves it alone: the stage gives it all
    CPUs and NUMA nodes by name, since a runtime takes no cpuset back.
    """
    told = simulated(scenario, machine)
    found = seen(answer)
    told_steps = [(error, _by_name(placed, everything)) for error, placed in seen(told)[1:]]
    return Outcome(
        scenario,
        guest,
        len({name for _error, placed in found for name in placed} - {BYSTANDER_NAME}),
        _parted(refusal(told["error"] or "", answer["error"] or ""), told_steps, found),
        _against_peer(scenario.content, answer["error"] or "", found)
        if scenario.is_recorded
        else "not recorded",
    )


def simulated(scenario: Scenario, machine: Path) -> dict[str, Any]:
    """What `homenode simulate` says; its first step is the creation of the bystander."""
    played = scenario.played
    steps = [{"create": dict(BYSTANDER)}, *played["steps"]]
    return simulate({**played, "machine": {"recorded": str(machine)}, "steps": steps})


def _by_name(placed: Assignments, everything: tuple[str, str]) -> Assignments:
    """With the bystander's nothing written out."""
    return {
        name: (cpus or everything[0], mems or everything[1])
        if name == BYSTANDER_NAME
        else (cpus, mems)
        for name, (cpus, mems) in placed.items()
    }


def _against_peer(content: Mapping[str, Any], refused: str, found: Seen) -> Optional[str]:
    """The peer had no bystander."""
    ours = [(error, _without_bystander(placed)) for error, placed in found]
    return _parted(refusal(content.get("refused", ""), refused), expected(content), ours)


def _without_bystander(placed: Assignments) -> Assignments:
    return {name: given for name, given in placed.items() if name != BYSTANDER_NAME}


def _parted(refused: Optional[str], theirs: Seen, ours: Seen) -> Optional[str]:
    if refused is not None:
        return refused
    differing = difference(theirs, ours) if ours else None
    return None if differing is None else f"step {differing[0]}: {differing[1]}"
