# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy wants to know beside the machine: its interrupts, and what is near some devices."""

from __future__ import annotations

from typing import Optional

from homenode.intent.config import PinningConfig
from homenode.intent.policy_config import BalloonsConfig
from homenode.pinning import NOTHING_AROUND, Surroundings
from model.files import Files
from model.interrupts import parse_interrupts

from .nearness import Nearness

INTERRUPTS = "/proc/interrupts"


def surroundings(
    pinning: Optional[PinningConfig], files: Files, nearness: Nearness
) -> Surroundings:
    """Of the machine of these *files*; nothing for a policy that does not ask."""
    if pinning is None or pinning.spec is None:
        return NOTHING_AROUND
    interrupts = parse_interrupts(files.read(INTERRUPTS) or "")
    if not isinstance(pinning.spec, BalloonsConfig):
        return Surroundings(interrupts)
    from homenode.pinning.balloons.devices import device_paths

    near = {path: nearness.cpus_near(path) for path in device_paths(pinning.spec)}
    return Surroundings(interrupts, {path: (cpus,) for path, cpus in near.items() if cpus})
