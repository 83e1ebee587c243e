# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remembered balloons as far as what runs agrees with them.

A balloon is believed as long as one container inside runs on just its CPUs, an empty one as long as
nobody runs on them. Out of scope: balloons that nobody remembers (``made_up``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from homenode.pinning.policy import Held
from model.cpuset import NO_CPUS, CpuSet

from .choose import member_of
from .devices import Devices, given_devices
from .instances import Balloon, Holdings
from .remember import Remembered
from .setting import Setting
from .share_idle import usable_cpus

Running = Mapping[str, Held]
"""What runs, by container id."""


def believed(
    setting: Setting, remembered: Sequence[Remembered], running: Running, *, exact: bool
) -> list[Balloon]:
    """The balloons that are still true, in their order.

    Unless *exact*, running on one of its CPUs is enough, as under another configuration.
    """
    recalled = [_recalled(setting, one, running) for one in remembered]
    known = [one for one in recalled if one is not None]
    then = Holdings(tuple(known), setting.allowed - cpus_of(known))
    taken = NO_CPUS
    accepted: list[Balloon] = []
    for one in known:
        agrees = _agrees(setting, then, one, running, exact=exact)
        if one.members and agrees and not one.cpus & taken:
            accepted.append(one)
            taken = taken | one.cpus
    inside = {key for one in accepted for key in one.members}
    taken = taken | seen_cpus(one for key, one in running.items() if key not in inside)
    for one in known:
        if not one.members and not one.cpus & taken:
            accepted.append(one)
            taken = taken | one.cpus
    return [one for one in known if one in accepted]


def cpus_of(balloons: Iterable[Balloon]) -> CpuSet:
    """All CPUs that these have."""
    cpus = NO_CPUS
    for one in balloons:
        cpus = cpus | one.cpus
    return cpus


def seen_cpus(held: Iterable[Held]) -> CpuSet:
    """All CPUs that these run on."""
    cpus = NO_CPUS
    for one in held:
        cpus = cpus | (one.placement.cpus or NO_CPUS)
    return cpus


def _recalled(setting: Setting, one: Remembered, running: Running) -> Optional[Balloon]:
    """The balloon with those inside who still run; None where its type is another one now."""
    its = setting.types.by_name.get(one.type_name)
    if its is None or len(its.spec.components) < len(one.components):
        return None
    if bool(its.spec.components) != bool(one.components):
        return None
    components = [_recalled(setting, component, running) for component in one.components]
    made = [component for component in components if component is not None]
    if len(made) < len(components):
        return None
    members = {
        key: member_of(its, running[key].ask, wanted)
        for key, wanted in one.members.items()
        if key in running
    }
    return Balloon(
        one.type_name,
        one.number,
        one.cpus & setting.allowed,
        members,
        _given(setting, one, running),
        one.given_to if one.given_to in running else "",
        tuple(made),
    )


def _given(setting: Setting, one: Remembered, running: Running) -> Devices:
    if one.given_to not in running:
        return {}
    near = setting.types.by_name[one.type_name].near
    return given_devices(running[one.given_to].ask, near, setting.topology)


def _agrees(
    setting: Setting, then: Holdings, balloon: Balloon, running: Running, *, exact: bool
) -> bool:
    """Whether anybody inside runs where the balloon is; all do where CPUs are nobody's to say."""
    if not setting.pin_cpu:
        return True
    if not exact:
        return bool(seen_cpus(running[key] for key in balloon.members) & balloon.cpus)
    cpus = usable_cpus(setting, then, balloon)
    places = (cpus, setting.topology.single_threads(cpus))
    return any(running[key].placement.cpus in places for key in balloon.members)
