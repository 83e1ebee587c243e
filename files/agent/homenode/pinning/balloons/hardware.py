# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs are of which class, and which interrupts balloons claim, draw to them, or avoid.

nri-plugins' rule (pinning.md §3.9, §3.10): a balloon's CPUs are of its type's class, those in no
balloon of the idle class; a class named ``default`` stands in for one that is not given.
Out of scope: what a class means for a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

from homenode.intent.policy_config import BalloonsConfig
from homenode.pinning.interrupt_affinity import InterruptWish, denied
from homenode.pinning.policy import Hardware
from model.cpuset import NO_CPUS, CpuSet
from model.interrupts import Interrupt
from model.problem import HomenodeProblem

from .instances import Holdings
from .setting import Setting


def hardware(config: BalloonsConfig, setting: Setting, holdings: Holdings) -> Hardware:
    """What is wished of the hardware as things are now."""
    wishes = []
    for balloon in holdings.balloons:
        spec = setting.type_of(balloon).spec
        if balloon.cpus and (spec.irq_claim or spec.irq_mode):
            wishes.append(InterruptWish(balloon.cpus, spec.irq_claim, (), spec.irq_mode))
    return Hardware(_classes(config, setting, holdings), tuple(wishes), setting.allowed)


def _classes(config: BalloonsConfig, setting: Setting, holdings: Holdings) -> dict[str, CpuSet]:
    if not config.cpu_classes:
        return {}
    owners: dict[str, CpuSet] = {}
    rest = setting.allowed
    waiting = list(holdings.balloons)
    while waiting:
        balloon = waiting.pop()
        waiting += balloon.components
        if not balloon.components:
            name = setting.cpu_class(setting.type_of(balloon).spec)
            owners[name] = owners.get(name, NO_CPUS) | balloon.cpus
            rest = rest - balloon.cpus
    idle = config.idle_cpu_class or setting.default_cpu_class
    owners[idle] = owners.get(idle, NO_CPUS) | rest
    return {name: cpus for name, cpus in owners.items() if name and cpus}


def check_claims(config: BalloonsConfig, interrupts: Sequence[Interrupt]) -> None:
    """Raise HomenodeProblem where a type claims an interrupt that may not be touched."""
    for one in config.balloon_types:
        found = denied(one.irq_claim, interrupts, config.controllable_interrupts)
        if found is not None:
            pattern, why = found
            remedy = "name interrupts that controllableInterrupts has"
            raise HomenodeProblem(f"balloonTypes.{one.name}.irqClaim", pattern, why, remedy)
