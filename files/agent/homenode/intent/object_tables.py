# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects read by a table: for each key its attribute, and how its value is read.

Keys are taken as Go's JSON takes them, in any case, so CRI-RM's ``PinCPU`` is ``pinCPU``; where
both are there the exact one counts. Null is "not given". Unknown keys are refused.
Out of scope: any particular object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from model.fields import Fields

from .expressions import read_expression
from .globs import is_glob
from .nearest import nearest
from .tenant import Expression

Read = Callable[[Fields, str], Any]
"""Reads the value of a key that is there. Raises HomenodeProblem."""

Table = Mapping[str, tuple[str, Read]]
"""By key: the attribute that it sets, and how it is read. "" sets none."""

MAX_ENTRIES = 512
MAX_NUMBER = 1 << 31


def read_object(given: Fields, table: Table) -> dict[str, Any]:
    """The attributes that are set. Raises HomenodeProblem for the first key that is wrong."""
    fields = given.spelt_as(tuple(table))
    found = {}
    for key in fields.names():
        if key not in table:
            meant = nearest(key, tuple(table))
            remedy = f"did you mean {meant}?" if meant else "known here: " + ", ".join(table)
            raise fields.wrong(key, "is not a known key", remedy)
        attribute, read = table[key]
        found[attribute] = read(fields, key)
    found.pop("", None)
    return found


def boolean(fields: Fields, key: str) -> bool:
    """True or false."""
    return fields.boolean(key, False)


def text(fields: Fields, key: str) -> str:
    """A text; a number counts as its digits, as in ``cpu: 2``."""
    return fields.scalar(key, "")


def texts(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of texts."""
    return fields.scalars(key, most=MAX_ENTRIES)


def globs(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of patterns, each well-formed."""
    patterns = texts(fields, key)
    for pattern in patterns:
        if not is_glob(pattern):
            raise fields.wrong(key, f"{pattern!r} is no pattern", "check its brackets")
    return patterns


def pairs(fields: Fields, key: str) -> tuple[tuple[str, str], ...]:
    """A mapping of texts to texts."""
    section = fields.section(key)
    if section is None:
        return ()
    return tuple((name, section.scalar(name, "")) for name in section.names())


def expressions(fields: Fields, key: str) -> tuple[Expression, ...]:
    """A list of conditions."""
    return tuple(map(read_expression, fields.sections(key, most=MAX_ENTRIES)))


def whole(minimum: int, maximum: int = MAX_NUMBER) -> Read:
    """A reader of whole numbers within bounds."""
    return lambda fields, key: fields.integer(key, 0, minimum=minimum, maximum=maximum)


def one_of(*choices: str) -> Read:
    """A reader of a word out of a few, in any case."""

    def read(fields: Fields, key: str) -> str:
        word = fields.text(key, "").lower()
        if word not in choices:
            named = ", ".join(choice for choice in choices if choice)
            raise fields.wrong(key, "is not a known choice", f"use one of: {named}")
        return word

    return read
