# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place in a YAML text up to which it is read, and the pieces that can stand there.

Knows columns, blanks, comments, keys and scalars. Out of scope: how pieces make collections
(``yaml_subset``), what a scalar means (``yaml_scalars``).
"""

from __future__ import annotations

import re
from typing import Optional

from model.problem import HomenodeProblem

from .yaml_scalars import block_text, double_quoted, folded, single_quoted

END_OF_LINE = re.compile(r"[ ]*(?:(?<=[ ])#[^\n]*)?(?:\n|\Z)")
ENTRY = re.compile(r"-(?=[ \n]|\Z)")
QUOTES = ('"', "'")

_UNPRINTABLE = re.compile(
    "[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_BLANK = re.compile(r"(?:[ ]*(?:#[^\n]*)?\n)*[ ]*(?:#[^\n]*\Z)?")
_BLANK_IN_FLOW = re.compile(r"(?:[ \t\n]+(?:#[^\n]*)?)*")
_SPACES = re.compile(r"[ ]*")
_COLON = re.compile(r"[ ]*:(?=[ \n]|\Z)")

_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\[\s\S])*)"'),
    "'": re.compile(r"'((?:[^']|'')*)'"),
}
_NOT_FIRST = re.compile(r"[\s,\[\]{}#&*!|>'\"%@`]|[-?:](?=[ \n]|\Z)")
_NOT_FIRST_IN_FLOW = re.compile(r"[\s,\[\]{}#&*!|>'\"%@`?:]|-(?=[ \n,\[\]{}]|\Z)")
_PLAIN = re.compile(r"(?:[^\n\t :]|:(?=[^ \n])|[ ]+(?=[^ \n\t#]))*")
_PLAIN_IN_FLOW = re.compile(r"(?:[^\n\t :,\[\]{}?]|:(?=[^ \n,\[\]{}])|[ ]+(?=[^ \n\t#,\[\]{}?]))*")
_CONTINUED = re.compile(r"[ ]*\n(?:[ ]*\n)*([ ]*)(?=[^ \n\t#])")
_BLOCK_HEADER = re.compile(r"([|>])([-+]?)([1-9]?)([-+]?)(?:[ ]+(?:#[^\n]*)?)?(?:\n|\Z)")


class Scanner:
    """One document; ``at`` is the place. *first_line* is the number of its first line."""

    def __init__(self, text: str, first_line: int, *, field: str, source: str) -> None:
        self.text = text
        self.at = 0
        self._first_line = first_line
        self._field = field
        self._source = source

    def wrong(self, why: str, remedy: str) -> HomenodeProblem:
        """The exception for this place."""
        number = self._first_line + self.text.count("\n", 0, self.at)
        line = self._line(self.text.rfind("\n", 0, self.at) + 1)
        why = f"line {number} {why}"
        return HomenodeProblem(self._field, line, why, remedy, source=self._source)

    def check_characters(self) -> None:
        """Raise for a character that no honest text has."""
        bad = _UNPRINTABLE.search(self.text, self.at)
        if bad is not None:
            self.at = bad.start()
            raise self.wrong("has a character that is not printable", "take it out")

    def peek(self) -> str:
        """The character here; "" at the end."""
        return self.text[self.at : self.at + 1]

    def stands_here(self, pattern: re.Pattern[str]) -> bool:
        """Whether *pattern* matches here; the place stays."""
        return pattern.match(self.text, self.at) is not None

    def take(self, pattern: re.Pattern[str]) -> bool:
        """Go past *pattern* if it stands here."""
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def column(self) -> int:
        """Counted from 0; -1 at the end of the document, which ends everything."""
        if self.at == len(self.text):
            return -1
        return self.at - (self.text.rfind("\n", 0, self.at) + 1)

    def skip(self) -> None:
        """To the next thing that counts, over line ends and comments."""
        self.take(_BLANK)
        if self.peek() == "\t":
            raise self.wrong("has a tab where YAML wants spaces", "use spaces")

    def skip_spaces(self) -> None:
        """To the next thing on this line."""
        self.take(_SPACES)

    def skip_in_flow(self) -> None:
        """Between brackets, where tabs do no harm."""
        self.take(_BLANK_IN_FLOW)

    def key(self) -> Optional[str]:
        """The key that stands here, its colon taken too; None where none does."""
        if self.peek() in QUOTES:
            end, text = self._look_at_quoted()
        elif self.stands_here(_NOT_FIRST):
            return None
        else:
            text = self._piece(_PLAIN, self.at).rstrip(" ")
            end = self.at + len(text)
        colon = _COLON.match(self.text, end)
        if colon is None or "\n" in self.text[self.at : end]:
            return None
        self.at = colon.end()
        return text

    def quoted(self) -> str:
        """The quoted scalar that stands here."""
        self.at, text = self._look_at_quoted()
        return text

    def plain(self, parent: int) -> str:
        """A scalar without quotes, whose further lines are to the right of column *parent*."""
        return self._plain(_PLAIN, _NOT_FIRST, parent)

    def plain_in_flow(self) -> str:
        """A scalar without quotes between brackets."""
        return self._plain(_PLAIN_IN_FLOW, _NOT_FIRST_IN_FLOW, -1)

    def block_scalar(self, parent: int) -> str:
        """The literal or folded lines that are to the right of column *parent*."""
        header = _BLOCK_HEADER.match(self.text, self.at)
        if header is None or (header[2] and header[4]):
            raise self.wrong("has a wrong block header", "write |, >, |- or >- and nothing else")
        self.at = header.end()
        least = max(parent + 1, 1)
        indent = least + int(header[3]) - 1 if header[3] else self._indent_of_block(least)
        rows = self._rows(indent)
        broken = self.text.endswith("\n") or self.at < len(self.text)
        return block_text(rows, broken, folds=header[1] == ">", chomping=header[2] or header[4])

    def _look_at_quoted(self) -> tuple[int, str]:
        """Where the quoted scalar ends, and its text; the place stays."""
        quote = self.peek()
        found = _QUOTED[quote].match(self.text, self.at)
        if found is None:
            raise self.wrong("has a quote that is not closed", "close it")
        try:
            text = double_quoted(found[1]) if quote == '"' else single_quoted(found[1])
        except ValueError as error:
            raise self.wrong(f"has a wrong escape: {error}", "use single quotes") from None
        return found.end(), text

    def _plain(self, shape: re.Pattern[str], not_first: re.Pattern[str], parent: int) -> str:
        start, end = self.at, self.at + len(self._piece(shape, self.at))
        if start == end or self.stands_here(not_first):
            raise self.wrong("has a sign that has a meaning in YAML", "put the text in quotes")
        while True:
            line = _CONTINUED.match(self.text, end)
            piece = self._piece(shape, line.end()) if line and len(line[1]) > parent else ""
            if line is None or not piece:
                break
            end = line.end() + len(piece)
        raw = self.text[start:end].rstrip(" ")
        self.at = start + len(raw)
        return folded(raw)

    def _piece(self, shape: re.Pattern[str], at: int) -> str:
        found = shape.match(self.text, at)
        return found[0] if found else ""

    def _indent_of_block(self, least: int) -> int:
        """That of the first line that is not blank, or of a longer blank one before it."""
        at = self.at
        while at < len(self.text):
            line = self._line(at)
            least = max(least, len(line) - len(line.lstrip(" ")))
            if line.strip(" "):
                break
            at += len(line) + 1
        return least

    def _rows(self, indent: int) -> list[str]:
        """The lines of a block scalar without their indentation."""
        rows = []
        while self.at < len(self.text):
            line = self._line(self.at)
            if line.strip(" ") and line[:indent].strip(" "):
                break
            rows.append(line[indent:])
            self.at = min(self.at + len(line) + 1, len(self.text))
        return rows

    def _line(self, at: int) -> str:
        end = self.text.find("\n", at)
        return self.text[at:] if end < 0 else self.text[at:end]
