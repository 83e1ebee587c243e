# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the policy is asked for a container of a scenario: exact figures, annotations, hints.

Out of scope: what a real runtime lets one know of all that (``loop.ask``).
"""

from __future__ import annotations

from dataclasses import replace

from homenode.intent.nri_plugins import tenant_intent
from homenode.pinning.policy import Ask
from model.machine import Machine
from model.workload import BEST_EFFORT, BURSTABLE, Pod

from .hints import hints_of
from .pods import CPU, MEMORY, AskedAmounts, ScenarioContainer, ScenarioPod, millis

CGROUP_PARENTS = {BURSTABLE: "/kubepods/burstable", BEST_EFFORT: "/kubepods/besteffort"}


def sandbox_of(pod: ScenarioPod, number: int) -> Pod:
    """The pod as a runtime has it; *number* tells it from all others of the scenario."""
    return Pod(
        id=f"pod-{number}",
        name=pod.name,
        namespace=pod.namespace,
        uid=str(number),
        cgroup_parent=f"{CGROUP_PARENTS.get(pod.qos_class, '/kubepods')}/pod{number}",
        annotations=pod.annotations,
        labels=pod.labels,
    )


def ask_of(machine: Machine, pod: Pod, container: ScenarioContainer, number: int) -> Ask:
    """The ask of *container*, the *number*-th that is created."""
    intent = tenant_intent(pod.annotations, container.name)
    ask = Ask(
        container_id=f"container-{number}",
        name=container.name,
        pod=pod,
        qos_class=pod.qos_class,
        intent=intent,
        hints=hints_of(machine, pod.annotations, container, intent.hints),
        order=number,
    )
    return with_amounts(ask, container.amounts)


def with_amounts(ask: Ask, amounts: AskedAmounts) -> Ask:
    """*ask* with what *amounts* names; what it does not name stays."""
    cpu = amounts.get(CPU)
    if cpu is not None:
        ask = replace(ask, cpu_request=millis(cpu.request), cpu_limit=millis(cpu.limit))
    memory = amounts.get(MEMORY)
    if memory is not None:
        request, limit = memory.request.ceiling, memory.limit.ceiling
        ask = replace(ask, memory_request=request, memory_limit=limit)
    return ask
