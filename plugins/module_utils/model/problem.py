# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One shape for everything that is wrong: field, value, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN_CHARACTERS = 120
"""A hostile value must not flood a log: at most this many of its characters are shown."""


def shown(value: object) -> str:
    """*value* in quotes, control characters escaped (so that no log line can be forged), cut."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return '"' + cut.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


@dataclass(frozen=True)
class Problem:
    """A wrong input as a value: it travels to status, events and module failures unchanged.

    *source* says where the field stands (a file, an annotation, "CreateContainer"), or is "".
    """

    field: str
    value: str
    why: str
    remedy: str
    source: str = ""

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else ""
        return f"{where}{self.field} {shown(self.value)}: {self.why}; {self.remedy}"

    def as_dict(self) -> dict[str, str]:
        """The same, JSON-clean; the value cut as in the text."""
        return {
            "field": self.field,
            "value": self.value[:SHOWN_CHARACTERS],
            "why": self.why,
            "remedy": self.remedy,
            "source": self.source,
        }


class HomenodeProblem(Exception):
    """The one exception of the house: raised deep, rendered at four doors only.

    The doors: a module's failure, a pod's event, the status, the command line.
    """

    def __init__(
        self, field: str, value: object, why: str, remedy: str, *, source: str = ""
    ) -> None:
        text = value if isinstance(value, str) else repr(value)
        self.problem = Problem(field, text, why, remedy, source)
        super().__init__(str(self.problem))
