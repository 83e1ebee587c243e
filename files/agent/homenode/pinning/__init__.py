# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies: pure functions from books and an ask to a placement with ranked candidates.

``policy.Policy`` is what all of them are to the loop; ``make_policy`` makes the one that the
configuration names, for one machine. Out of scope: cgroups, runtimes, processes; a policy names
CPUs and nodes, never files.
"""

from __future__ import annotations

from homenode.intent.config import PinningConfig
from model.machine import Machine

from .home_node import HomeNode
from .policy import Policy


def make_policy(machine: Machine, config: PinningConfig) -> Policy:
    """The policy of *config*. Raises HomenodeProblem where this machine cannot satisfy it."""
    return HomeNode(machine, config)
