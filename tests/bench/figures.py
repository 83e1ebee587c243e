# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measured figure as one line of JSON, and the few statistics that the benches share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Figure:
    """*value* in *unit*; *limit* is the most it may be (None: only told), *of* says of what."""

    bench: str
    name: str
    value: float
    unit: str
    limit: Optional[float] = None
    of: Mapping[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it is within its limit."""
        return self.limit is None or self.value <= self.limit

    def line(self) -> str:
        """The figure as JSON."""
        shown: dict[str, object] = {"bench": self.bench, "figure": self.name, **self.of}
        shown.update(value=round(self.value, 4), unit=self.unit)
        if self.limit is not None:
            shown.update(limit=self.limit, ok=self.ok)
        return json.dumps(shown)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that *share* of all values do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return quantile(values, 0.5)
