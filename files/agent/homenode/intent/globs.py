# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shell globs as nri-plugins matches them, in time linear in pattern times text.

The rules are those of Go's ``path/filepath.Match``: ``*`` and ``?`` stop at a slash, ``[^a-c]`` is
a class, a backslash takes the next character as it is. Python's ``fnmatch`` differs in all three.
Out of scope: files; only texts are compared.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, Optional

MAX_PATTERN = 512
"""A longer pattern is malformed: no name that we compare is that long."""

_CLASS_ITEM = r"(?:\\.|[^\\\]\-])"
_CLASS = re.compile(rf"\[(\^|(?!\^))((?:{_CLASS_ITEM}(?:-{_CLASS_ITEM})?)+)\]", re.DOTALL)
_RANGE = re.compile(rf"({_CLASS_ITEM})(?:-({_CLASS_ITEM}))?", re.DOTALL)
_NOTHING = "(?!)"
_ANYTHING = r"[\s\S]"


class _Piece(NamedTuple):
    """What stands between two stars: *length* characters; *after_star* if a star is before it."""

    after_star: bool
    shape: re.Pattern[str]
    length: int


def glob_matches(pattern: str, text: str) -> bool:
    """Whether *text* as a whole matches; a malformed pattern matches nothing."""
    pieces = _pieces(pattern)
    if pieces is None:
        return False
    at = 0
    for piece in pieces[:-1]:
        # The earliest place is good enough: only a slash stops a star, and a later place
        # can but have more of them before it.
        found = piece.shape.search(text, at) if piece.after_star else piece.shape.match(text, at)
        if found is None or "/" in text[at : found.start()]:
            return False
        at = found.end()
    last = pieces[-1]
    start = len(text) - last.length
    if start < at or (start > at and not last.after_star) or "/" in text[at:start]:
        return False
    return last.shape.match(text, start) is not None


def is_glob(pattern: str) -> bool:
    """Whether *pattern* is well-formed."""
    return _pieces(pattern) is not None


@lru_cache(maxsize=1024)
def _pieces(pattern: str) -> Optional[tuple[_Piece, ...]]:
    if len(pattern) > MAX_PATTERN:
        return None
    pieces: list[_Piece] = []
    shapes: list[str] = []
    after_star, at = False, 0
    while at < len(pattern):
        if pattern[at] == "*":
            if shapes or not after_star:
                pieces.append(_piece(after_star, shapes))
            after_star, shapes, at = True, [], at + 1
            continue
        shape, at = _one(pattern, at)
        if shape is None:
            return None
        shapes.append(shape)
    return (*pieces, _piece(after_star, shapes))


def _piece(after_star: bool, shapes: list[str]) -> _Piece:
    return _Piece(after_star, re.compile("".join(shapes)), len(shapes))


def _one(pattern: str, at: int) -> tuple[Optional[str], int]:
    """The expression for the one character that stands at *at*, and where the next begins."""
    char = pattern[at]
    if char == "?":
        return "[^/]", at + 1
    if char == "\\":
        return (re.escape(pattern[at + 1]), at + 2) if at + 1 < len(pattern) else (None, at)
    if char != "[":
        return re.escape(char), at + 1
    found = _CLASS.match(pattern, at)
    if found is None:
        return None, at
    ranges = ""
    for low, high in _RANGE.findall(found[2]):
        first, last = low[-1], (high or low)[-1]
        if first <= last:
            ranges += f"{re.escape(first)}-{re.escape(last)}"
    if not ranges:
        return (_ANYTHING if found[1] else _NOTHING), found.end()
    return f"[{found[1]}{ranges}]", found.end()
