# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was decided, as a value for the journal: who, what before, what after, why."""

from __future__ import annotations

from dataclasses import dataclass

from model.workload import NOT_OURS, Placement


@dataclass(frozen=True)
class Record:
    """One line of the journal; *at* is seconds since the epoch.

    *kind* is "placed", "adopted", "released", "resized" (the shared set changed for *containers*
    containers), "followed" (an update by the kubelet was overridden) or "problem".
    """

    at: float
    kind: str
    name: str
    reason: str
    before: Placement = NOT_OURS
    after: Placement = NOT_OURS
    container_id: str = ""
    containers: int = 1

    def as_dict(self) -> dict[str, object]:
        """JSON-clean; a part that is not ours is left out."""
        return {
            "at": round(self.at, 3),
            "kind": self.kind,
            "container": self.name,
            "container_id": self.container_id,
            "containers": self.containers,
            "before": placement_dict(self.before),
            "after": placement_dict(self.after),
            "reason": self.reason,
        }


def placement_dict(placement: Placement) -> dict[str, str]:
    """A placement as {"cpus": LIST, "mems": LIST}, without the parts that are not ours."""
    parts = (("cpus", placement.cpus), ("mems", placement.mems))
    return {key: str(value) for key, value in parts if value is not None}
