# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What could lie better than it does: moves that a policy would make today, proposed, not made.

Each container is taken out and placed again on what is free now, one after the other, and is only
proposed where that is better by a rule that can be said: own CPUs that it asked for, fewer NUMA
nodes, fewer packages, fewer memory nodes. Whoever lies well is left where it is.

Pure, for every policy of the contract. Out of scope: making the moves, moving pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

from homenode.world.placed import Placed
from homenode.world.record import placement_dict
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.machine import Machine
from model.problem import HomenodeProblem

from .policy import Ask, Books, Policy


@dataclass(frozen=True)
class Resident:
    """A container that runs: what it asks, what it has, its bytes by NUMA node where known."""

    ask: Ask
    placed: Placed
    bytes_by_node: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """One proposal. *bytes_to_migrate* lie on nodes that its memory would leave."""

    container_id: str
    name: str
    before: Placed
    after: Placed
    why: str
    bytes_to_migrate: int = 0

    def as_dict(self) -> dict[str, Any]:
        """JSON-clean."""
        return {
            "container": self.name,
            "container_id": self.container_id,
            "from": {"place": self.before.place, **placement_dict(self.before.placement)},
            "to": {"place": self.after.place, **placement_dict(self.after.placement)},
            "why": self.why,
            "bytes_to_migrate": self.bytes_to_migrate,
        }


class Spread(NamedTuple):
    """How a container lies; smaller is better, the first figures count most."""

    without_own_cpus: int
    numa_nodes: int
    packages: int
    memory_nodes: int


_WORDS = (
    "CPUs that it asked for but does not own",
    "NUMA nodes of its CPUs",
    "packages of its CPUs",
    "memory nodes",
)


def proposals(
    policy: Policy, books: Books, machine: Machine, residents: Sequence[Resident]
) -> tuple[Move, ...]:
    """The moves that help, in the order in which they can be made; none where all lie well."""
    moves = []
    worst_first = sorted(residents, key=lambda one: spread_of(machine, one.placed), reverse=True)
    for resident in worst_first:
        found = _better(policy, books, machine, resident)
        if found is not None:
            books, move = found
            moves.append(move)
    return tuple(moves)


def spread_of(machine: Machine, placed: Placed) -> Spread:
    """How widely this placement lies; what is left alone lies nowhere."""
    cpus, mems = placed.placement.cpus or NO_CPUS, placed.placement.mems or NodeSet()
    own = placed.exclusive
    if own:
        cpus = own
    return Spread(
        max(placed.decision.asked_cpus - len(own), 0),
        _touched(cpus, (numa_node.cpus for numa_node in machine.nodes)),
        _touched(cpus, (package.cpus for package in machine.packages)),
        len(mems),
    )


def _better(
    policy: Policy, books: Books, machine: Machine, resident: Resident
) -> Optional[tuple[Books, Move]]:
    ask, before = resident.ask, resident.placed
    was = spread_of(machine, before)
    if was <= Spread(0, 1, 1, 1):
        return None
    try:
        outcome = policy.place(policy.release(books, ask.container_id).books, ask)
    except HomenodeProblem:
        return None  # today it would not even be placed
    after = outcome.placed
    if after is None or after.placement == before.placement:
        return None
    will = spread_of(machine, after)
    if will >= was:
        return None
    size = _leaving(resident.bytes_by_node, after)
    move = Move(ask.container_id, ask.full_name, before, after, _why(was, will), size)
    return outcome.books, move


def _why(was: Spread, will: Spread) -> str:
    for words, old, new in zip(_WORDS, was, will):
        if old != new:
            return f"{words}: {new} instead of {old}"
    return "it lies the same"


def _leaving(bytes_by_node: Mapping[int, int], after: Placed) -> int:
    mems = after.placement.mems
    if mems is None:
        return 0
    return sum(size for number, size in bytes_by_node.items() if number not in mems)


def _touched(cpus: CpuSet, parts: Iterable[CpuSet]) -> int:
    return sum(1 for part in parts if part & cpus)
