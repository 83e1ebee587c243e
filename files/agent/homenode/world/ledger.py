# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: what was granted to which container. A hint that may be deleted at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Optional

from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.workload import Placement

from .decision import Decision


class Grant(NamedTuple):
    """What one container has. A tuple, because hundreds of sharers change in one answer.

    *placement* is what we want its cpuset to be (None parts are not ours), *exclusive* the CPUs
    that nobody else may use, *memory_bytes* what counts against its memory nodes.
    """

    container_id: str
    pod_id: str
    name: str
    placement: Placement
    decision: Decision
    exclusive: CpuSet = NO_CPUS
    memory_bytes: int = 0


@dataclass(frozen=True)
class Ledger:
    """All grants by container id; *version* rises with each change, so old offers are noticed."""

    version: int = 0
    grants: Mapping[str, Grant] = field(default_factory=dict)

    def get(self, container_id: str) -> Optional[Grant]:
        """The grant of a container, or None."""
        return self.grants.get(container_id)

    def with_grants(self, grants: Iterable[Grant]) -> Ledger:
        """The next ledger, with these grants added or replaced."""
        kept = dict(self.grants)
        kept.update((grant.container_id, grant) for grant in grants)
        return Ledger(self.version + 1, kept)

    def without(self, container_ids: Iterable[str]) -> Ledger:
        """The next ledger, without the grants of these containers."""
        gone = set(container_ids)
        return Ledger(
            self.version + 1,
            {key: grant for key, grant in self.grants.items() if key not in gone},
        )

    @cached_property
    def _owners(self) -> tuple[Grant, ...]:
        """The few grants that take something from everybody else."""
        return tuple(
            grant for grant in self.grants.values() if grant.exclusive or grant.memory_bytes
        )

    @cached_property
    def _taken(self) -> CpuSet:
        taken = NO_CPUS
        for grant in self._owners:
            taken = taken | grant.exclusive
        return taken

    def exclusive(self) -> CpuSet:
        """Every CPU that belongs to one container alone."""
        return self._taken

    def memory_on(self, nodes: NodeSet) -> int:
        """Bytes granted to containers that may take them from one of these memory nodes."""
        return sum(
            grant.memory_bytes
            for grant in self._owners
            if grant.placement.mems is not None and grant.placement.mems & nodes
        )


EMPTY_LEDGER = Ledger()
