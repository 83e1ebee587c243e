# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Balloons that nobody remembers, made up from where containers run.

Containers of one type whose CPUs overlap were in one balloon; where idle CPUs are shared, those
whose CPUs are the same. Its own were as many of these as it needed, those first on which nobody
else runs. Out of scope: moving anybody; a group whose CPUs all are of other balloons has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from homenode.pinning.cpus.allocator import allocate
from homenode.pinning.policy import Held
from model.cpuset import NO_CPUS, CpuSet

from .believe import cpus_of, seen_cpus
from .choose import member_of, type_for
from .creation import component_types, lowest_unused
from .instances import Balloon, Holdings, type_name_of
from .pin import hides_hyperthreads
from .resize import to_take
from .setting import Setting
from .sizing import target
from .types import EffectiveType


@dataclass(frozen=True, eq=False)
class Group:
    """Containers of a type that were in one balloon; *name* is what the ledger calls it, or "".

    *cpus* are all that they run on, *threads* the first ones of each core among them.
    """

    type: EffectiveType
    name: str
    held: tuple[Held, ...]
    cpus: CpuSet
    threads: CpuSet


def was_in(setting: Setting, one: Held) -> tuple[EffectiveType, str]:
    """The type and, where the ledger knows it, the name of the balloon that a container was in.

    Raises HomenodeProblem where its annotation names no type.
    """
    name = "" if one.before is None else one.before.place
    its = setting.types.by_name.get(type_name_of(name))
    return (type_for(setting, one.ask)[0], "") if its is None else (its, name)


def grouped(setting: Setting, held: Sequence[Held]) -> list[Group]:
    """Who was with whom, in the order of the oldest of each group."""
    alike: dict[tuple[str, str, CpuSet], list[Held]] = {}
    for one in held:
        its, name = was_in(setting, one)
        cpus = NO_CPUS if name else one.placement.cpus or NO_CPUS
        alike.setdefault((its.name, name, cpus), []).append(one)
    groups: list[Group] = []
    for (type_name, name, _cpus), members in alike.items():
        new = _group(setting, setting.types.by_name[type_name], name, members)
        joined = [group for group in groups if _together(group, new)]
        if joined:
            groups = [group for group in groups if group not in joined]
            name = next((group.name for group in joined if group.name), name)
            everybody = [one for group in (*joined, new) for one in group.held]
            new = _group(setting, new.type, name, everybody)
        groups.append(new)
    return sorted(groups, key=lambda group: min(one.ask.order for one in group.held))


def _group(setting: Setting, its: EffectiveType, name: str, held: Sequence[Held]) -> Group:
    cpus = seen_cpus(held)
    return Group(its, name, tuple(held), cpus, setting.topology.single_threads(cpus))


def _together(group: Group, other: Group) -> bool:
    if group.type is not other.type or (group.name and other.name):
        return False
    if group.type.spec.share_idle_cpus_in_same:
        return group.threads == other.threads
    return bool(group.cpus & other.cpus)


def made_up(
    setting: Setting, balloons: Sequence[Balloon], group: Group, elsewhere: CpuSet
) -> Balloon:
    """The balloon of *group* beside those that there are; others run on the CPUs *elsewhere*."""
    taken = cpus_of(balloons)
    members = {
        one.ask.container_id: member_of(group.type, one.ask, type_for(setting, one.ask)[0].name)
        for one in group.held
    }
    balloon = Balloon(group.type.name, _number(balloons, group), members=members)
    count = target(group.type.spec, max(1, balloon.requested))
    seen = (group.cpus & setting.allowed) - taken
    own = seen
    if group.type.spec.share_idle_cpus_in_same:
        own = _some(setting, seen - elsewhere, seen, count)
    elif all(hides_hyperthreads(one.ask, group.type) for one in group.held):
        hidden = setting.topology.elements("core", seen) & setting.allowed
        own = seen | _some(setting, hidden - seen - taken - elsewhere, NO_CPUS, count - len(seen))
    components = _components(setting, group.type, own)
    return replace(balloon, cpus=own, components=components)


def _number(balloons: Sequence[Balloon], group: Group) -> int:
    """The one that the ledger knows, if nobody else has it."""
    used = {one.number for one in balloons if one.type_name == group.type.name}
    known = group.name.rpartition("[")[2].rstrip("]")
    if known.isdigit() and int(known) not in used:
        return int(known)
    return lowest_unused(used)


def _components(setting: Setting, its: EffectiveType, cpus: CpuSet) -> tuple[Balloon, ...]:
    """The components of a composite with *cpus*, as equal in size as can be."""
    types = component_types(setting, Holdings((), NO_CPUS), its) if its.spec.components else []
    made = []
    for place, component_type in enumerate(types):
        component = Balloon(component_type.name, 0)
        count = -(-len(cpus) // (len(types) - place))
        wishes = setting.wishes(Holdings((), cpus), component)
        own = allocate(setting.topology, to_take(wishes, NO_CPUS, cpus, count), count)
        cpus = cpus - own
        parts = _components(setting, component_type, own)
        made.append(replace(component, cpus=own, components=parts))
    return tuple(made)


def _some(setting: Setting, first: CpuSet, then: CpuSet, count: int) -> CpuSet:
    """*count* CPUs, of *first* as far as they go, then others of *then*."""
    if count <= 0:
        return NO_CPUS
    if len(first) >= count:
        return allocate(setting.topology, first, count)
    missing = min(count - len(first), len(then - first))
    return first | allocate(setting.topology, then - first, missing)
