# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Hardware interrupts: what ``/proc/interrupts`` lists, and how people name them.

A name is an exact number, or a shell glob over the whole description ("PCI-MSI 32768-edge eth0")
or one of its device names; a bare word is no substring. Sources: Documentation/core-api/irq,
nri-plugins' documented ``controllableInterrupts``. Out of scope: who wants which interrupt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

MAX_LINES = 8192

_LINE = re.compile(r"\s*(?P<number>\d{1,6}):(?P<counts>(?:\s+\d+)*)\s+(?P<description>\S.*?)\s*\Z")


@dataclass(frozen=True)
class Interrupt:
    """One interrupt line: chip, hardware number and devices stand in *description*."""

    number: int
    description: str

    def matches(self, pattern: str) -> bool:
        """Whether *pattern* names this interrupt."""
        if pattern.isascii() and pattern.isdigit():
            return int(pattern[:9]) == self.number
        names = (self.description, *re.split(r"[\s,]+", self.description))
        return any(fnmatchcase(name, pattern) for name in names)

    def matches_any(self, patterns: Iterable[str]) -> bool:
        """Whether one of *patterns* names it."""
        return any(self.matches(pattern) for pattern in patterns)


def parse_interrupts(text: str) -> tuple[Interrupt, ...]:
    """The numbered lines of ``/proc/interrupts``; those of the CPUs themselves have no number."""
    return tuple(_interrupts(text))


def _interrupts(text: str) -> Iterator[Interrupt]:
    for line in text.splitlines()[1 : MAX_LINES + 1]:
        found = _LINE.match(line)
        if found is not None:
            yield Interrupt(int(found["number"]), " ".join(found["description"].split()))
