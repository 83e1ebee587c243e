# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies: pure functions from a world and a container to an offer with ranked candidates.

A policy offers; ``offer.commit`` turns an offer into the next ledger, unless the ledger has
changed meanwhile. ``POLICIES`` is the list of all there are. Out of scope: cgroups, runtimes,
processes; a policy names CPUs and nodes, never files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from homenode.intent.config import HOME_NODE
from homenode.intent.nri_plugins import TenantIntent
from homenode.world.world import World
from model.workload import Container, Pod

from . import home_node
from .offer import Offer

Policy = Callable[[World, Pod, Container, TenantIntent], Offer]

POLICIES: Mapping[str, Policy] = {HOME_NODE: home_node.offer}
