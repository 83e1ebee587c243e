# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world as one frozen value: facts, the operator's intent, the ledger, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from homenode.intent.config import REPAIR, PinningConfig
from model.cpuset import CpuSet
from model.machine import Machine
from model.problem import Problem
from model.workload import Container, Placement, Pod

from .ledger import EMPTY_LEDGER, Ledger


@dataclass(frozen=True)
class World:
    """Everything that a decision may depend on. *pinning* is None where the feature is off.

    *policy* is the one that *pinning* names, made for this machine, and *books* is its accounting:
    what they are is known to the room ``pinning``. *remembered* is what a policy of before wanted
    to be told after a restart.

    ``created_at`` of the containers rises strictly, whatever the runtime tells; *newest* is the
    last. *observed* is what each container's cgroup said when it was last read; *fights* are when
    it was repaired (seconds since the epoch); *problems* are by container id; these end with the
    container. *failed* are by ``namespace/pod/container`` and end
    when such a container starts or its pod is gone; *warnings* are what adoption could not account
    for.
    """

    machine: Machine
    pinning: Optional[PinningConfig] = None
    policy: Any = None
    books: Any = None
    remembered: Optional[Mapping[str, Any]] = None
    pods: Mapping[str, Pod] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)
    newest: int = 0
    observed: Mapping[str, Placement] = field(default_factory=dict)
    fights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    ledger: Ledger = EMPTY_LEDGER
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    failed: Mapping[str, Problem] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    @property
    def repairs_drift(self) -> bool:
        """Whether a cpuset that somebody else wrote is written again."""
        return self.pinning is not None and self.pinning.drift == REPAIR

    def pod_of(self, container: Container) -> Optional[Pod]:
        """The pod of a container, or None where the runtime has not told of it."""
        return self.pods.get(container.pod_id)

    def full_name(self, container: Container) -> str:
        """``namespace/pod/container``, with "?" for a pod that is not known."""
        pod = self.pod_of(container)
        return f"{pod.full_name if pod else '?/?'}/{container.name}"

    def places(self) -> tuple[Any, ...]:
        """What the policy divides the machine into, as it is now: ``pinning.policy.Place``."""
        if self.policy is None:
            return ()
        books = self.policy.start() if self.books is None else self.books
        return tuple(self.policy.places(books))

    def shared_cpus(self) -> CpuSet:
        """The CPUs of those who own none; all where there is no policy."""
        if self.policy is None:
            return self.machine.online
        return CpuSet(cpu for place in self.places() for cpu in place.shared)
