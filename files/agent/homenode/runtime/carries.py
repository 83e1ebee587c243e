# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runtime's NRI carries, by the name and version that it tells: newer fields are passed over
in silence by older ones, so somebody has to say so.

Source: the NRI versions in the runtimes' go.mod (scheduler and I/O priority came with NRI 0.11).
"""

from __future__ import annotations

import re
from typing import Optional

SCHEDULERS_SINCE = {"containerd": (2, 2, 1), "cri-o": (1, 35, 0)}

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")


def carries_schedulers(runtime: str, version: str) -> Optional[bool]:
    """Whether a creation can set scheduler and I/O priority; None for a runtime not known."""
    since = SCHEDULERS_SINCE.get(runtime.lower())
    found = _VERSION.match(version)
    if since is None or found is None:
        return None
    return tuple(int(part or 0) for part in found.groups()) >= since
