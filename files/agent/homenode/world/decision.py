# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A decision as data: every candidate with its value per rule, so that "why not" has an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

Value = Union[bool, int, float, str]

EXCLUSIVE, SHARED, KUBELET, PRESERVED = "exclusive", "shared", "kubelet", "preserved"
MIXED, RESERVED = "mixed", "reserved"


FREE_CPUS = "free CPUs"
"""The rule whose value is how many CPUs a candidate could give to one container alone."""


@dataclass(frozen=True)
class Candidate:
    """One place that was weighed: *values* stand in the order of the decision's rules.

    *lost_by* names the rule by which the winner beat it, where the rules are not a plain ranking.
    """

    name: str
    values: tuple[Value, ...]
    lost_by: str = ""


@dataclass(frozen=True)
class Decision:
    """What was decided and why.

    *outcome* is EXCLUSIVE (own CPUs), SHARED (the rest of the machine), MIXED (both), RESERVED (the
    CPUs set aside for the system), KUBELET (its static CPU manager chose) or PRESERVED (the tenant
    asked to be left alone). *reason* is one sentence.
    *rules* names the ranking, most important first; *candidates* are in ranked order, best first.
    *asked_cpus* counts exclusive CPUs asked for; *home* is the NUMA node chosen, if any.
    """

    outcome: str
    reason: str
    asked_cpus: int = 0
    home: Optional[int] = None
    rules: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    adopted: bool = False

    def lost_by(self, candidate: Candidate) -> str:
        """The rule by which the first candidate beat *candidate*; "" where none tells them apart.

        Unless the candidate names it, it is the first rule for which the two have other values.
        """
        if candidate.lost_by or not self.candidates:
            return candidate.lost_by
        pairs = zip(self.rules, self.candidates[0].values, candidate.values)
        return next((rule for rule, best, value in pairs if best != value), "")

    def as_dict(self) -> dict[str, object]:
        """JSON-clean, for the status file."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "asked_cpus": self.asked_cpus,
            "home": self.home,
            "adopted": self.adopted,
            "rules": list(self.rules),
            "candidates": [
                {
                    "name": candidate.name,
                    "values": list(candidate.values),
                    "lost_by": candidate.lost_by,
                }
                for candidate in self.candidates
            ],
        }
