# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has what: the grant of each container, what is left in each pool, and memory.

All of it is a frozen value; a change makes new books. What follows for the CPUs that a container
runs on is worked out here too, because sharing means having what nobody else has. Out of scope:
which pool a container should get (``scores``), and words about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from homenode.pinning.memory.books import MemoryBooks
from homenode.pinning.policy import Ask
from homenode.world.decision import Decision
from model.cpuset import NO_CPUS, CpuSet
from model.workload import BEST_EFFORT, BURSTABLE

from .setting import Setting

NORMAL, RESERVED, PRESERVED, KUBELETS = "normal", "reserved", "preserved", "kubelet's"
"""What kind of CPUs a container has: those of a pool, the reserved ones, or not ours to say."""


@dataclass(frozen=True)
class Grant:
    """What one container has: *exclusive* CPUs, and *millis* of the shared (or reserved) ones.

    *cold* says that its memory does not come from DRAM yet.
    """

    ask: Ask
    pool_id: int
    kind: str
    decision: Decision
    exclusive: CpuSet = NO_CPUS
    millis: int = 0
    cpu_class: str = ""
    scheduling_class: str = ""
    cold: bool = False

    @property
    def shares(self) -> bool:
        """Whether it runs on the CPUs that its pool shares."""
        return self.kind == NORMAL and bool(self.millis or not self.exclusive)

    @property
    def needs_room(self) -> bool:
        """Whether it asks for no CPU, so that a thousandth of one has to be left for it.

        Who runs on reserved CPUs has them.
        """
        if self.kind not in (NORMAL, PRESERVED):
            return False
        qos_class = self.ask.qos_class
        return qos_class == BEST_EFFORT or (qos_class == BURSTABLE and not self.ask.cpu_request)


class Supply(NamedTuple):
    """What is left in a pool, and what was granted right there: CPU in thousandths.

    *grants* counts containers by kind of CPUs, *roomless* those that need room (see ``Grant``).
    """

    isolated: CpuSet
    sharable: CpuSet
    shared_millis: int = 0
    reserved_millis: int = 0
    normal_grants: int = 0
    roomless: int = 0


@dataclass(frozen=True)
class Books:
    """*grants* are by container id, *supplies* by the id of the pool.

    *outdated* are the ids of those whose CPUs are not what they should be; whatever happens next
    puts them right.
    """

    setting: Setting = field(compare=False, repr=False)
    supplies: tuple[Supply, ...]
    grants: Mapping[str, Grant] = field(default_factory=dict)
    memory: MemoryBooks = field(default_factory=MemoryBooks)
    outdated: frozenset[str] = frozenset()

    @classmethod
    def empty(cls, setting: Setting) -> Books:
        """Nobody has anything."""
        capacities = setting.capacities
        return cls(setting, tuple(Supply(each.isolated, each.sharable) for each in capacities))

    @cached_property
    def allocatable(self) -> tuple[int, ...]:
        """Thousandths of shared CPU that can still be granted, by pool.

        No pool above gets overcommitted by that, and one thousandth is kept for those who ask for
        none, so that no pool in which they are can be sliced to nothing.
        """
        pools = self.setting.tree.pools
        granted, roomless = [0] * len(pools), [0] * len(pools)
        own, capped = [0] * len(pools), [0] * len(pools)
        for pool, supply in zip(pools, self.supplies):
            granted[pool.id] += supply.shared_millis
            roomless[pool.id] += supply.roomless
            own[pool.id] = 1000 * len(supply.sharable) - granted[pool.id]
            if pool.above:
                granted[pool.above[0]] += granted[pool.id]
                roomless[pool.above[0]] += roomless[pool.id]
        for pool in reversed(pools):
            limit = own[pool.id]
            capped[pool.id] = min(limit, capped[pool.above[0]]) if pool.above else limit
        return tuple(each - (1 if some else 0) for each, some in zip(capped, roomless))

    @property
    def allocatable_reserved(self) -> int:
        """Thousandths of reserved CPU that can still be granted, all of them at the root."""
        return 1000 * len(self.setting.reserved) - self.supplies[-1].reserved_millis

    @cached_property
    def shared_cpus(self) -> tuple[CpuSet, ...]:
        """The CPUs that those who share in a pool run on, by pool: never none.

        Where everything in a pool is somebody's own, the nearest pool above that has something left
        helps out, and at last the reserved CPUs. (Upstream takes the cpuset away then, so that they
        run on everybody's CPUs.)
        """
        pools = self.setting.tree.pools
        found = [NO_CPUS] * len(pools)
        for pool in reversed(pools):
            above = found[pool.above[0]] if pool.above else self.setting.reserved
            found[pool.id] = self.supplies[pool.id].sharable or above
        return tuple(found)

    def with_grant(self, container_id: str, grant: Grant, memory: MemoryBooks) -> Books:
        """The books with one more; *memory* has what it gets."""
        return replace(
            self,
            supplies=self._changed(grant, 1),
            grants={**self.grants, container_id: grant},
            memory=memory,
            outdated=frozenset(),
        )

    def without(self, container_id: str, memory: MemoryBooks) -> Books:
        """The books without that one, which has to be in; *memory* is without it already."""
        grants = dict(self.grants)
        supplies = self._changed(grants.pop(container_id), -1)
        return replace(self, supplies=supplies, grants=grants, memory=memory, outdated=frozenset())

    def _changed(self, grant: Grant, sign: int) -> tuple[Supply, ...]:
        supplies = list(self.supplies)
        here = supplies[grant.pool_id]
        normal = grant.kind == NORMAL
        supplies[grant.pool_id] = here._replace(
            shared_millis=here.shared_millis + sign * grant.millis * normal,
            reserved_millis=here.reserved_millis + sign * grant.millis * (grant.kind == RESERVED),
            normal_grants=here.normal_grants + sign * normal,
            roomless=here.roomless + sign * grant.needs_room,
        )
        if grant.exclusive:
            self._move(supplies, self._lineage(grant.pool_id), grant.exclusive, sign)
        return tuple(supplies)

    def _lineage(self, pool_id: int) -> Iterable[int]:
        """The pools in which CPUs of this one lie."""
        pool = self.setting.tree.pools[pool_id]
        return (pool_id, *pool.above, *pool.below)

    def _move(
        self, supplies: list[Supply], pool_ids: Iterable[int], cpus: CpuSet, sign: int
    ) -> None:
        for number in pool_ids:
            supply, capacity = supplies[number], self.setting.capacities[number]
            isolated, sharable = capacity.isolated & cpus, capacity.sharable & cpus
            if sign > 0:
                isolated, sharable = supply.isolated - isolated, supply.sharable - sharable
            else:
                isolated, sharable = supply.isolated | isolated, supply.sharable | sharable
            supplies[number] = supply._replace(isolated=isolated, sharable=sharable)
