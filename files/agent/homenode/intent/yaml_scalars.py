# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one scalar of a YAML text means: plain, quoted and block scalars, each from its raw text.

Plain scalars are typed as go.yaml.in/yaml/v2 types them (YAML 1.1), because the manifests were
written for it: ``yes``, ``y`` and ``on`` are true, ``017`` is 15, ``1e3`` is a text, and so is a
date. Out of scope: where a scalar begins and ends (``yaml_subset``).
"""

from __future__ import annotations

import math
import re
from typing import Union

Scalar = Union[None, bool, int, float, str]


def _words() -> dict[str, Scalar]:
    words: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
    for value, texts in ((True, "y yes true on"), (False, "n no false off")):
        for text in texts.split():
            words.update(dict.fromkeys((text, text.capitalize(), text.upper()), value))
    for text in (".inf", ".Inf", ".INF"):
        words.update({text: math.inf, "+" + text: math.inf, "-" + text: -math.inf})
    return {**words, ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan}


_WORDS = _words()
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z"
)
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+][0-9]+)?\Z")
_DOT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z")
MAX_NUMBER = 64
"""Longer runs of digits are texts; no number of anybody's manifest is that long."""

_BREAKS = re.compile(r"\n+")
_ESCAPED_BREAK = re.compile(r"(\\[^\n])|\\\n(\n*)")
_ESCAPE = re.compile(
    r"\\(?:(u[dD][89abAB][0-9a-fA-F]{2})\\(u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S])"
)
_ESCAPED = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def plain(text: str) -> Scalar:
    """The value of a scalar that stands without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-." or len(text) > MAX_NUMBER:
        return text
    digits = text.replace("_", "")
    found = _INTEGER.match(digits) if text[0] != "." else None
    if found:
        base, number = next((b, n) for b, n in zip(_BASES, found.groups()[1:]) if n is not None)
        value = int(found[1] + number, base)
        if -(1 << 63) <= value < 1 << 64:
            return value
    if _DOT_FLOAT.match(text) if text[0] == "." else _FLOAT.match(digits):
        number = float(digits)
        return number if math.isfinite(number) else text
    return text


def folded(body: str) -> str:
    """Lines as one text: a line break is a space, n of them are n-1 line breaks."""
    return _fold(_trimmed(body, escapes=False)) if "\n" in body else body


def single_quoted(body: str) -> str:
    """The text between single quotes, in which two of them are one."""
    return folded(body).replace("''", "'")


def double_quoted(body: str) -> str:
    """The text between double quotes. Raises ValueError with what is wrong with an escape."""
    if "\n" in body:
        body = _fold(_ESCAPED_BREAK.sub(_kept_breaks, _trimmed(body, escapes=True)))
    return _ESCAPE.sub(_unescaped, body) if "\\" in body else body


def _trimmed(body: str, *, escapes: bool) -> str:
    """*body* without the white space around its line breaks; an escaped space is none."""
    first, *others = body.split("\n")
    lines = [first, *(line.lstrip(" \t") for line in others)]
    for number, line in enumerate(lines[:-1]):
        cut = line.rstrip(" \t")
        escaped = escapes and (len(cut) - len(cut.rstrip("\\"))) % 2 == 1
        lines[number] = line[: len(cut) + 1] if escaped else cut
    return "\n".join(lines)


def _fold(trimmed: str) -> str:
    return _BREAKS.sub(lambda found: "\n" * (len(found[0]) - 1) or " ", trimmed)


def _kept_breaks(match: re.Match[str]) -> str:
    """Nothing for an escaped break; breaks right after it stay what they are."""
    return match[1] or "\\n" * len(match[2])


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:  # two halves of one character, as JSON writes it
        high, low = int(match[1][1:], 16), int(match[2][1:], 16)
        return chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
    code = match[0][1:]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise ValueError(f"\\{code} is no character")
        return chr(number)
    if code not in _ESCAPED:
        raise ValueError(f"\\{code} is no escape")
    return _ESCAPED[code]


def block_text(rows: list[str], broken: bool, *, folds: bool, chomping: str) -> str:
    """A block scalar out of its lines; *broken* tells whether the last of them has a line end.

    *chomping* is "-" (no line end after the text), "+" (all of them) or "".
    """
    count = len(rows)
    while count and not rows[count - 1]:
        count -= 1
    text = _fold_rows(rows[:count]) if folds else "\n".join(rows[:count])
    ends = len(rows) - count + (count > 0) - (not broken)
    if chomping == "+":
        return text + "\n" * ends
    return text + "\n" if text and ends and not chomping else text


def _fold_rows(rows: list[str]) -> str:
    """As ``folded``, but the breaks around an indented row, and those at the front, stay."""
    parts: list[str] = []
    breaks, kept = 0, True
    for row in rows:
        if row:
            kept = kept or row[0] in " \t"
            parts.append("\n" * breaks if kept else "\n" * (breaks - 1) or " ")
            parts.append(row)
            breaks, kept = 1, row[0] in " \t"
        else:
            breaks += 1
    return "".join(parts)
