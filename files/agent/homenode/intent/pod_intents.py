# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pod's annotations would come to, container by container, before the pod exists.

Beside what is wrong with a value, tells what the manifest itself rules out: containers that are
not there, classes for CPUs that the QoS class does not give. Names of classes and balloon types
are checked where the operator's policy object is at hand. Out of scope: placements (``simulate``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Optional

from model.asked import CPU, asked_amount, millis
from model.problem import HomenodeProblem, Problem
from model.workload import BURSTABLE, GUARANTEED

from .affinities import named_containers
from .annotations import Annotation, all_effective, ours, split_key
from .hints import TEST
from .manifests import ManifestContainer, ManifestPod
from .nearest import unknown_key
from .nri_plugins import (
    AFFINITY,
    ANTI_AFFINITY,
    KNOWN,
    PREFER_ISOLATED,
    REQUIRE_ISOLATED,
    tenant_intent,
)
from .policy_config import BalloonsConfig
from .policy_objects import PolicyConfig
from .tenant import CONTAINER_SCOPE, TenantIntent

BALLOON = "balloon.balloons"
BUILT_IN_BALLOONS = ("reserved", "default")

_FOR_OWN_CPUS = (
    REQUIRE_ISOLATED,
    PREFER_ISOLATED,
    "prefer-cpu-priority",
    "pick-resources-by-hints",
)
_TOPOLOGY_AWARE_ONLY = (
    *_FOR_OWN_CPUS,
    "prefer-shared-cpus",
    "prefer-reserved-cpus",
    "cold-start",
    "unlimited-burstable",
    "cpu-class",
    "irq-affinity",
    "strict.topologyhints",
    AFFINITY,
    ANTI_AFFINITY,
)


@dataclass(frozen=True)
class PodIntents:
    """A pod's intents by container name, and every problem once."""

    pod: ManifestPod
    intents: Mapping[str, TenantIntent]
    problems: tuple[Problem, ...]


def pod_intents(pod: ManifestPod, policy: Optional[PolicyConfig] = None) -> PodIntents:
    """Read everything that *pod* says; *policy* is what it will meet, if that is known."""
    keys = ours(pod.annotations)
    intents: dict[str, TenantIntent] = {}
    problems = [*pod.problems, *_strangers(pod, keys)]
    for container in pod.containers:
        intent = tenant_intent(pod.annotations, container.name)
        intents[container.name] = intent
        problems.extend(intent.problems)
        found, unknown = all_effective(pod.annotations, keys, container.name, KNOWN)
        problems.extend(unknown_key(key, pod.annotations[key], KNOWN) for key in sorted(unknown))
        problems.extend(_unfit(pod, container, found))
        if policy is not None:
            problems.extend(_not_configured(found, intent, policy))
    return PodIntents(pod, intents, tuple(dict.fromkeys(problems)))


def _strangers(pod: ManifestPod, keys: list[str]) -> Iterator[Problem]:
    """Annotations for containers that the pod has not."""
    names = {container.name for container in pod.containers}
    remedy = "the pod has: " + ", ".join(sorted(names))
    for key in keys:
        name, scope, _older = split_key(key)
        value = pod.annotations[key]
        listed: tuple[str, ...] = ()
        if name in KNOWN and scope.startswith("container."):
            listed = (scope.partition(".")[2],)
        elif name in (AFFINITY, ANTI_AFFINITY):
            try:
                listed = named_containers(Annotation(key, value))
            except HomenodeProblem:
                continue  # told with each container's intent
        for stranger in dict.fromkeys(listed):
            if stranger not in names:
                why = f"names the container {stranger!r}, which the pod has not"
                yield Problem(key, value, why, remedy)


def _unfit(
    pod: ManifestPod, container: ManifestContainer, found: Mapping[str, Annotation]
) -> Iterator[Problem]:
    """What the container itself asks for and its kind cannot have; its pod's are defaults."""
    own = {name: one for name, one in found.items() if one.scope == CONTAINER_SCOPE}
    whole = millis(asked_amount(container.asked, CPU).request) >= 1000
    why = {
        "cpu-class": f'CPU class ("{_value(own, "cpu-class")}") invalid',
        "irq-affinity": "invalid IRQ affinity,",
        **dict.fromkeys(_FOR_OWN_CPUS, "has no effect:"),
    }
    for name, start in why.items():
        if name not in own or (pod.qos_class == GUARANTEED and whole):
            continue
        if pod.qos_class == GUARANTEED:
            end, remedy = "without exclusive CPUs", "request one CPU at least"
            if name == "irq-affinity":
                start = f"IRQ affinity ({own[name].value.strip()}) invalid"
        else:
            end, remedy = _not_guaranteed(name, pod.qos_class), "set requests equal to limits"
        yield Problem(own[name].key, own[name].value, f"{start} {end}", remedy)
    level = own.get("unlimited-burstable")
    if level and pod.qos_class != BURSTABLE:
        why_not = f"has no effect: QoS class {pod.qos_class} is not Burstable"
        yield Problem(level.key, level.value, why_not, "take it away")
    if TEST in found:
        remedy = "take it away, or run it through homenode simulate"
        yield Problem(found[TEST].key, found[TEST].value, "counts in simulations only", remedy)


def _not_guaranteed(name: str, qos_class: str) -> str:
    if name == "cpu-class":
        return f"for non-Guaranteed QoS class ({qos_class})"
    return f"QoS class {qos_class} is not Guaranteed"


def _value(annotations: Mapping[str, Annotation], name: str) -> str:
    return annotations[name].value if name in annotations else ""


def _not_configured(
    found: Mapping[str, Annotation],
    intent: TenantIntent,
    policy: PolicyConfig,
) -> Iterator[Problem]:
    """Names that the policy object does not define, and keys that its policy does not read."""
    scheduling = [one.name for one in policy.scheduling_classes]
    yield from _undefined(found, "scheduling-class", intent.scheduling_class, scheduling)
    if isinstance(policy, BalloonsConfig):
        types = [*(one.name for one in policy.balloon_types), *BUILT_IN_BALLOONS]
        yield from _undefined(found, BALLOON, intent.balloon, types)
        unread: tuple[str, ...] = _TOPOLOGY_AWARE_ONLY
        reader = "balloons"
    else:
        classes = [one.name for one in policy.cpu_classes]
        yield from _undefined(found, "cpu-class", intent.cpu_class, classes)
        unread, reader = (BALLOON,), "topology-aware"
    for name in unread:
        if name in found:
            why = f"is not read by the {reader} policy, which is configured"
            yield Problem(found[name].key, found[name].value, why, "take it away")


def _undefined(
    found: Mapping[str, Annotation], name: str, wanted: Optional[str], defined: list[str]
) -> Iterator[Problem]:
    if wanted and wanted not in defined:
        why = (
            f'no balloon for annotation "{wanted}"'
            if name == BALLOON
            else f'unknown {name.replace("-", " ")} "{wanted}"'
        )
        remedy = "use one of: " + ", ".join(dict.fromkeys(defined)) if defined else "define it"
        yield Problem(found[name].key, wanted, why, remedy)
