# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a container's topology hints count, by the paths they come from.

Out of scope: reading the annotations that say so (``hints``).
"""

from __future__ import annotations

from .globs import glob_matches
from .hints import GLOB
from .tenant import HintIntent, PathRule


def counts(intent: HintIntent, path: str) -> bool:
    """What is denied counts if it is allowed too."""
    denied = any(_matches(rule, path) for rule in intent.deny)
    return not denied or any(_matches(rule, path) for rule in intent.allow)


def _matches(rule: PathRule, path: str) -> bool:
    if rule.kind == GLOB:
        return any(glob_matches(pattern, path) for pattern in rule.paths)
    return path.startswith(rule.paths)
