# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distances between the NUMA nodes of a description: as given, or as upstream's test machines.

Defaults are those of nri-plugins' end-to-end tests (pinning.md §10): 10 to itself, 11 within a
die, 21 to everything else. So a node without CPUs is equally near to all others unless told.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.fields import Fields
from model.problem import HomenodeProblem

from .part import NodePart

LOCAL, SAME_DIE, ELSEWHERE = 10, 11, 21
MAX_DISTANCE = 255
"""A SLIT has one byte for each: ACPI 6.5, 5.2.17."""


def read_distances(fields: Fields, parts: Sequence[NodePart]) -> tuple[tuple[int, ...], ...]:
    """One row for each of *parts*, which are in ascending order of id.

    Raises HomenodeProblem for a matrix of another size, an asymmetric one, and one in which
    another node is as near as the node itself.
    """
    rows = fields.rows("distances", most=len(parts))
    if not rows:
        return tuple(tuple(_default(one, other) for other in parts) for one in parts)
    if [len(row) for row in rows] != [len(parts)] * len(parts):
        why = f"is not {len(parts)} rows of {len(parts)} distances"
        raise fields.wrong("distances", why, "give one for each node, in ascending order of id")
    for at, row in enumerate(rows):
        _check(fields, parts, rows, at, row)
    return rows


def _check(
    fields: Fields,
    parts: Sequence[NodePart],
    rows: Sequence[Sequence[int]],
    at: int,
    row: Sequence[int],
) -> None:
    for column, distance in enumerate(row):
        pair = f"(#{parts[at].id}, #{parts[column].id})"
        if not LOCAL <= distance <= MAX_DISTANCE:
            why = f"{pair} is {distance}"
            raise _wrong(fields, why, f"use distances from {LOCAL} to {MAX_DISTANCE}")
        if distance != rows[column][at]:
            why = f"asymmetric NUMA distance {pair}: {distance} != {rows[column][at]}"
            raise _wrong(fields, why, "make both the same")
        if column != at and distance <= row[at]:
            why = f"{pair} is not farther than node {parts[at].id} from itself"
            raise _wrong(fields, why, f"use {LOCAL} on the diagonal and more elsewhere")


def _wrong(fields: Fields, why: str, remedy: str) -> HomenodeProblem:
    return fields.wrong("distances", why, remedy)


def _default(one: NodePart, other: NodePart) -> int:
    if one.id == other.id:
        return LOCAL
    here = one.cpus and other.cpus and (one.package, one.die) == (other.package, other.die)
    return SAME_DIE if here else ELSEWHERE
