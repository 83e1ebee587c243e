# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of a NodeResourceTopology object: JSON-clean, quantities as Kubernetes writes them.

Out of scope: which zones there are and what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from model.quantity import DECIMAL_SI, NANOS, Quantity

NANOS_PER_MILLI = NANOS // 1000


def topology_zone(
    name: str,
    kind: str,
    resources: list[dict[str, str]],
    *,
    parent: str = "",
    costs: Optional[Mapping[str, int]] = None,
    named: Optional[Mapping[str, str]] = None,
) -> dict[str, Any]:
    """One zone; *costs* is the distance to each zone by name, *named* its attributes."""
    made: dict[str, Any] = {"name": name, "type": kind, "resources": resources}
    if parent:
        made["parent"] = parent
    if costs:
        made["costs"] = [{"name": other, "value": value} for other, value in costs.items()]
    if named:
        made["attributes"] = attributes(named)
    return made


def cpu(capacity: int, allocatable: int, available: int) -> dict[str, str]:
    """CPUs of a zone, in thousandths."""
    return _resource("cpu", NANOS_PER_MILLI, capacity, allocatable, available)


def memory(capacity: int, available: int) -> dict[str, str]:
    """Memory of a zone, in bytes; all of it is allocatable."""
    return _resource("memory", NANOS, capacity, capacity, available)


def attributes(named: Mapping[str, str]) -> list[dict[str, str]]:
    """A list of attributes."""
    return [{"name": name, "value": value} for name, value in named.items()]


def _resource(
    name: str, unit: int, capacity: int, allocatable: int, available: int
) -> dict[str, str]:
    return {
        "name": name,
        "capacity": str(Quantity(capacity * unit, DECIMAL_SI)),
        "allocatable": str(Quantity(allocatable * unit, DECIMAL_SI)),
        "available": str(Quantity(available * unit, DECIMAL_SI)),
    }
