# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a later adoption wants to know and cgroups do not tell, JSON-clean, and read again.

That is: empty balloons, the order in which balloons were made, whose CPUs are whose where idle
ones are shared, components, and what was wished of memory. Out of scope: whether it is still true.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import Any, Optional

from homenode.intent.policy_config import BalloonsConfig
from homenode.intent.tenant import MEMORY_TYPES
from homenode.pinning.memory.books import MemoryBooks
from model.cpuset import MAX_ID, CpuSet, NodeSet
from model.fields import Fields
from model.problem import HomenodeProblem

from .instances import Balloon, Holdings

MOST = 4096
"""More balloons or containers than a machine can hold are not remembered, but made up."""

SOURCE = "what was remembered"


@dataclass(frozen=True)
class Remembered:
    """A balloon by type and number, with its CPUs and the containers that were inside.

    *members* are the container ids with the type that each should be in.
    """

    type_name: str
    number: int
    cpus: CpuSet
    members: Mapping[str, str]
    given_to: str
    components: tuple[Remembered, ...]

    @property
    def name(self) -> str:
        """``type[number]``."""
        return f"{self.type_name}[{self.number}]"


@dataclass(frozen=True)
class Booked:
    """The memory zone of a container, and what it was affine to, in which types.

    *told* are the memory nodes that it was told to use, which may be others for want of memory.
    """

    memory_zone: NodeSet
    affinity: NodeSet
    types: Optional[frozenset[str]]
    told: NodeSet


@dataclass(frozen=True)
class Memory:
    """All balloons in their order, and all bookings by container id.

    *fingerprint* is that of the configuration and the CPUs under which they were made.
    """

    fingerprint: str
    balloons: tuple[Remembered, ...]
    booked: Mapping[str, Booked]

    def home_of(self, container_id: str) -> Optional[Remembered]:
        """The balloon that a container was in."""
        return self._homes.get(container_id)

    @cached_property
    def _homes(self) -> Mapping[str, Remembered]:
        return {key: one for one in self.balloons for key in one.members}


def fingerprint(config: BalloonsConfig, allowed: CpuSet) -> str:
    """The same for the same configuration and CPUs, in any run."""
    text = json.dumps([str(allowed), _plain(config)])
    return f"{zlib.crc32(text.encode()):08x}"


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return [_plain(getattr(value, one.name)) for one in dataclass_fields(value)]
    if isinstance(value, (tuple, frozenset)):
        items = [_plain(item) for item in value]
        return sorted(items) if isinstance(value, frozenset) else items
    return str(value)


def as_dict(
    made_by: str,
    holdings: Holdings,
    memory: MemoryBooks,
    told: Mapping[str, Optional[NodeSet]],
) -> dict[str, Any]:
    """The form that ``read`` takes; *told* are the memory nodes of everybody."""
    booked: dict[str, Any] = {}
    for key, request in memory.requests.items():
        zone = memory.memory_zones[key]
        booked[key] = {"mems": str(zone), "affinity": str(request.affinity)}
        booked[key]["types"] = sorted(request.wanted)
        other = told.get(key)
        if other is not None and other != zone:
            booked[key]["told"] = str(other)
    balloons = [_balloon(one) for one in holdings.balloons]
    return {"fingerprint": made_by, "balloons": balloons, "memory": booked}


def _balloon(one: Balloon) -> dict[str, Any]:
    told: dict[str, Any] = {"type": one.type_name, "number": one.number, "cpus": str(one.cpus)}
    if one.members:
        told["members"] = list(one.members)
    guests = {key: each.wanted for key, each in one.members.items() if each.wanted != one.type_name}
    if guests:
        told["guests"] = guests
    if one.given_to:
        told["given_to"] = one.given_to
    if one.components:
        told["components"] = [_balloon(component) for component in one.components]
    return told


def read(memory: Mapping[str, Any]) -> Memory:
    """Raises HomenodeProblem for what ``as_dict`` never writes."""
    fields = Fields(memory, source=SOURCE)
    balloons = tuple(_remembered(one, 0) for one in fields.sections("balloons", most=MOST))
    booked = {}
    section = fields.section("memory")
    for key in section.names() if section else ():
        entry = section.section(key) if section else None
        if entry is not None:
            booked[key] = _booked(entry)
    return Memory(fields.text("fingerprint", ""), balloons, booked)


NOTHING = Memory("", (), {})
MAX_DEPTH = 16


def _remembered(fields: Fields, depth: int) -> Remembered:
    if depth > MAX_DEPTH:
        raise HomenodeProblem("components", depth, "are too deep", "forget it", source=SOURCE)
    type_name = fields.text("type", "")
    guests = fields.section("guests")
    wanted = {key: guests.text(key, "") for key in guests.names()} if guests else {}
    return Remembered(
        type_name,
        fields.integer("number", 0, minimum=0, maximum=MAX_ID),
        CpuSet.parse(fields.text("cpus", "")),
        {key: wanted.get(key, type_name) for key in fields.texts("members", most=MOST)},
        fields.text("given_to", ""),
        tuple(_remembered(one, depth + 1) for one in fields.sections("components", most=MOST)),
    )


def _booked(fields: Fields) -> Booked:
    types = frozenset(fields.texts("types", most=len(MEMORY_TYPES)))
    if not types <= set(MEMORY_TYPES):
        raise fields.wrong("types", "are not all known", "use " + ", ".join(MEMORY_TYPES))
    zone, affinity, told = (
        NodeSet.parse(fields.text(key, ""), field=key) for key in ("mems", "affinity", "told")
    )
    return Booked(zone, affinity, types or None, told or zone)
