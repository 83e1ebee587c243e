# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan of moves over the world as it is, and one of its moves made.

Out of scope: pace and bytes (``daemon``), which move is better (``pinning.rebalance``).
"""

from __future__ import annotations

from collections.abc import Mapping

from homenode.pinning.rebalance import Move, Resident, proposals
from homenode.world.world import World
from model.events import NO_CHANGE, ContainerUpdate, Reply
from model.problem import HomenodeProblem
from model.workload import NOT_OURS

from .ask import ask_of
from .settings import changed_settings
from .step import Effects
from .turn import Turn


def plan_moves(world: World, bytes_by_node: Mapping[str, Mapping[int, int]]) -> tuple[Move, ...]:
    """The moves that would help; *bytes_by_node* is by container id, for the costs alone.

    Containers whose CPUs others chose (the kubelet, the tenant) are not looked at.
    """
    if world.policy is None or world.books is None:
        return ()
    residents = []
    for grant in world.ledger.grants.values():
        container = world.containers.get(grant.container_id)
        pod = None if container is None else world.pod_of(container)
        if container is None or pod is None or grant.placement == NOT_OURS:
            continue
        if grant.given == NOT_OURS:
            sizes = bytes_by_node.get(container.id, {})
            residents.append(Resident(ask_of(world, pod, container), grant.placed, sizes))
    return proposals(world.policy, world.books, world.machine, residents)


def make_move(world: World, container_id: str, now: float) -> tuple[World, Effects]:
    """Place one container again on what is free now; everybody else's updates come with it.

    Nothing changes where it is gone, or could not be placed today.
    """
    container = world.containers.get(container_id)
    pod = None if container is None else world.pod_of(container)
    grant = world.ledger.get(container_id)
    if container is None or pod is None or grant is None or world.policy is None:
        return world, Effects()
    turn = Turn(world, now)
    ask = ask_of(world, pod, container, grant.given)
    try:
        turn.book(turn.policy.release(turn.world.books, container_id))
        placed = turn.place(container, ask, "rebalanced", grant.placement)
    except HomenodeProblem:
        return world, Effects(NO_CHANGE)
    settings = changed_settings(grant.placed, placed)
    turn.updates[container_id] = ContainerUpdate(container_id, placed.placement, settings)
    return turn.world, Effects(Reply(None, tuple(turn.updates.values())), tuple(turn.records))
