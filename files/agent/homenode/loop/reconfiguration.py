# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another configuration, tried on what runs before it holds: who would move, who is in the way.

Whoever can stay as it is stays. A configuration is refused, and the old one kept, where somebody
who has a place could not be accounted for or placed under the new one. Out of scope: reading it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Optional

from homenode.intent.config import PinningConfig
from homenode.pinning import NOTHING_AROUND, Surroundings, is_all_or_nothing, make_policy
from homenode.pinning.policy import Held
from homenode.world.adopt import held_placement, live
from homenode.world.ledger import Ledger
from homenode.world.record import placement_dict
from homenode.world.world import World
from model.events import Reply
from model.machine import Machine
from model.problem import Problem
from model.workload import NOT_OURS, Placement

from .ask import ask_of
from .step import Effects
from .synchronize import take_over


@dataclass(frozen=True)
class Move:
    """One container that gets another placement."""

    name: str
    before: Placement
    after: Placement

    def as_dict(self) -> dict[str, Any]:
        """JSON-clean."""
        before, after = placement_dict(self.before), placement_dict(self.after)
        return {"container": self.name, "from": before, "to": after}


@dataclass(frozen=True)
class Reconfigured:
    """*world* and *effects* are those of before where *obstacles* stand in the way."""

    world: World
    effects: Effects
    moves: tuple[Move, ...] = ()
    obstacles: tuple[Problem, ...] = ()


def reconfigure(
    world: World,
    machine: Machine,
    pinning: Optional[PinningConfig],
    now: float,
    around: Surroundings = NOTHING_AROUND,
) -> Reconfigured:
    """What would be with this *machine* and this *pinning*.

    Raises HomenodeProblem where the machine cannot satisfy it even with nothing running.
    """
    if pinning is None:
        off = replace(world, machine=machine, pinning=None, policy=None, books=None, warnings=())
        return Reconfigured(
            replace(off, ledger=world.ledger.without(world.ledger.grants)), Effects()
        )
    policy = make_policy(machine, pinning, around)
    tried = replace(world, machine=machine, pinning=pinning, policy=policy)
    turn = take_over(tried, _held(tried), _memory(world, pinning), now)
    obstacles = tuple(_obstacles(world, turn.world)) if is_all_or_nothing(pinning.policy) else ()
    if obstacles:
        return Reconfigured(world, Effects(), obstacles=obstacles)
    reply = Reply(None, tuple(turn.updates.values()))
    moves = _moves(world.ledger, turn.world)
    return Reconfigured(turn.world, Effects(reply, tuple(turn.records)), moves)


def _obstacles(before: World, after: World) -> Iterator[Problem]:
    """What could not be accounted for, who could not be placed, and who lost its own CPUs.

    CPUs that the machine lost are nobody's fault.
    """
    same_machine = before.machine == after.machine
    yield from (problem for problem in after.warnings if problem not in before.warnings)
    for key, grant in before.ledger.grants.items():
        now = after.ledger.get(key)
        if now is None:
            yield from after.problems.get(key, ())
        elif grant.exclusive and len(now.exclusive) < now.decision.asked_cpus and same_machine:
            name = before.full_name(before.containers[key])
            why = f"would lose its own CPUs {grant.exclusive}"
            yield Problem("container", name, why, "drain it, or leave it room")


def _memory(world: World, pinning: PinningConfig) -> Optional[dict[str, Any]]:
    """What the present policy wants to be told, if it is the one that will be asked."""
    if world.books is None or world.pinning is None or world.pinning.policy != pinning.policy:
        return None
    memory: dict[str, Any] = world.policy.remember(world.books)
    return memory


def _held(world: World) -> list[Held]:
    """What everybody was granted, which may not have reached every cgroup yet."""
    found = []
    for container in live(world):
        grant = world.ledger.get(container.id)
        before = None if grant is None else grant.placed
        placement = held_placement(world, container, before)
        if before is not None and before.placement != NOT_OURS:
            placement = before.placement
        given = NOT_OURS if grant is None else grant.given
        ask = ask_of(world, world.pods[container.pod_id], container, given)
        found.append(Held(ask, placement, before))
    return found


def _moves(before: Ledger, world: World) -> tuple[Move, ...]:
    """Who is told another set; what is not ours to say any more stays as it is."""
    moves = []
    for key, grant in world.ledger.grants.items():
        known = before.get(key)
        was, now = NOT_OURS if known is None else known.placement, grant.placement
        if now.cpus not in (None, was.cpus) or now.mems not in (None, was.mems):
            moves.append(Move(world.full_name(world.containers[key]), was, now))
    return tuple(moves)
