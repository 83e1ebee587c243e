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
from typing import Optional

from homenode.intent.policy_config import UNLIMITED, BalloonType
from homenode.pinning.cpus.allocator import allocate
from model.cpuset import NO_CPUS, CpuSet

from .instances import Balloon, Holdings
from .resize import to_give, to_take
from .setting import Setting
from .share_idle import share_idle


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


def target(spec: BalloonType, millis: int) -> int:
    """How many CPUs a balloon of a type has if *millis* are requested of it."""
    count = -(-millis // 1000)
    if spec.max_cpus > UNLIMITED:
        count = min(count, spec.max_cpus)
    return max(count, spec.min_cpus)


def resized(
    setting: Setting, holdings: Holdings, balloon: Balloon, millis: int, place: Optional[int]
) -> tuple[Holdings, Balloon]:
    """The balloon with room for *millis*, as far as its type allows; *place* None: not listed.

    Raises HomenodeProblem where too few CPUs are idle.
    """
    if balloon.components:
        return _resized_composite(setting, holdings, balloon, millis, place)
    spec = setting.type_of(balloon).spec
    missing = target(spec, millis) - len(balloon.cpus)
    if missing == 0:
        return holdings, balloon
    wishes = setting.wishes(holdings, balloon)
    if missing > 0:
        source = to_take(wishes, balloon.cpus, holdings.idle, missing)
        taken = allocate(setting.topology, source, missing, spec.allocator_priority)
        grown = replace(balloon, cpus=balloon.cpus | taken)
        idle = holdings.idle - taken
        return _shared(setting, holdings.changed(place, grown, idle), grown, place, idle, taken)
    given = to_give(wishes, balloon.cpus, holdings.idle, -missing)
    shrunk = replace(balloon, cpus=balloon.cpus - given)
    after = holdings.changed(place, shrunk, holdings.idle | given)
    return _shared(setting, after, shrunk, place, given, NO_CPUS)


def _shared(
    setting: Setting,
    holdings: Holdings,
    balloon: Balloon,
    place: Optional[int],
    add: CpuSet,
    remove: CpuSet,
) -> tuple[Holdings, Balloon]:
    holdings = share_idle(setting, holdings, add, remove)
    return holdings, balloon if place is None else holdings.balloons[place]


def _resized_composite(
    setting: Setting, holdings: Holdings, balloon: Balloon, millis: int, place: Optional[int]
) -> tuple[Holdings, Balloon]:
    """Every component gets the same share."""
    share = millis // len(balloon.components)
    if millis:
        share = max(1, share)
    components = []
    cpus = NO_CPUS
    for component in balloon.components:
        holdings, component = resized(setting, holdings, component, share, None)
        components.append(component)
        cpus = cpus | component.cpus
    now = balloon if place is None else holdings.balloons[place]
    made = replace(now, cpus=cpus, components=tuple(components))
    return holdings.changed(place, made, holdings.idle), made
