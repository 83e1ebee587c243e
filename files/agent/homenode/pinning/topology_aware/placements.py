# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What grants mean for containers: their cpuset, weight and classes, as the loop carries them out.

Out of scope: who gets a grant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from homenode.intent.policy_config import TopologyAwareConfig
from homenode.pinning.policy import Ask
from homenode.world.placed import Placed
from model.cpuset import CpuSet, NodeSet
from model.workload import Placement

from .books import NORMAL, RESERVED, Books, Grant

MIN_SHARES, MAX_SHARES = 2, 1 << 18
"""Of cpu.shares, as the kernel and the kubelet bound them."""


class Placements:
    """The placements of *books*; containers that have the same share one object."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._setting = books.setting
        self._made: dict[tuple[Optional[CpuSet], Optional[NodeSet]], Placement] = {}
        self._single: dict[CpuSet, CpuSet] = {}

    def placed(self, grant: Grant) -> Placed:
        """Everything that the container of *grant* gets."""
        intent = grant.ask.intent
        return Placed(
            self._placement(grant),
            grant.decision,
            self._setting.tree.pools[grant.pool_id].name,
            grant.exclusive,
            self._shares(grant),
            grant.cpu_class,
            grant.scheduling_class,
            intent.rdt_class or "",
            intent.blockio_class or "",
        )

    def _placement(self, grant: Grant) -> Placement:
        key = (self._cpus(grant), self._mems(grant))
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Placement(*key)
        return found

    def _cpus(self, grant: Grant) -> Optional[CpuSet]:
        if not self._setting.config.pin_cpu:
            return None
        if grant.kind == RESERVED:
            cpus = self._setting.reserved
        elif grant.kind == NORMAL:
            cpus = grant.exclusive
            if grant.shares:
                shared = self._books.shared_cpus[grant.pool_id]
                cpus = cpus | shared if cpus else shared
        else:
            return None
        return self._single_threads(cpus) if grant.ask.intent.hide_hyperthreads else cpus

    def _single_threads(self, cpus: CpuSet) -> CpuSet:
        found = self._single.get(cpus)
        if found is None:
            found = self._single[cpus] = self._setting.topology.single_threads(cpus)
        return found

    def _mems(self, grant: Grant) -> Optional[NodeSet]:
        ask = grant.ask
        if not self._setting.config.pin_memory or ask.intent.preserve_memory or ask.given.mems:
            return None
        return self._books.memory.memory_zones[ask.container_id]

    def _shares(self, grant: Grant) -> Optional[int]:
        """By the shared part alone, where there is one: the CPUs of its own need no weight."""
        if grant.kind not in (NORMAL, RESERVED) or not self._setting.config.pin_cpu:
            return None
        millis = grant.millis or 1000 * len(grant.exclusive)
        return min(max(millis * 1024 // 1000, MIN_SHARES), MAX_SHARES)


def changed(
    before: Books, after: Books, moved: Iterable[str], *, besides: str
) -> dict[str, Placed]:
    """Everybody, *besides* one, whose CPUs or memory zone (*moved*) are not what they were."""
    placements = Placements(after)
    pools = {
        number
        for number, (was, now) in enumerate(zip(before.shared_cpus, after.shared_cpus))
        if was != now
    }
    ids = {*moved, *before.outdated} - {besides}
    if pools:
        ids |= {
            key
            for key, grant in after.grants.items()
            if grant.pool_id in pools and grant.shares and key != besides
        }
    return {key: placements.placed(after.grants[key]) for key in after.grants if key in ids}


def scheduling_class_of(config: TopologyAwareConfig, ask: Ask) -> str:
    """The class that its annotation names, else its namespace's, else its QoS class's; "" for none.

    One that is not there is passed over in silence here: whoever asks has to tell.
    """
    wanted = ask.intent.scheduling_class
    if wanted is None:
        by_namespace = dict(config.namespace_scheduling_classes)
        by_qos = {name.lower(): class_ for name, class_ in config.qos_scheduling_classes}
        wanted = by_namespace.get(ask.pod.namespace, by_qos.get(ask.qos_class.lower(), ""))
    return wanted if wanted in {one.name for one in config.scheduling_classes} else ""
