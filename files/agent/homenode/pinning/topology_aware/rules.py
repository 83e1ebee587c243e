# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pool is better: named rules, the most important first, each with a value per pool.

The rules and their order are upstream's. The greater value wins; some rules, once they are equal,
leave the rest to the lower id. In two places upstream answers by who is asked first: there the
better-founded answer is taken, so that the order is total. Out of scope: reserved CPUs, which are
granted at the root.

One rule of upstream is missing: CPU classes of Intel SST, whose state we do not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Union

from homenode.pinning.cpus.priority import HIGH, LOW, NORMAL
from homenode.world.decision import Candidate, Value
from model.workload import BURSTABLE

from .request import UNLIMITED, Request
from .scores import Score

LOWER_ID = "has the lower number"
MORE_MEMORY = "has more memory to grow into"
"""The rule whose values are bytes."""

MAX_SHOWN = 8
"""So many candidates are told; the others are behind these."""

Number = Union[int, float]


def _always(_request: Request) -> bool:
    return True


def _never(_request: Request, _score: Score) -> bool:
    return False


@dataclass(frozen=True)
class Rule:
    """*applies* tells for which requests it counts; where *settles*, equals go by id at once.

    *fewer* is for values of which the smaller one wins.
    """

    name: str
    value: Callable[[Request, Score], Number]
    fewer: bool = False
    applies: Callable[[Request], bool] = _always
    settles: Callable[[Request, Score], bool] = _never


def _has_hints(request: Request) -> bool:
    return bool(request.ask.hints)


def _has_memory_limit(request: Request) -> bool:
    return request.ask.memory_limit not in (0, request.amount)


def _grows_without_limit(request: Request) -> bool:
    return request.amount > 0 and not request.ask.memory_limit


def _has_cpu_limit(request: Request) -> bool:
    return request.ask.qos_class == BURSTABLE and request.limit is not UNLIMITED


def _is_unlimited(request: Request) -> bool:
    return request.ask.qos_class == BURSTABLE and request.limit is UNLIMITED


def _at_level(request: Request, score: Score) -> bool:
    return score.pool.level == request.level


RULES = (
    Rule("has enough shared CPUs left", lambda request, score: score.shared >= 0),
    Rule(
        "has enough isolated CPUs left",
        lambda request, score: score.isolated >= 0,
        applies=lambda request: request.isolate,
    ),
    Rule("is nearer to those that it wants to be near to", lambda request, score: score.affinity),
    Rule(
        "is nearer to its devices",
        lambda request, score: score.hinted,
        applies=_has_hints,
    ),
    Rule(
        "is nearer to some of its devices",
        lambda request, score: score.hinted_met,
        applies=_has_hints,
    ),
    Rule(
        "is smaller, and as near to its devices",
        lambda request, score: score.pool.depth if score.hinted_met else 0,
        applies=_has_hints,
        settles=lambda request, score: bool(score.hinted_met),
    ),
    Rule("has room for its memory", lambda request, score: score.memory_nodes > 0),
    Rule("has just the memory types asked for", lambda request, score: score.memory_matches),
    Rule(
        "has the memory of its limit",
        lambda request, score: score.memory_capacity >= request.ask.memory_limit,
        applies=_has_memory_limit,
    ),
    Rule(
        MORE_MEMORY,
        lambda request, score: score.memory_capacity,
        applies=_grows_without_limit,
    ),
    Rule(
        "has the shared CPUs of its limit",
        lambda request, score: score.allocatable >= (request.limit or 0),
        applies=_has_cpu_limit,
    ),
    Rule("is of the level for Burstable", _at_level, applies=_is_unlimited),
    Rule(
        "has more shared CPUs to grow into",
        lambda request, score: score.allocatable if _at_level(request, score) else 0,
        applies=_is_unlimited,
        settles=_at_level,
    ),
    Rule(
        "is finer than the level for Burstable",
        lambda request, score: score.pool.level > request.level,
        applies=_is_unlimited,
        settles=lambda request, score: True,
    ),
    Rule("has its memory on fewer nodes", lambda request, score: score.memory_nodes, fewer=True),
    Rule(
        "has all memory types asked for",
        lambda request, score: request.memory_types <= score.pool.memory_types,
    ),
    Rule(
        "has CPUs of its priority left",
        lambda request, score: score.priority_room >= 0,
        applies=lambda request: request.priority in (LOW, HIGH),
    ),
    Rule("is smaller", lambda request, score: score.pool.depth),
    Rule(
        "has more isolated CPUs left",
        lambda request, score: max(score.isolated, 0),
        applies=lambda request: request.isolate,
        settles=lambda request, score: score.isolated > 0,
    ),
    Rule(
        "has CPUs of normal priority left",
        lambda request, score: score.priority_room >= 0,
        applies=lambda request: request.priority == NORMAL,
    ),
    Rule(
        "has more CPUs left to take from",
        lambda request, score: max(score.shared, 0),
        applies=lambda request: request.full > 0,
        settles=lambda request, score: score.shared > 0,
    ),
    Rule("has fewer containers", lambda request, score: score.colocated, fewer=True),
    Rule("has more shared CPUs left", lambda request, score: score.shared),
)


@dataclass(frozen=True)
class Ranking:
    """*scores* from best to last; *names* are the rules that told them apart, and *values* theirs.

    A value is "" where a rule before had settled the matter.
    """

    scores: tuple[Score, ...]
    names: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]

    def candidates(self) -> tuple[Candidate, ...]:
        """For explanations: the first few, each with the rule by which it lost to the first."""
        return tuple(
            Candidate(score.pool.name, tuple(map(_shown, self.names, values)), self.lost_by(place))
            for place, (score, values) in enumerate(
                zip(self.scores[:MAX_SHOWN], self.values[:MAX_SHOWN])
            )
        )

    def lost_by(self, place: int) -> str:
        """The rule by which the one at *place* lost to the first; "" for the first itself."""
        if not place:
            return ""
        first, values = self.values[0], self.values[place]
        told = (name for name, ours, theirs in zip(self.names, first, values) if ours != theirs)
        return next(told, LOWER_ID)


def _shown(name: str, value: Value) -> Value:
    """Memory in a unit that people read."""
    return f"{value >> 20} MiB" if name == MORE_MEMORY and isinstance(value, int) else value


def ranked(request: Request, scores: Sequence[Score]) -> Ranking:
    """All pools, the best first."""
    rules = [rule for rule in RULES if rule.applies(request)]
    weighed = [(_values(rules, request, score), score) for score in scores]

    def goodness(pair: tuple[list[Number], Score]) -> tuple[Number, ...]:
        values, score = pair
        signed = (-value if rule.fewer else value for rule, value in zip(rules, values))
        return (*signed, -score.pool.id)

    weighed.sort(key=goodness, reverse=True)
    columns: list[tuple[str, list[Value]]] = []
    for place, rule in enumerate(rules):
        column = [values[place] if place < len(values) else "" for values, _score in weighed]
        if any(value != column[0] for value in column):
            columns.append((rule.name, column))
    return Ranking(
        tuple(score for _its_values, score in weighed),
        tuple(name for name, _column in columns),
        tuple(zip(*(column for _name, column in columns))) or ((),) * len(weighed),
    )


def _values(rules: Sequence[Rule], request: Request, score: Score) -> list[Number]:
    """Of the rules up to the one that settles."""
    values: list[Number] = []
    for rule in rules:
        values.append(rule.value(request, score))
        if rule.settles(request, score):
            break
    return values
