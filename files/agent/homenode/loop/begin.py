# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world before the first event: a machine, a policy made for it, and what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from homenode.intent.config import PinningConfig
from homenode.pinning import NOTHING_AROUND, Surroundings, make_policy
from homenode.world.ledger import EMPTY_LEDGER, Ledger
from homenode.world.world import World
from model.machine import Machine


def begin(
    machine: Machine,
    pinning: Optional[PinningConfig],
    ledger: Ledger = EMPTY_LEDGER,
    remembered: Optional[Mapping[str, Any]] = None,
    around: Surroundings = NOTHING_AROUND,
) -> World:
    """See the module; *remembered* is what the policy of before wanted to be told.

    Raises HomenodeProblem where the machine cannot satisfy *pinning*.
    """
    policy = None if pinning is None else make_policy(machine, pinning, around)
    return World(machine, pinning, policy, remembered=remembered, ledger=ledger)
