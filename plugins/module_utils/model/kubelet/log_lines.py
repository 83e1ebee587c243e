# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A log's lines by process, without what the journal put around them.

A line tells its process by the journal's ``name[pid]:``, by ``_PID`` of a JSON export, or by klog's
own header. A line that tells none belongs to the process before it. A process id counts anew after
a boot and after a kubelet's first line. Out of scope: what the lines say (``log``).
"""

from __future__ import annotations

import json
import re
from typing import Any

MULTI_LINE_END = ">"
"""klog writes a text of several lines as ``err=<``, the lines with a tab, and this."""

_KLOG = re.compile(r"(?P<level>[EWIF])\d{4} \d{2}:\S+ +(?P<pid>\d{1,10}) [^\s\]]{1,200}\] ")
_JOURNAL = re.compile(
    # A date with a time, or seconds since 1970 or since the boot; then host and name.
    r"(?:[^\[\]]{0,40}\d{2}:\d{2}:\d{2}\S*|\[? *\d+\.\d+\]?) (?:\S+ ){0,3}?"
    r"[^\s\[\]]{1,100}\[(?P<pid>\d{1,10})\]: ?"
)
_BOOT = re.compile(r"-- (?:Boot|Reboot)\b")
_STARTS = re.compile(r'"Kubelet version" ')


def processes(text: str) -> list[list[str]]:
    """The lines of each process, ordered by the last line of each."""
    found: dict[tuple[int, str], list[str]] = {}
    run, pid = 0, ""
    for raw in text.splitlines():
        if _BOOT.match(raw):
            run, pid = run + 1, ""
            continue
        told, message = _unwrapped(raw)
        pid = told or pid
        for line in message.splitlines() or [""]:
            if _STARTS.search(line):
                run += 1
            lines = found.pop((run, pid), [])
            lines.append(line)
            found[(run, pid)] = lines
    return list(found.values())


def without_header(line: str) -> tuple[str, bool]:
    """The message after klog's header, and whether it is a fatal one."""
    match = _KLOG.match(line)
    if match is None:
        return line, False
    return line[match.end() :], match["level"] == "F"


def _unwrapped(raw: str) -> tuple[str, str]:
    """The process id, or "", and the line or lines that the process wrote."""
    pid, line = "", raw.strip("\r")
    entry = _json(line)
    if "MESSAGE" in entry:
        pid, line = str(entry.get("_PID") or ""), _text(entry["MESSAGE"])
    else:
        journal = None if _KLOG.match(line) else _JOURNAL.match(line)
        if journal is not None:
            pid, line = journal["pid"], line[journal.end() :]
    entry = _json(line)
    if "msg" in entry:  # a kubelet with --logging-format=json
        line = f"{_quoted(entry['msg'])} err={_quoted(entry.get('err') or entry.get('error'))}"
    header = _KLOG.match(line)
    return pid or (header["pid"] if header else ""), line


def _json(line: str) -> dict[str, Any]:
    """The object that a line is; none where it is something else, or nested beyond measure."""
    if not line.startswith("{"):
        return {}
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _text(message: object) -> str:
    """The journal gives bytes that are no text as a list of numbers."""
    if isinstance(message, list) and all(
        isinstance(byte, int) and 0 <= byte < 256 for byte in message
    ):
        return bytes(message).decode("utf-8", errors="replace")
    return message if isinstance(message, str) else ""


def _quoted(value: object) -> str:
    return json.dumps("" if value is None else str(value), ensure_ascii=False)
