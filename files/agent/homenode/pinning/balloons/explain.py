# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a container is in its balloon, as data: the rule that found it and the rivals it had.

Out of scope: choosing.
"""

from __future__ import annotations

from itertools import islice

from homenode.world.decision import SHARED, Candidate, Decision

from .choose import CROWDED, GROUP, GROWTH, NAMESPACE, NEW, POD, ROOM, Choice
from .setting import Setting
from .sizing import most_millis
from .types import EffectiveType

MAX_SHOWN = 16
"""So many candidates are told: a machine may have a balloon for each container."""

RULES = ("free mCPU", "free mCPU when inflated", "fewest containers")

_WHY = {
    GROUP: "where others of its group are",
    POD: "where others of its pod are",
    NAMESPACE: "where others of its namespace are",
    NEW: "where nobody else is",
    ROOM: "which has the most CPU free",
    GROWTH: "which has the most CPU free when inflated",
    CROWDED: "over-committed, as no CPUs are idle for it",
}


def decision_of(choice: Choice, setting: Setting, its: EffectiveType, by: str) -> Decision:
    """The decision for the instance of *choice*, whose type was chosen *by* something."""
    best, *others = choice.found
    rule = RULES[1] if choice.way == GROWTH else RULES[0]
    lost_by = {best: "", **dict.fromkeys(others, rule)}
    for place in choice.holdings.of_type(its.name):
        lost_by.setdefault(place, choice.way)
    candidates = tuple(
        _candidate(choice, setting, place, lost)
        for place, lost in islice(lost_by.items(), MAX_SHOWN)
    )
    reason = f"{choice.balloon.name}, {_WHY[choice.way]}; its type is by {by}"
    return Decision(SHARED, reason, rules=RULES, candidates=candidates)


def _candidate(choice: Choice, setting: Setting, place: int, lost_by: str) -> Candidate:
    one = choice.holdings.balloons[place]
    most = most_millis(setting, one, len(choice.holdings.idle)) - one.requested
    return Candidate(one.name, (one.free, most, len(one.members)), lost_by)
