# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be served fails the creation: strict demands, and classes that make no sense.

In upstream's words. Out of scope: preferences, which never fail anything.
"""

from __future__ import annotations

from homenode.intent.policy_config import TopologyAwareConfig
from homenode.intent.tenant import CONTAINER_SCOPE
from homenode.pinning.interrupt_affinity import denied
from homenode.pinning.policy import Ask, Hint
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.problem import HomenodeProblem
from model.workload import GUARANTEED

from .hints import cpus_of
from .pools import memory_near
from .setting import Setting


def refuse_impossible(setting: Setting, ask: Ask, full: int) -> None:
    """Raise HomenodeProblem for a demand that no machine could serve; *full* CPUs are its own."""
    demand = ask.intent.demand
    if demand is not None:
        raise HomenodeProblem(
            demand.field, demand.value, demand.why, demand.remedy, source=demand.source
        )
    _refuse_interrupts(setting, ask, full)


def _refuse_interrupts(setting: Setting, ask: Ask, full: int) -> None:
    irq = ask.intent.irq
    if irq is None:
        return
    patterns, controllable = (*irq.claim, *irq.mask), setting.config.controllable_interrupts
    found = denied(patterns, setting.interrupts, controllable)
    if found is not None:
        remedy = "name interrupts that controllableInterrupts has"
        raise _refusal("irq-affinity", found[0], found[1], remedy)
    if ask.intent.irq_scope != CONTAINER_SCOPE:
        return
    names = ",".join((*irq.claim, *irq.mask))
    if ask.qos_class != GUARANTEED:
        why = f"invalid IRQ affinity, QoS class {ask.qos_class} is not Guaranteed"
        raise _refusal("irq-affinity", names, why, "set all limits, or take the annotation away")
    if not full:
        why = f"IRQ affinity ({names}) invalid without exclusive CPUs"
        raise _refusal("irq-affinity", names, why, "ask for whole CPUs")


def cpu_class_of(config: TopologyAwareConfig, ask: Ask, full: int) -> str:
    """The class of a container's own CPUs; "" for none.

    Raises HomenodeProblem for a class that is not there, or that the container itself, not its pod,
    asks for in vain.
    """
    if not config.cpu_classes:
        return ""
    name, guaranteed = ask.intent.cpu_class, ask.qos_class == GUARANTEED
    own = ask.intent.cpu_class_scope == CONTAINER_SCOPE
    if name is None:
        return config.default_exclusive_cpu_class if guaranteed and full else ""
    if not guaranteed:
        if own:
            why = f'CPU class ("{name}") invalid for non-Guaranteed QoS class ({ask.qos_class})'
            raise _refusal("cpu-class", name, why, "set all limits, or take the annotation away")
        return ""
    known = [one.name for one in config.cpu_classes]
    if name not in known:
        why = f'unknown CPU class "{name}"'
        raise _refusal("cpu-class", name, why, "use one of: " + ", ".join(known))
    if not full:
        if own:
            why = f'CPU class ("{name}") invalid without exclusive CPUs'
            raise _refusal("cpu-class", name, why, "ask for whole CPUs")
        return ""
    return name


def check_isolated(ask: Ask, isolated: CpuSet, full: int) -> None:
    """Raise HomenodeProblem where a container that requires *full* isolated CPUs gets fewer."""
    if full and ask.intent.require_isolated and ask.intent.isolated and len(isolated) < full:
        raise _refusal(
            "require-isolated-cpus",
            "true",
            f'granted isolated CPUs "{isolated}" less than requested {full}',
            "isolate more CPUs (isolcpus=), or prefer-isolated-cpus",
        )


def check_hints(
    setting: Setting,
    ask: Ask,
    memory_zone: NodeSet,
    *,
    exclusive: CpuSet = NO_CPUS,
    shared: CpuSet = NO_CPUS,
    reserved: CpuSet = NO_CPUS,
) -> None:
    """Raise HomenodeProblem where the hints are strict and something granted lies outside of one.

    Memory may come from the hinted NUMA nodes and from those without CPUs that are near to them.
    """
    for hint in ask.hints if ask.intent.hints.strict else ():
        near = cpus_of(setting.machine, hint)
        for kind, cpus in (("shared", shared), ("reserved", reserved), ("exclusive", exclusive)):
            if near and cpus - near:
                what = f'granted {kind} CPUs "{cpus - near}"'
                raise _strict(what, hint)
        mems = hint.nodes | memory_near(setting.layout, near) if near else hint.nodes
        if mems and memory_zone - mems:
            raise _strict(f"granted memory zones {memory_zone - mems}", hint)


def _strict(what: str, hint: Hint) -> HomenodeProblem:
    near = " ".join(str(part) for part in (hint.cpus, hint.nodes) if part)
    why = f"{what} fail strict hint {hint.provider} {{ {near} }}"
    return _refusal("strict.topologyhints", "true", why, "ask for less, or allow other places")


def _refusal(key: str, value: str, why: str, remedy: str) -> HomenodeProblem:
    return HomenodeProblem(f"{key}.resource-policy.nri.io", value, why, remedy)
