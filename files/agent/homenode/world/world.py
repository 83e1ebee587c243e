# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world as one frozen value: facts, the operator's intent, the ledger, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from homenode.intent.config import PinningConfig
from model.cpuset import CpuSet
from model.machine import Machine
from model.problem import Problem
from model.workload import Container, Placement, Pod

from .ledger import EMPTY_LEDGER, Ledger


@dataclass(frozen=True)
class World:
    """Everything that a decision may depend on. *pinning* is None where the feature is off.

    *observed* is what each container's cgroup said when it was last read; *problems* are by
    container id and end with the container; *failed* are by ``namespace/pod/container`` and end
    when such a container starts or its pod is gone.
    """

    machine: Machine
    pinning: Optional[PinningConfig] = None
    pods: Mapping[str, Pod] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)
    observed: Mapping[str, Placement] = field(default_factory=dict)
    ledger: Ledger = EMPTY_LEDGER
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    failed: Mapping[str, Problem] = field(default_factory=dict)

    def pod_of(self, container: Container) -> Optional[Pod]:
        """The pod of a container, or None where the runtime has not told of it."""
        return self.pods.get(container.pod_id)

    def full_name(self, container: Container) -> str:
        """``namespace/pod/container``, with "?" for a pod that is not known."""
        pod = self.pod_of(container)
        return f"{pod.full_name if pod else '?/?'}/{container.name}"

    def allowed_cpus(self) -> CpuSet:
        """CPUs that workloads may use: online, not set aside for one task by the boot line."""
        usable = self.machine.online - self.machine.isolated
        if self.pinning is not None and self.pinning.available_cpus is not None:
            usable = usable & self.pinning.available_cpus
        return usable or self.machine.online

    def shared_cpus(self) -> CpuSet:
        """CPUs of everybody without exclusive ones; never empty."""
        allowed = self.allowed_cpus()
        return (allowed - self.ledger.exclusive()) or allowed
