# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine on which an agent runs: its policy with books, and the containers that a runtime has.

What a restart of the agent forgets is ``policy`` and ``books``; ``running`` is the runtime's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from homenode.pinning.policy import Ask, Books, Held, Outcome, Place, Placed, Policy
from homenode.world.decision import PRESERVED, Decision
from model.problem import HomenodeProblem
from model.workload import NOT_OURS, Placement


@dataclass(frozen=True)
class Running:
    """One container: what it asked, what the policy said of it last, what it has."""

    ask: Ask
    placed: Placed
    live: Placement = NOT_OURS

    def told(self, placed: Placed) -> Running:
        """It after *placed* was carried out: what that leaves alone stays as it is."""
        cpus, mems = placed.placement.cpus, placed.placement.mems
        live = Placement(
            self.live.cpus if cpus is None else cpus, self.live.mems if mems is None else mems
        )
        return Running(self.ask, placed, live)


@dataclass(frozen=True)
class KubeNode:
    """See the module; *running* is by container id, oldest first."""

    policy: Policy
    books: Books
    running: Mapping[str, Running]

    @classmethod
    def of(cls, policy: Policy) -> KubeNode:
        """A node on which nothing runs."""
        return cls(policy, policy.start(), {})

    def create(self, ask: Ask) -> KubeNode:
        """With one container more. Raises HomenodeProblem where the policy refuses it."""
        return self._after(self.policy.place(self.books, ask), ask)

    def resize(self, ask: Ask) -> KubeNode:
        """With other resources for a container. Raises HomenodeProblem where that is refused."""
        return self._after(self.policy.resize(self.books, ask), ask)

    def remove(self, container_id: str) -> KubeNode:
        """Without the container."""
        outcome = self.policy.release(self.books, container_id)
        running = _told(self.running, outcome.changed)
        running.pop(container_id, None)
        return replace(self, books=outcome.books, running=running)

    def places(self) -> tuple[Place, ...]:
        """Every pool or balloon."""
        return self.policy.places(self.books)

    def restarted(self, policy: Policy) -> tuple[KubeNode, tuple[str, ...]]:
        """With another agent, whose *policy* adopts what runs; and whom it could not serve.

        It gets what the one before wrote down. Who cannot be placed keeps what it has.
        """
        memory = json.loads(json.dumps(self.policy.remember(self.books)))
        held = [Held(one.ask, one.live, one.placed) for one in self.running.values()]
        adoption = policy.adopt(held, memory)
        running = _told(_told(self.running, adoption.placed), adoption.changed)
        after = KubeNode(policy, adoption.books, running)
        problems = []
        for container_id in adoption.newcomers:
            ask = running[container_id].ask
            before = running[container_id].placed
            try:
                after = after.create(ask)
                now = after.running[container_id].placed
                if before.exclusive and len(now.exclusive) < now.decision.asked_cpus:
                    problems.append(f"{ask.full_name}: would lose its own CPUs {before.exclusive}")
            except HomenodeProblem as error:
                problems.append(f"{ask.full_name}: {error}")
                after = after._left_alone(container_id, str(error))
        return after, tuple(problems)

    def _after(self, outcome: Outcome, ask: Ask) -> KubeNode:
        running = _told(self.running, outcome.changed)
        if outcome.placed is not None:
            before = running.get(ask.container_id)
            live = NOT_OURS if before is None else before.live
            running[ask.container_id] = Running(ask, outcome.placed, live).told(outcome.placed)
        return replace(self, books=outcome.books, running=running)

    def _left_alone(self, container_id: str, why: str) -> KubeNode:
        placed = Placed(NOT_OURS, Decision(PRESERVED, why))
        return replace(self, running=_told(self.running, {container_id: placed}))


def _told(running: Mapping[str, Running], changed: Mapping[str, Placed]) -> dict[str, Running]:
    after = dict(running)
    for container_id, placed in changed.items():
        if container_id in after:
            after[container_id] = after[container_id].told(placed)
    return after
