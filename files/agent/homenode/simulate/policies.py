# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policies that a scenario may name, each made as the daemon makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homenode.intent.config import KINDS, PinningConfig
from homenode.intent.policy_config import BalloonsConfig, CommonConfig
from homenode.intent.policy_objects import parse_spec
from homenode.pinning import Surroundings, is_all_or_nothing, make_policy
from homenode.pinning.balloons.devices import device_paths
from homenode.pinning.policy import Policy
from model.cpuset import CpuSet
from model.machine import Machine

from .devices import cpus_near
from .run import Run
from .scenario import Scenario


def run_of(scenario: Scenario) -> Run:
    """*scenario*, ready to be run on the policy that it names."""
    kind = KINDS[scenario.policy]

    def make(spec: Mapping[str, Any]) -> Policy:
        config = parse_spec(kind, spec, source="config")
        around = Surroundings(near=_near(scenario.machine, config))
        return make_policy(scenario.machine, PinningConfig(scenario.policy, spec=config), around)

    return Run(scenario, make, all_or_nothing=is_all_or_nothing(scenario.policy))


def _near(machine: Machine, config: CommonConfig) -> dict[str, tuple[CpuSet, ...]]:
    """The CPUs near each device that the configuration names."""
    if not isinstance(config, BalloonsConfig):
        return {}
    near = {path: cpus_near(machine, path) for path in device_paths(config)}
    return {path: (cpus,) for path, cpus in near.items() if cpus}
