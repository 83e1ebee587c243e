# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kubelet's log says: klog lines, also those whose error goes over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

FATAL = (
    '"command failed"',
    '"Failed to start ContainerManager"',
    '"Kubelet failed to start"',
)
"""Messages after which a kubelet ends, each with the reason in ``err``."""
WRAPPING = "failed to run Kubelet: "

_LINE = re.compile(r"[EWIF]\d{4} \S+ +\d+ (?P<place>[\w./-]+:\d+)\] (?P<rest>.*)\Z")
_PANIC = re.compile(r"^panic: (.+)$", re.MULTILINE)
_QUOTED = re.compile(r'\berr=("(?:[^"\\]|\\.)*")')
_OPENED = re.compile(r"\berr=<\Z")


@dataclass(frozen=True)
class Entry:
    """One line: *message* as printed, quotes included, and its ``err``, unquoted; or ""."""

    message: str
    error: str


def entries(log: str) -> Iterator[Entry]:
    """All lines that klog wrote."""
    lines = iter(log.splitlines())
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        rest = match["rest"]
        if _OPENED.search(rest):
            block = []
            for inner in lines:
                if inner == " >":
                    break
                block.append(inner.removeprefix("\t"))
            yield Entry(rest, "\n".join(block))
        else:
            quoted = _QUOTED.search(rest)
            yield Entry(rest, _unquoted(quoted[1]) if quoted else "")


def reason(log: str) -> str:
    """Why the kubelet ended, without the words around it; "" where the log does not say."""
    panic = _PANIC.search(log)
    if panic:
        return panic[1]
    found = ""
    for entry in entries(log):
        if entry.message.startswith(FATAL):
            found = entry.error.removeprefix(WRAPPING)
    return found


def _unquoted(text: str) -> str:
    """A text as Go quotes it, which but for one escape is as JSON does."""
    try:
        return str(json.loads(text.replace(r"\'", "'")))
    except ValueError:
        return text[1:-1]
