# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small, bounded reader of YAML, for annotation values and policy objects; JSON is a part of it.

Block and flow collections, plain, quoted and block scalars, comments, ``---``. Refused on purpose:
anchors, aliases and tags (they multiply), tabs as indentation, ``?`` keys, merge keys, duplicate
keys, nesting beyond MAX_DEPTH. Keys are the texts that stand there, whatever they look like.
Out of scope: writing YAML, and any text that must not be bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Optional

from model.problem import HomenodeProblem, shown

from .yaml_scalars import plain
from .yaml_scanner import END_OF_LINE, ENTRY, QUOTES, Scanner

MAX_DEPTH = 16

_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\n]|\Z)", re.MULTILINE)
_COLON_IN_FLOW = re.compile(r"[ \t]*:")


def read_yaml(text: str, *, field: str, limit: int, source: str = "") -> Any:
    """The one document in *text*: dict, list, str, int, float, bool or None.

    Raises HomenodeProblem naming *field* and the line for what is outside the subset, and for
    texts of more than *limit* characters.
    """
    documents = read_documents(text, field=field, limit=limit, source=source)
    if len(documents) > 1:
        raise HomenodeProblem(
            field, text, "has more than one document", "keep one of them", source=source
        )
    return documents[0] if documents else None


def read_documents(text: str, *, field: str, limit: int, source: str = "") -> tuple[Any, ...]:
    """Every document in *text*, in order; those without anything in them are left out."""
    if len(text) > limit:
        why = f"is longer than {limit} characters"
        raise HomenodeProblem(field, text[:limit], why, "shorten it", source=source)
    text = text[1:] if text.startswith("\ufeff") else text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = []
    for document, first_line in _documents(text):
        here = Scanner(document, first_line, field=field, source=source)
        here.check_characters()
        here.skip()
        if here.peek():
            found.append(_Reader(here).document())
    return tuple(found)


def _documents(text: str) -> Iterator[tuple[str, int]]:
    """Each document and the number of its first line, which begins after its marker."""
    start, line = 0, 1
    for marker in _MARKER.finditer(text):
        yield text[start : marker.start()], line
        line += text.count("\n", start, marker.start())
        start = marker.end()
    yield text[start:], line


class _Reader:
    """The collections of one document; *here* is the place in it."""

    def __init__(self, here: Scanner) -> None:
        self._here = here

    def document(self) -> Any:
        """The value of the whole document."""
        here = self._here
        value = self._block(-1, 0)
        here.skip()
        if here.peek():
            raise here.wrong("does not continue what stands before it", "check the indentation")
        return value

    def _block(self, parent: int, depth: int, *, in_mapping: bool = False) -> Any:
        """The value that stands to the right of column *parent*, or None.

        In a mapping, a sequence may also stand in that very column.
        """
        here = self._here
        here.skip()
        column, is_entry = here.column(), here.stands_here(ENTRY)
        if column < parent or (column == parent and not (in_mapping and is_entry)):
            return None
        if is_entry:
            return self._sequence(column, depth)
        key = here.key()
        return self._value(parent, depth) if key is None else self._mapping(key, column, depth)

    def _sequence(self, column: int, depth: int) -> list[Any]:
        here = self._here
        self._check_depth(depth)
        items = []
        while here.column() == column and here.take(ENTRY):
            items.append(self._block(column, depth + 1))
            here.skip()
        if here.column() > column:
            raise here.wrong("is indented by too much", "line it up with the other entries")
        return items

    def _mapping(self, key: Optional[str], column: int, depth: int) -> dict[str, Any]:
        here = self._here
        self._check_depth(depth)
        values: dict[str, Any] = {}
        while key is not None:
            self._check_key(key, values)
            if here.take(END_OF_LINE):
                values[key] = self._block(column, depth + 1, in_mapping=True)
            else:
                here.skip_spaces()
                values[key] = self._value(column, depth + 1)
            here.skip()
            key = here.key() if here.column() == column else None
        if here.column() >= column:
            raise here.wrong("is no 'key: value' in its place", "check colon and indentation")
        return values

    def _value(self, parent: int, depth: int) -> Any:
        """A value that begins on the line of what holds it, or that holds nothing itself."""
        here = self._here
        if here.peek() in ("|", ">"):
            return here.block_scalar(parent)
        value: Any
        if here.peek() in ("[", "{"):
            value = self._flow(depth)
        else:
            value = here.quoted() if here.peek() in QUOTES else plain(here.plain(parent))
        if not here.take(END_OF_LINE):
            raise here.wrong("goes on where its value ends", "put the value in quotes")
        return value

    def _flow(self, depth: int) -> Any:
        here = self._here
        self._check_depth(depth)
        closing = "]" if here.peek() == "[" else "}"
        items: list[Any] = []
        values: dict[str, Any] = {}
        here.at += 1
        here.skip_in_flow()
        while here.peek() != closing:
            if closing == "]":
                items.append(self._flow_value(depth))
            else:
                self._flow_pair(values, depth)
            here.skip_in_flow()
            if here.peek() == ",":
                here.at += 1
                here.skip_in_flow()
            elif here.peek() != closing:
                raise here.wrong(f"lacks a comma or the closing {closing}", "check the brackets")
        here.at += 1
        return items if closing == "]" else values

    def _flow_pair(self, values: dict[str, Any], depth: int) -> None:
        here = self._here
        start = here.at
        key = self._flow_scalar()[0]
        self._check_key(key, values)
        values[key] = None
        is_long = "\n" in here.text[start : here.at]
        if here.take(_COLON_IN_FLOW):
            if is_long:
                raise here.wrong("has a key of several lines", "write it on one line")
            here.skip_in_flow()
            if here.peek() not in (",", "}"):
                values[key] = self._flow_value(depth)

    def _flow_value(self, depth: int) -> Any:
        if self._here.peek() in ("[", "{"):
            return self._flow(depth + 1)
        text, is_quoted = self._flow_scalar()
        return text if is_quoted else plain(text)

    def _flow_scalar(self) -> tuple[str, bool]:
        here = self._here
        is_quoted = here.peek() in QUOTES
        return here.quoted() if is_quoted else here.plain_in_flow(), is_quoted

    def _check_key(self, key: str, values: dict[str, Any]) -> None:
        if key in values:
            raise self._here.wrong(f"has {shown(key)} for the second time", "keep one of them")
        if key == "<<":
            raise self._here.wrong("merges mappings", "write the keys out")

    def _check_depth(self, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise self._here.wrong(f"is nested more than {MAX_DEPTH} deep", "nest less")
