# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cold starts: a container whose memory comes from slow nodes at first, and from DRAM too later.

Only some policies know them. Out of scope: when that is (``daemon.cold_starts`` has the clock).
"""

from __future__ import annotations

from homenode.intent.nri_plugins import tenant_intent
from homenode.world.world import World
from model.events import Reply
from model.problem import HomenodeProblem

from .step import Effects
from .turn import Turn


def cold_seconds(world: World, container_id: str) -> float:
    """How long the container's cold start is; 0 for none."""
    container = world.containers.get(container_id)
    pod = None if container is None else world.pod_of(container)
    if container is None or pod is None or not hasattr(world.policy, "warm"):
        return 0.0
    return tenant_intent(pod.annotations, container.name).cold_start_seconds


def warm(world: World, container_id: str, now: float) -> tuple[World, Effects]:
    """End the container's cold start; where there is no room for that, it stays cold."""
    grant = world.ledger.get(container_id)
    if grant is None or not hasattr(world.policy, "warm"):
        return world, Effects()
    turn = Turn(world, now)
    try:
        outcome = world.policy.warm(turn.world.books, container_id)
    except HomenodeProblem as error:
        turn.problems(container_id, (error.problem,))
        return turn.world, Effects()
    if outcome.placed is None:
        return world, Effects()
    turn.book(outcome)
    turn.book_changed({container_id: outcome.placed})
    return turn.world, Effects(Reply(None, tuple(turn.updates.values())), tuple(turn.records))
