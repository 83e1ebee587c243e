# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large a balloon is and may be: the sum of requests, within bounds, in whole CPUs.

Not as upstream: a balloon may grow to maxCPUs and never beyond, however few CPUs are idle (there,
with fewer idle CPUs than maxCPUs, it takes in containers that it has no room for); and as long as a
container is inside, each component of a composite has a CPU, so that nobody's set is empty.
Out of scope: which CPUs.
"""

from __future__ import annotations

from dataclasses import replace

from homenode.intent.policy_config import UNLIMITED, BalloonType
from homenode.pinning.cpus.allocator import allocate
from model.cpuset import NO_CPUS
from model.problem import HomenodeProblem

from .instances import Balloon, Holdings
from .resize import to_give, to_take
from .setting import Setting
from .types import EffectiveType
from .validation import BALANCED


def most_millis(setting: Setting, balloon: Balloon, idle: int) -> int:
    """CPU of a balloon when *idle* CPUs could still join it, in thousandths.

    A composite is bound by its most limited component, as all get the same.
    """
    if balloon.components:
        least = min(most_millis(setting, one, idle) for one in balloon.components)
        idle = min(least * len(balloon.components) // 1000, idle)
    most = setting.type_of(balloon).spec.max_cpus
    size = len(balloon.cpus) + idle
    return 1000 * (size if most == UNLIMITED else min(size, most))


def limit_millis(setting: Setting, its: EffectiveType) -> int:
    """What a balloon of a type can have at most when everything is idle, in thousandths."""
    spec = its.spec
    most = 1000 * len(setting.allowed)
    if spec.components:
        parts = [limit_millis(setting, setting.types.by_name[name]) for name in spec.components]
        alike = min(parts) * len(parts)
        most = min(most, max(parts) if spec.component_creation == BALANCED else alike)
    return most if spec.max_cpus == UNLIMITED else min(most, 1000 * spec.max_cpus)


def target(spec: BalloonType, millis: int) -> int:
    """How many CPUs a balloon of a type has if *millis* are requested of it."""
    count = -(-millis // 1000)
    if spec.max_cpus > UNLIMITED:
        count = min(count, spec.max_cpus)
    return max(count, spec.min_cpus)


def resized(
    setting: Setting, holdings: Holdings, balloon: Balloon, millis: int
) -> tuple[Holdings, Balloon]:
    """The balloon with room for *millis*, as far as its type allows, and what is idle then.

    Raises HomenodeProblem where too few CPUs are idle.
    """
    if balloon.components:
        return _resized_composite(setting, holdings, balloon, millis)
    spec = setting.type_of(balloon).spec
    missing = target(spec, millis) - len(balloon.cpus)
    if missing == 0:
        return holdings, balloon
    wishes = setting.wishes(holdings, balloon)
    if missing > 0:
        source = to_take(wishes, balloon.cpus, holdings.idle, missing)
        taken = allocate(setting.topology, source, missing, spec.allocator_priority)
        grown = replace(balloon, cpus=balloon.cpus | taken)
        return Holdings(holdings.balloons, holdings.idle - taken), grown
    given = to_give(wishes, balloon.cpus, holdings.idle, -missing)
    shrunk = replace(balloon, cpus=balloon.cpus - given)
    return Holdings(holdings.balloons, holdings.idle | given), shrunk


def _resized_composite(
    setting: Setting, holdings: Holdings, balloon: Balloon, millis: int
) -> tuple[Holdings, Balloon]:
    """Every component gets the same share."""
    share = millis // len(balloon.components)
    if millis:
        share = max(1, share)
    components = []
    cpus = NO_CPUS
    for component in balloon.components:
        holdings, component = resized(setting, holdings, component, share)
        components.append(component)
        cpus = cpus | component.cpus
    return holdings, replace(balloon, cpus=cpus, components=tuple(components))


def fitted(setting: Setting, holdings: Holdings, place: int, millis: int) -> Holdings:
    """With the balloon at *place* resized for *millis*.

    Where too few CPUs are idle it takes those that there are, and is over-committed.
    """
    balloon = holdings.balloons[place]
    for wanted in (millis, 1000 * (len(balloon.cpus) + len(holdings.idle))):
        try:
            after, fitting = resized(setting, holdings, balloon, wanted)
        except HomenodeProblem:
            continue
        return after.changed(place, fitting)
    return holdings


def conformed(setting: Setting, holdings: Holdings) -> Holdings:
    """With all balloons of the size that their types want now, those first that shrink."""
    places = range(len(holdings.balloons))
    for place in sorted(places, key=lambda place: holdings.balloons[place].free < 0):
        balloon = holdings.balloons[place]
        if balloon.members:
            holdings = fitted(setting, holdings, place, max(1, balloon.requested))
    return holdings
