# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The home-node policy's books: who owns which CPUs, and whose memory counts where.

Out of scope: what anybody should get (``home_node``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from homenode.world.decision import SHARED
from homenode.world.placed import Placed
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.workload import Placement


class Entry(NamedTuple):
    """What one container has; *memory_bytes* counts against its memory nodes."""

    placed: Placed
    memory_bytes: int = 0


@dataclass(frozen=True)
class HomeBooks:
    """All entries by container id."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def with_entries(self, entries: Mapping[str, Entry]) -> HomeBooks:
        """The next books, with these entries added or replaced."""
        return HomeBooks({**self.entries, **entries})

    def without(self, container_id: str) -> HomeBooks:
        """The next books, without the entry of this container."""
        if container_id not in self.entries:
            return self
        return HomeBooks({k: one for k, one in self.entries.items() if k != container_id})

    @cached_property
    def _owners(self) -> tuple[Entry, ...]:
        """The few who take something from everybody else."""
        return tuple(
            entry for entry in self.entries.values() if entry.memory_bytes or entry.placed.exclusive
        )

    @cached_property
    def exclusive(self) -> CpuSet:
        """Every CPU that belongs to one container alone."""
        taken = NO_CPUS
        for entry in self._owners:
            taken = taken | entry.placed.exclusive
        return taken

    def memory_on(self, nodes: NodeSet) -> int:
        """Bytes granted to containers that may take them from one of these memory nodes."""
        return sum(
            entry.memory_bytes
            for entry in self._owners
            if entry.placed.placement.mems is not None and entry.placed.placement.mems & nodes
        )

    def outdated(self, shared: CpuSet) -> dict[str, Entry]:
        """Everybody who shares other CPUs than *shared*, as they have to be from now on."""
        placement = Placement(shared)
        made: dict[int, Entry] = {}  # one value for all who share for the same reason
        changed: dict[str, Entry] = {}
        for key, entry in self.entries.items():
            placed = entry.placed
            decision, cpus = placed.decision, placed.placement.cpus
            if decision.outcome == SHARED and cpus is not None and cpus != shared:
                reason = id(decision)
                if reason not in made:
                    made[reason] = Entry(Placed(placement, decision))
                changed[key] = made[reason]
        return changed


EMPTY = HomeBooks()
