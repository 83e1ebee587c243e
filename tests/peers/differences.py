# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where ours decides otherwise than a peer on purpose: from which step of a recording, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REFUSED = -1
"""The step of a configuration."""


@dataclass(frozen=True)
class Difference:
    """From *step* on, counted from 0, the recording is not ours; *why* names the rule."""

    step: int
    why: str


ON_PURPOSE: Mapping[str, Difference] = {}
"""By ``POLICY/NAME``; each is looked for, so none outlives its reason."""
