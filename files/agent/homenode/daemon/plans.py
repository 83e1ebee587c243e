# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``plan rebalance`` and ``plan apply`` of the control socket: proposals, and making them.

Moves are made one after the other, no faster than the kernel can be let move their pages: a pause
after each, as long as its bytes take at BYTES_PER_S. Out of scope: which move is better.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from homenode.linux.cgroup import CgroupTree
from homenode.loop.rebalance import plan_moves
from homenode.pinning.rebalance import Move
from model.cgroup_path import cgroup_path

from .front import Front
from .owner import Owner

BYTES_PER_S = 500 << 20
LONGEST_PAUSE_S = 30.0


class Plans:
    """The two verbs. One plan at a time; *stop* ends one between two moves."""

    def __init__(self, owner: Owner, front: Front, tree: CgroupTree, stop: threading.Event) -> None:
        self._owner = owner
        self._front = front
        self._tree = tree
        self._stop = stop

    def rebalance(self, _request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The moves that would help now; nothing changes."""
        return {"moves": [move.as_dict() for move in self._moves()]}

    def apply(self, _request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make the moves of a fresh plan; "failed" tells why one was not made, else it is ""."""
        done = []
        for move in self._moves():
            if self._stop.is_set():
                break
            done.append({**move.as_dict(), "failed": self._make(move)})
            self._stop.wait(min(move.bytes_to_migrate / BYTES_PER_S, LONGEST_PAUSE_S))
        return {"moves": done}

    def _make(self, move: Move) -> str:
        updates = self._owner.move(move.container_id)
        if not updates:
            return "it ended, or fits no more"
        failed = self._front.update(updates)
        own = failed.get(move.container_id)
        return "" if own is None else str(own)

    def _moves(self) -> tuple[Move, ...]:
        world = self._owner.world
        sizes = {}
        for container in world.containers.values():
            path = cgroup_path(container.cgroups_path)
            if path is not None:
                sizes[container.id] = self._tree.numa_bytes(path)
        return plan_moves(world, sizes)
