# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop's pure heart: ``step(world, event, now) -> (world, effects)``.

The daemon, the command line and the tests run this same function. It merges the event's facts,
lets the policy offer, commits, and says what has to change: the reply to the runtime and the
records for the journal. Out of scope: applying anything (``enforce``, ``runtime``).
"""

from __future__ import annotations

from .begin import begin
from .reconfiguration import Reconfigured, reconfigure
from .step import Effects, step

__all__ = ["Effects", "Reconfigured", "begin", "reconfigure", "step"]
