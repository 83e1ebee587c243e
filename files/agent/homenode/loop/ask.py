# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container asks for, from what the runtime tells of it.

A runtime does not carry the pod's manifest, so requests are estimated from what the kubelet made
of them, exactly where that is exact; a pod that a webhook annotated with its real resources is
believed. nri-plugins estimates in the same way from the same figures.
"""

from __future__ import annotations

from dataclasses import replace

from homenode.intent.hint_paths import counts
from homenode.intent.nri_plugins import tenant_intent
from homenode.intent.real_resources import KEY, RealResources, real_resources
from homenode.intent.tenant import HintIntent, TenantIntent
from homenode.pinning.policy import Ask, Hint
from homenode.world.world import World
from model.problem import Problem
from model.workload import (
    BURSTABLE,
    GUARANTEED,
    NOT_OURS,
    Container,
    Near,
    Placement,
    Pod,
    Resources,
    cpu_limit_millis,
    cpu_request_millis,
    whole_cpus,
)

LEAST_ADJUSTMENT, MOST_ADJUSTMENT = 3, 999
"""oom_score_adj of Burstable containers, as the kubelet bounds it (pkg/kubelet/qos)."""

LEAST_SHARES, MOST_SHARES = 2, 262144
"""cpu.shares, as the kubelet bounds them (pkg/kubelet/cm/helpers_linux.go)."""


def ask_of(world: World, pod: Pod, container: Container, given: Placement = NOT_OURS) -> Ask:
    """The container as a policy sees it; *given* is what the kubelet's managers chose."""
    problems: list[Problem] = []
    qos_class = pod.qos_class
    asked = real_resources(pod.annotations, container.name, problems)
    if asked is not None and not _agrees(asked, container.resources):
        problems.append(_stale(pod, container.resources))
        asked = None
    if asked is None:
        asked = _estimated(world, container, qos_class)
    intent = _intent(pod, container.name, tuple(problems))
    return Ask(
        container.id,
        container.name,
        pod,
        qos_class,
        *asked,
        intent=intent,
        hints=_hints(container.near, intent.hints) if container.near else (),
        order=container.created_at,
        given=given,
    )


def _agrees(asked: RealResources, told: Resources) -> bool:
    """Whether the kubelet made of these what the runtime tells: nobody buys CPUs by annotation.

    A container that was resized in place does not agree any more either.
    """
    shares = min(max(asked.cpu_request * 1024 // 1000, LEAST_SHARES), MOST_SHARES)
    limit = max(told.memory_limit_bytes or 0, 0)
    return told.shares in (None, shares) and limit in (0, asked.memory_limit)


def _stale(pod: Pod, told: Resources) -> Problem:
    why = f"does not agree with what the kubelet asked for (cpu.shares {told.shares})"
    return Problem(KEY, pod.annotations[KEY], why, "estimates are used instead")


def _intent(pod: Pod, container: str, problems: tuple[Problem, ...]) -> TenantIntent:
    found = tenant_intent(pod.annotations, container)
    return replace(found, problems=found.problems + problems) if problems else found


def _hints(near: tuple[Near, ...], intent: HintIntent) -> tuple[Hint, ...]:
    """What counts of that by the tenant's word, the first one of each provider."""
    found: dict[str, Hint] = {}
    for one in near:
        wanted = intent.sources is None or one.source in intent.sources
        if wanted and all(counts(intent, path) for path in one.paths):
            found.setdefault(one.paths[-1], Hint(one.paths[-1], one.cpus, one.nodes))
    return tuple(found.values())


def _estimated(world: World, container: Container, qos_class: str) -> RealResources:
    resources = container.resources
    request = cpu_request_millis(resources, qos_class)
    if qos_class == GUARANTEED and request % 1000 == 0 and not whole_cpus(resources, qos_class):
        request = max(request - 1, 0)  # not a whole number, so it must not look like one
    limit = request if qos_class == GUARANTEED else cpu_limit_millis(resources)
    memory_limit = max(resources.memory_limit_bytes or 0, 0)
    memory_request = memory_limit if qos_class == GUARANTEED else 0
    if qos_class == BURSTABLE:
        memory_request = _memory_request(world, container.oom_score_adj or 0, memory_limit)
    return RealResources(request, limit, memory_request, memory_limit)


def _memory_request(world: World, adjustment: int, limit: int) -> int:
    """The smallest request for which the kubelet sets this oom_score_adj; 0 where that says none.

    The kubelet writes 1000 - 1000 * request / capacity, within bounds.
    """
    if not LEAST_ADJUSTMENT <= adjustment <= MOST_ADJUSTMENT:
        return 0
    request = -(-(1000 - adjustment) * world.machine.memory_total_bytes // 1000)
    return request if request < limit or not limit else 0
