# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a kubelet's log tells: its last error, and the reserved memory that it asks for.

A log is text as people have it: a kubelet's own (klog, also over several lines, or JSON), the
journal's (short forms, or one JSON object a line), k3s' with the kubelet inside, or one line of it
cut out of a page. Only the last process counts: what an earlier one asked for may be outdated.

Sources: k8s.io/kubernetes ``pkg/kubelet/cm/memorymanager/memory_manager.go`` (the message),
k8s.io/klog ``internal/serialize`` (quotes, several lines). Out of scope: reading a journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from ..problem import HomenodeProblem
from ..quantity import Quantity
from .log_lines import MULTI_LINE_END, processes, without_header

SET, REMOVE = "set", "remove"
"""What is to be done about a reservation: give it the wanted total, or leave the type out."""
UP = "Starting Kubelet Plugin Manager"
"""Logged once the managers run: a process that got there has no error about its start."""
WRAPPING = "failed to run Kubelet: "

_QUOTE = r'\\*["\u201c\u201d]'
_VALUE = r'(?P<{}>[^"\\\u201c\u201d]{{1,64}})'
_RESERVATION = re.compile(
    rf"the total amount {_QUOTE}{_VALUE.format('have')}{_QUOTE}"
    rf" of type {_QUOTE}(?P<type>memory|hugepages-[0-9A-Za-z.]{{1,32}}){_QUOTE}"
    rf" is not equal to the value {_QUOTE}{_VALUE.format('want')}{_QUOTE} determined by Node"
)
_ENDS = re.compile(
    r'"(?:command failed|Failed to start ContainerManager|Kubelet failed to start'
    r'|Failed to run kubelet)"'
)
_ERROR = re.compile(r'\berr="((?:[^"\\]|\\.)*)(?:"|\Z)')
_PLAIN = re.compile(r"(?:Error: |panic: )(?P<why>.+)\Z")
_K3S = re.compile(r'\blevel=(?:fatal|error) msg="(?:[Kk]ubelet exited: )?((?:[^"\\]|\\.)*)(?:"|\Z)')
_ESCAPED = re.compile(r"\\(.)")
_PLAIN_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Reservation:
    """What the memory manager says of one type of memory; *have* and *want* as it prints them.

    *want_bytes* is a whole number of bytes, rounded up where the text has a fraction.
    """

    type: str
    have: str
    want: str
    want_bytes: int
    action: str

    def as_dict(self) -> dict[str, object]:
        """The same as plain data."""
        return {
            "type": self.type,
            "have": self.have,
            "want": self.want,
            "want_bytes": self.want_bytes,
            "action": self.action,
        }


@dataclass(frozen=True)
class Failure:
    """Why a kubelet ended, in its own words, and what they say of reserved memory."""

    text: str
    reservation: Optional[Reservation]


def reservation(text: str) -> Optional[Reservation]:
    """The last one that the last process asked for; None where it asked for nothing.

    A process that has only begun is no answer yet: then it is the one before.
    """
    for lines in reversed(processes(text)):
        found = [match for line in lines for match in _RESERVATION.finditer(line)]
        for match in reversed(found):
            told = _reservation(match)
            if told is not None:
                return told
        if _decided(lines):
            return None
    return None


def last_failure(text: str, ended: bool = False) -> Optional[Failure]:
    """Why the last process ended; None where its log does not say, or where it is up.

    With *ended* it is known that one has ended: then one that is up does not count. A kubelet that
    systemd starts again and again is up for a moment each time.
    """
    texts = last_errors(text, ended)
    if not texts:
        return None
    return Failure(texts[-1], reservation(texts[-1]))


def last_errors(text: str, ended: bool = False) -> tuple[str, ...]:
    """All errors with which the last process that has any ended, in their order, each once."""
    for lines in reversed(processes(text)):
        found = tuple(dict.fromkeys(_failures(lines)))
        if found or (_decided(lines) and not ended):
            return found
    return ()


def _reservation(match: re.Match[str]) -> Optional[Reservation]:
    try:
        want = Quantity.parse(match["want"])
        Quantity.parse(match["have"])
    except HomenodeProblem:
        return None
    # Huge pages cannot be reserved, and a share of zero is refused as well.
    action = SET if match["type"] == "memory" and want else REMOVE
    return Reservation(match["type"], match["have"], match["want"], want.ceiling, action)


def _decided(lines: list[str]) -> bool:
    """Whether the process came up, or ended with an error."""
    return any(UP in line for line in lines) or next(_failures(lines), None) is not None


def _failures(lines: list[str]) -> Iterator[str]:
    rest = iter(lines)
    for line in rest:
        message, fatal = without_header(line)
        why = _why(message, rest) if _ENDS.match(message) else _plain_why(message, fatal)
        why = why.strip()
        if why.startswith(WRAPPING):
            why = why[len(WRAPPING) :]
        if why and not why.startswith("exit status "):
            yield why


def _why(message: str, rest: Iterator[str]) -> str:
    """The ``err`` of a structured message; *rest* are the lines after it."""
    if message.endswith("err=<"):
        block = []
        for line in rest:
            if line.strip() == MULTI_LINE_END:
                break
            block.append(line.strip())
        return "\n".join(block)
    found = _ERROR.search(message)
    return _unquoted(found[1]) if found else ""


def _plain_why(message: str, fatal: bool) -> str:
    found = _PLAIN.match(message)
    if found:
        return found["why"]
    found = _K3S.search(message)
    if found and ("level=fatal" in message or "ubelet exited" in message):
        return _unquoted(found[1])
    return message if fatal else ""


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: _PLAIN_CHARACTERS.get(found[1], found[1]), text)
