# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runtime room has to say about itself: to the status, the journal, the metrics.

Out of scope: who shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from model.events import Event
from model.problem import Problem

WAITING = "waiting"
"""No runtime answers at the socket; said once per outage."""

CONNECTED = "connected"
"""Registered, configured and synchronized: decisions reach the runtime from now on."""

DISCONNECTED = "disconnected"
"""The connection is gone; running containers keep what they have, new ones start unpinned."""

PROBLEM = "problem"
"""Something came over the wire that we do not follow; said once per outage."""

UNDELIVERED = "undelivered"
"""The runtime was told "no change" for *event*, whatever was decided: take the decision back, or
apply it another way. Said before the next event is handled."""


@dataclass(frozen=True)
class RuntimeNotice:
    """One remark; *runtime_name* and *runtime_version* are "" until a runtime told them."""

    kind: str
    detail: str
    runtime_name: str = ""
    runtime_version: str = ""
    problem: Optional[Problem] = None
    event: Optional[Event] = None


@dataclass
class RuntimeCounts:
    """How often things happened since start; written by the reading thread only."""

    connections: int = 0
    events: int = 0
    late: int = 0
    failed: int = 0
    malformed: int = 0
    refused: int = 0
    forgotten: int = 0
