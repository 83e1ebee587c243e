# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: what was granted to which container. A hint that may be deleted at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Optional

from model.cpuset import NO_CPUS, CpuSet
from model.workload import NOT_OURS, Placement

from .decision import Decision
from .placed import Placed


class Grant(NamedTuple):
    """What one container has, as its policy *placed* it.

    A tuple, because hundreds of sharers change in one answer. *asked_shares* is the cpu.shares
    that the kubelet asked for, and *given* the cpuset that its managers chose: once we have set
    others, the runtime tells those.
    """

    container_id: str
    pod_id: str
    name: str
    placed: Placed
    asked_shares: Optional[int] = None
    given: Placement = NOT_OURS

    @property
    def placement(self) -> Placement:
        """What we want its cpuset to be; None parts are not ours."""
        return self.placed.placement

    @property
    def decision(self) -> Decision:
        """Why."""
        return self.placed.decision

    @property
    def exclusive(self) -> CpuSet:
        """The CPUs that nobody else may use."""
        return self.placed.exclusive


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
    def _taken(self) -> CpuSet:
        taken = NO_CPUS
        for grant in self.grants.values():
            taken = taken | grant.placed.exclusive
        return taken

    def exclusive(self) -> CpuSet:
        """Every CPU that belongs to one container alone."""
        return self._taken


EMPTY_LEDGER = Ledger()
