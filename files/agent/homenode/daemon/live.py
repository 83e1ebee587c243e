# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Live readings for the status and the metrics: what one cgroup says now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from homenode.linux.cgroup import CgroupTree
from homenode.report.status import Live


def live_reader(tree: CgroupTree) -> Live:
    """A reader of effective cpuset and memory by node, for ``report.status.with_live``."""

    def read(path: str) -> Optional[Mapping[str, Any]]:
        placement = tree.effective(path)
        if placement is None:
            return None
        return {
            "cpus": "" if placement.cpus is None else str(placement.cpus),
            "mems": "" if placement.mems is None else str(placement.mems),
            "numa_bytes": dict(tree.numa_bytes(path)),
        }

    return read
