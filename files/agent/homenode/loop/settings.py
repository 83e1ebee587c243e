# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a placement means for the runtime beside the cpuset: weight, classes, scheduler.

Out of scope: how a runtime is told (``runtime``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from homenode.intent.policy_config import SchedulingClass
from homenode.world.placed import Placed
from model.settings import NO_SETTINGS, IoPriority, Scheduler, Settings


def settings_of(placed: Placed) -> Settings:
    """All that can be set at any time."""
    if placed.shares is None and not placed.rdt_class and not placed.blockio_class:
        return NO_SETTINGS
    return Settings(placed.shares, placed.rdt_class, placed.blockio_class)


def changed_settings(was: Placed, now: Placed) -> Settings:
    """What of it is other than before; NO_SETTINGS itself where nothing is."""
    shares = now.shares if now.shares != was.shares else None
    rdt = now.rdt_class if now.rdt_class != was.rdt_class else ""
    blockio = now.blockio_class if now.blockio_class != was.blockio_class else ""
    return (
        NO_SETTINGS
        if shares is None and not rdt and not blockio
        else Settings(shares, rdt, blockio)
    )


def creation_settings(placed: Placed, classes: Iterable[SchedulingClass]) -> Settings:
    """All that can be set at a creation: the scheduling class too, where *classes* has it."""
    found = next((one for one in classes if one.name == placed.scheduling_class), None)
    if found is None:
        return settings_of(placed)
    return Settings(
        placed.shares,
        placed.rdt_class,
        placed.blockio_class,
        _scheduler(found),
        IoPriority(found.io_class, found.io_priority or 0) if found.io_class else None,
    )


def _scheduler(found: SchedulingClass) -> Optional[Scheduler]:
    if not found.policy:
        return None
    return Scheduler(
        found.policy,
        found.nice or 0,
        found.priority or 0,
        found.flags,
        found.runtime or 0,
        found.deadline or 0,
        found.period or 0,
    )
