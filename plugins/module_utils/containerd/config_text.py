# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""containerd's configuration as text: what a dump says, and the smallest edits that change it.

No TOML library: Python has one since 3.11 only, and none that keeps comments. The dump is written
by containerd itself, in one regular form; in the hand-written main file only the top of it, before
the first table, is ever looked at or touched.
"""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

NRI = "io.containerd.nri.v1.nri"
OWN_TABLE = f'plugins."{NRI}"'
CRI = ("io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime")
NEWEST_VERSION = 3
"""The newest `version` that the drop-in needs; containerd refuses one above the main file's."""

NOTE = "# homenode.numa, to undo: "

_TABLE = re.compile(r"^\s*\[", re.MULTILINE)
_VERSION = re.compile(r"^\s*version\s*=\s*(\d+)[^\n]*(?:\n|\Z)", re.MULTILINE)
_IMPORTS = re.compile(r"^\s*imports\s*=\s*\[", re.MULTILINE)
_SWITCH = re.compile(r"disable\s*=")
_STRING = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")


@dataclass(frozen=True)
class Undo:
    """What was added besides the drop-in: its folder, the main file, or a text in the latter."""

    made_folder: bool
    made_main: bool
    added: str


def nri_table(dump: str) -> dict[str, list[str]]:
    """The NRI plugin's table and its sub-tables in a dump: header to lines, indentation removed."""
    tables: dict[str, list[str]] = {}
    lines: Optional[list[str]] = None
    for line in (raw.strip() for raw in dump.splitlines()):
        if line.startswith("["):
            ours = (_name(line) + ".").startswith(OWN_TABLE + ".")
            lines = tables.setdefault(line, []) if ours else None
        elif lines is not None and line:
            lines.append(line)
    return tables


def nri_value(dump: str, key: str) -> str:
    """A value of the NRI plugin's own table as it is written, quotes removed; "" if not there."""
    for header, lines in nri_table(dump).items():
        for line in lines if _name(header) == OWN_TABLE else ():
            name, _equals, value = line.partition("=")
            if name.strip() == key:
                return value.strip().strip("\"'")
    return ""


def disabled_plugins(dump: str) -> list[str]:
    """The plugins that the configuration switches off as a whole."""
    found = re.search(r"^\s*disabled_plugins\s*=\s*\[(.*?)\]", dump, re.MULTILINE | re.DOTALL)
    return _strings(found.group(1)) if found else []


def comparable(dump: str) -> list[str]:
    """A dump without what the switch may change: the imports, and whether NRI is disabled."""
    text = re.sub(r"^imports\s*=\s*\[.*?\]\n", "", dump, flags=re.MULTILINE | re.DOTALL)
    inside, kept = False, []
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("["):
            inside = _name(line) == OWN_TABLE
        if not (inside and _SWITCH.match(line)):
            kept.append(line)
    return kept


def drop_in(dump: str, version: int, undo: Undo) -> str:
    """The drop-in: the NRI table that is in force, switched on."""
    head = [
        "# Switches NRI on. Written by the role homenode.numa.cri_rm, removed by its state absent.",
        NOTE + json.dumps(asdict(undo), sort_keys=True),
        f"version = {min(version, NEWEST_VERSION)}",
    ]
    for header, lines in nri_table(dump).items():
        own = _name(header) == OWN_TABLE
        rest = [line for line in lines if not (own and _SWITCH.match(line))]
        head += ["", header, *(["disable = false"] if own else []), *rest]
    return "\n".join(head) + "\n"


def undo_of(drop_in_text: str) -> Optional[Undo]:
    """The note in a drop-in of ours, None if it is not ours or was edited beyond use."""
    for line in drop_in_text.splitlines():
        if line.startswith(NOTE):
            try:
                return Undo(**json.loads(line[len(NOTE) :]))
            except (ValueError, TypeError):
                return None
    return None


def version_of(main: str) -> int:
    """The main file's `version`; a file without one is version 1, which has no NRI."""
    found = _VERSION.search(_top(main))
    return int(found.group(1)) if found else 1


def imports_of(main: str) -> list[str]:
    """The patterns that the main file imports."""
    top = _top(main)
    found = _IMPORTS.search(top)
    return _strings(top[found.end() :].partition("]")[0]) if found else []


def is_imported(main: str, path: str) -> bool:
    """Whether a pattern of the main file takes in *path* already."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in imports_of(main))


def with_import(main: str, path: str) -> tuple[str, str]:
    """The main file importing *path* too, and the text that was put in for it."""
    top = _top(main)
    found = _IMPORTS.search(top)
    if found:
        added, at = f'"{path}", ', found.end()
    else:
        version = _VERSION.search(top)
        at = version.end() if version else 0
        added = f'imports = ["{path}"]\n'
        if version and not version.group(0).endswith("\n"):
            added = "\n" + added
    return main[:at] + added + main[at:], added


def without(main: str, added: str) -> str:
    """The main file without the text that was put in, if it is still there."""
    return main.replace(added, "", 1) if added else main


def with_absolute_imports(main: str, folder: Path) -> str:
    """The main file for a copy in another folder; containerd takes imports from beside the file."""
    for pattern in imports_of(main):
        if not pattern.startswith("/"):
            for quote in "\"'":
                absolute = f"{quote}{folder / pattern}{quote}"
                main = main.replace(f"{quote}{pattern}{quote}", absolute, 1)
    return main


def _name(header: str) -> str:
    """A table's name, whichever quotes containerd used in it."""
    return header.strip("[]").replace("'", '"')


def _top(main: str) -> str:
    """What stands before the first table; keys after it would belong to that table."""
    found = _TABLE.search(main)
    return main[: found.start()] if found else main


def _strings(text: str) -> list[str]:
    uncommented = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    return [double or single for double, single in _STRING.findall(uncommented)]
