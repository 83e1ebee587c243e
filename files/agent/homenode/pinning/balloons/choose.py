# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which balloon a container goes to: first its type, then an instance of it.

Instances are sought in one way after the other (``_ways``), and the first that finds any decides.
Where none finds any, two cases differ. If the operator's own limits (maxCPUs, maxBalloons of the
type) leave no place, or the requests of all are more than there are CPUs, the creation is refused,
in upstream's words: to start the container anyway would break what was promised to others. If it is
only that balloons have whole CPUs and so none is idle, upstream refuses too, which breaks pods
that fit; here the container joins the instance with most room, of its type, else of the built-in
ones, which is over-committed then. Out of scope: making room in the instance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from homenode.intent.expressions import Subject, matches, resolve
from homenode.intent.globs import glob_matches
from homenode.intent.policy_config import UNLIMITED, BalloonType
from homenode.pinning.policy import Ask
from model.problem import HomenodeProblem

from .creation import created
from .instances import Balloon, Holdings, Member
from .setting import Setting
from .sizing import limit_millis, most_millis, target
from .types import EffectiveType
from .validation import DEFAULT, RESERVED

GROUP, POD, NAMESPACE = "same group", "same pod", "same namespace"
NEW, ROOM, GROWTH = "new balloon", "has room", "has room when inflated"
CROWDED = "over-committed for want of idle CPUs"


@dataclass(frozen=True)
class Choice:
    """The instance at *place* of *holdings*, the best of all *found* in one *way*."""

    holdings: Holdings
    place: int
    way: str
    found: tuple[int, ...]

    @property
    def balloon(self) -> Balloon:
        """The instance."""
        return self.holdings.balloons[self.place]


def subject_of(ask: Ask) -> Subject:
    """What expressions see of a container."""
    return Subject.of(ask.pod, ask.name, ask.qos_class, container_id=ask.container_id)


def type_for(setting: Setting, ask: Ask) -> tuple[EffectiveType, str]:
    """The type of a container, and by what.

    By annotation, else the first type that matches by expression or namespace, else the default.
    Raises HomenodeProblem where the annotation names no type.
    """
    types = setting.types.by_name
    wanted = ask.intent.balloon
    if wanted is not None:
        if wanted not in types:
            raise HomenodeProblem(
                "balloon.balloons.resource-policy.nri.io",
                wanted,
                f'no balloon for annotation "{wanted}"',
                "name a balloon type of the configuration",
                source=ask.pod.full_name,
            )
        return types[wanted], "annotation"
    subject = subject_of(ask)
    for its in types.values():
        if any(matches(one, subject) for one in its.spec.match_expressions):
            return its, "matchExpressions"
        if any(glob_matches(one, ask.pod.namespace) for one in its.spec.namespaces):
            return its, "namespace"
    return types[DEFAULT], "default"


def _group_of(its: EffectiveType, ask: Ask) -> str:
    """What the type's groupBy makes of a container; what cannot be resolved counts as ""."""
    return resolve(its.spec.group_by, subject_of(ask)) if its.spec.group_by else ""


def member_of(its: EffectiveType, ask: Ask, wanted: str) -> Member:
    """What a balloon of a type has to know of a container that should be in a *wanted* one."""
    return Member(ask.pod.id, ask.pod.namespace, _group_of(its, ask), ask.cpu_request, wanted)


def choose(setting: Setting, holdings: Holdings, its: EffectiveType, ask: Ask) -> Choice:
    """The instance of a type for a container. Raises HomenodeProblem where there is none."""
    for way in _ways(its.spec):
        choice = _by(way, setting, holdings, its, ask)
        if choice is not None:
            return choice
    if _fits_by_request(setting, holdings, ask) and _is_allowed(setting, holdings, its, ask):
        for fallback in (its, setting.types.by_name[DEFAULT], setting.types.by_name[RESERVED]):
            choice = _by(CROWDED, setting, holdings, fallback, ask)
            if choice is not None:
                return choice
    raise no_instance(its, ask)


def no_instance(its: EffectiveType, ask: Ask) -> HomenodeProblem:
    """The refusal of a container for which there is no place, nor can one be made."""
    return HomenodeProblem(
        "balloon",
        its.name,
        "no suitable balloon instance available",
        f"raise maxCPUs or maxBalloons of {its.name}, request less, or end other containers",
        source=ask.full_name,
    )


def _ways(spec: BalloonType) -> tuple[str, ...]:
    """The ways of a type to find instances, in order."""
    return (
        *([GROUP] if spec.group_by else ()),
        *([] if spec.prefer_spreading_pods else [POD]),
        *([NAMESPACE, NEW] if spec.prefer_per_namespace_balloon else ()),
        *([NEW, ROOM, GROWTH] if spec.prefer_new_balloons else [ROOM, GROWTH, NEW]),
    )


def _fits_by_request(setting: Setting, holdings: Holdings, ask: Ask) -> bool:
    """Whether all containers together request no more than there is."""
    requested = sum(one.requested for one in holdings.balloons)
    return requested + ask.cpu_request <= 1000 * len(setting.allowed)


def _is_allowed(setting: Setting, holdings: Holdings, its: EffectiveType, ask: Ask) -> bool:
    """Whether the limits of the type leave room for a container, CPUs being idle."""
    places = holdings.of_type(its.name)
    most = its.spec.max_balloons
    requested = [holdings.balloons[place].requested for place in places]
    if most == UNLIMITED or len(places) < most:
        requested.append(0)
    limit = limit_millis(setting, its)
    return any(millis + ask.cpu_request <= limit for millis in requested)


def _by(
    way: str, setting: Setting, holdings: Holdings, its: EffectiveType, ask: Ask
) -> Optional[Choice]:
    """The best of the instances that one way finds: most free CPU, then fewest containers."""
    if way == NEW:
        return _new(setting, holdings, its, ask)
    idle = len(holdings.idle)
    hosts = _host_of(way, its, ask)
    ranked = []
    for place in holdings.of_type(its.name):
        one = holdings.balloons[place]
        if not hosts(one) or not (one.cpus or idle):
            continue
        free = one.free
        room = free if way == ROOM else most_millis(setting, one, idle) - one.requested
        if way == CROWDED:
            fits = one.requested + ask.cpu_request <= limit_millis(setting, its)
        else:
            fits = room >= ask.cpu_request
        if fits:
            ranked.append((-room if way == GROWTH else -free, len(one.members), place))
    if not ranked:
        return None
    found = tuple(place for *_rank, place in sorted(ranked))
    return Choice(holdings, found[0], way, found)


def _host_of(way: str, its: EffectiveType, ask: Ask) -> Callable[[Balloon], bool]:
    """Tells whether those are inside a balloon whom this way looks for."""
    if way == GROUP:
        group = _strict_group(its, ask)
        return lambda one: group is not None and group in one.groups
    if way == POD:
        return lambda one: ask.pod.id in one.pods
    if way == NAMESPACE:
        return lambda one: ask.pod.namespace in one.namespaces
    return lambda _one: True


def _strict_group(its: EffectiveType, ask: Ask) -> Optional[str]:
    """None where the container lacks something that the type's groupBy names."""
    try:
        return resolve(its.spec.group_by, subject_of(ask), strict=True)
    except HomenodeProblem:
        return None


def _new(setting: Setting, holdings: Holdings, its: EffectiveType, ask: Ask) -> Optional[Choice]:
    """An instance without containers, else one that is made, if it can be large enough."""
    idle = len(holdings.idle)
    needed = target(its.spec, max(1, ask.cpu_request))
    for place in holdings.of_type(its.name):
        one = holdings.balloons[place]
        if not one.members:
            return (
                Choice(holdings, place, NEW, (place,)) if len(one.cpus) + idle >= needed else None
            )
    if idle < max(1, its.spec.min_cpus):
        return None
    try:
        after, balloon = created(setting, holdings, its, ask)
    except HomenodeProblem:
        return None
    if most_millis(setting, balloon, len(after.idle)) < ask.cpu_request:
        return None
    place = len(after.balloons)
    return Choice(after.with_new(balloon), place, NEW, (place,))
