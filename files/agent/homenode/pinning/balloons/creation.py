# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New balloons: an instance of a type at its smallest size, with its components.

Out of scope: when one is made, and who moves in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Optional

from homenode.intent.policy_config import UNLIMITED
from homenode.pinning.policy import Ask
from model.problem import HomenodeProblem

from .devices import given_devices
from .instances import Balloon, Holdings
from .setting import Setting
from .sizing import resized
from .types import CREATION_ORDER, EffectiveType
from .validation import BALANCED


def start(setting: Setting) -> Holdings:
    """The balloons that always are, the types with the highest priority first.

    Raises HomenodeProblem where there are not enough CPUs for them.
    """
    holdings = Holdings((), setting.allowed)
    for its in in_order_of_creation(setting):
        for _turn in range(its.spec.min_balloons):
            after, balloon = created(setting, holdings, its, None)
            holdings = after.with_new(balloon)
    return holdings


def in_order_of_creation(setting: Setting) -> list[EffectiveType]:
    """All types, by priority."""
    types = setting.types.by_name.values()
    return sorted(types, key=lambda one: CREATION_ORDER.index(one.spec.allocator_priority))


def created(
    setting: Setting, holdings: Holdings, its: EffectiveType, ask: Optional[Ask]
) -> tuple[Holdings, Balloon]:
    """A new instance, not listed yet; *ask* is the container for which it is made, if any.

    Raises HomenodeProblem where there are too many already, or too few idle CPUs. Instances that
    are components do not count, but may not be made either once their type has its maximum.
    """
    others = [holdings.balloons[place] for place in holdings.of_type(its.name)]
    if its.spec.max_balloons > UNLIMITED and len(others) >= its.spec.max_balloons:
        raise HomenodeProblem(
            "maxBalloons",
            its.name,
            f'cannot create new "{its.name}" balloon, MaxBalloons limit'
            f" ({its.spec.max_balloons}) reached",
            "raise maxBalloons, or end a container",
        )
    balloon = Balloon(its.name, lowest_unused(one.number for one in others))
    if its.spec.components:
        components = []
        for component_type in component_types(setting, holdings, its):
            holdings, component = created(setting, holdings, component_type, ask)
            components.append(component)
        balloon = replace(balloon, components=tuple(components))
    elif ask is not None:
        given = given_devices(ask, its.near, setting.topology)
        if given:
            balloon = replace(balloon, given=given, given_to=ask.container_id)
    return resized(setting, holdings, balloon, 1000 * its.spec.min_cpus)


def component_types(
    setting: Setting, holdings: Holdings, its: EffectiveType
) -> list[EffectiveType]:
    """All components, or the one whose type has the fewest instances, components included."""
    types = [setting.types.by_name[name] for name in its.spec.components]
    if its.spec.component_creation != BALANCED:
        return types
    return [min(types, key=lambda one: holdings.count(_with_components(setting, one)))]


def _with_components(setting: Setting, its: EffectiveType) -> frozenset[str]:
    """The names of a type and of all that it consists of."""
    found = {its.name}
    for name in its.spec.components:
        found |= _with_components(setting, setting.types.by_name[name])
    return frozenset(found)


def lowest_unused(numbers: Iterable[int]) -> int:
    """The number of the next instance beside those of *numbers*."""
    used = set(numbers)
    return next(number for number in range(len(used) + 1) if number not in used)
