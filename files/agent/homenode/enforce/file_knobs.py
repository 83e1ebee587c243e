# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the machine that hold one value each, held and given back: clocks, idle states, IRQs.

The value before ours is kept, on disk and before the write, from the first write of a file until
it is given back; what is no longer wished for is given back at once. Every write is read again.
Out of scope: which file and which value; cpusets, which have their own undo log.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Callable, Optional

from model.problem import Problem

MAX_BYTES = 4 << 20
FOLDERS = ("/sys/devices/system/cpu/", "/proc/irq/")
"""The only places where it ever writes, whatever it is told or finds in its file."""

Save = Callable[[str], Optional[OSError]]
"""Replaces the file of before-values by this text; the error where that fails."""


class FileKnobs:
    """The values that we hold. *remembered* is the text that *save* was last given, or ""."""

    def __init__(self, host_root: str, remembered: str, save: Save) -> None:
        self._root = host_root.rstrip("/")
        self._save = save
        self._before = _parsed(remembered)

    @property
    def before(self) -> Mapping[str, str]:
        """The before-value of every file that is ours now."""
        return self._before

    def hold(self, wanted: Mapping[str, str]) -> list[Problem]:
        """Make the files say *wanted*, give back those that it does not name any more.

        A value that stands since the last call is not written again; one that somebody else has
        changed since is.
        """
        wanted = {path: text for path, text in wanted.items() if _is_ours(path)}
        fresh = {
            path: text
            for path in wanted
            if path not in self._before and (text := self._read(path)) is not None
        }
        problems: list[Problem] = []
        if fresh:
            self._before.update(fresh)
            problems += self._remember()
        if problems:  # without a way back nothing new is touched
            self._before = {key: text for key, text in self._before.items() if key not in fresh}
        held = {path: text for path, text in wanted.items() if path in self._before}
        for failed in self._set_all(held).values():
            problems += failed
        return problems + self._give_back([path for path in self._before if path not in wanted])

    def give_back(self) -> list[Problem]:
        """Give every file its before-value; what could not be stays remembered."""
        return self._give_back(list(self._before))

    def _give_back(self, paths: list[str]) -> list[Problem]:
        problems = []
        failures = self._set_all({path: self._before[path] for path in paths})
        for path in paths:
            problems += failures.get(path, [])
            if path not in failures:
                del self._before[path]
        return problems + (self._remember() if paths else [])

    def _set_all(self, wanted: Mapping[str, str]) -> dict[str, list[Problem]]:
        """What could not be set. A second time helps where one value stood in another's way.

        A clock's new maximum may be below its old minimum.
        """
        first = [path for path, text in wanted.items() if self._set(path, text)]
        return {path: failed for path in first if (failed := self._set(path, wanted[path]))}

    def _set(self, path: str, text: str) -> list[Problem]:
        if self._read(path) in (text, None):
            return []  # as wished; or gone, as a CPU that was taken out
        why = self._write(path, text)
        seen = self._read(path)
        if why is None and seen not in (text, None):
            why = f"shows {seen!r} after writing"
        if why is None:
            return []
        return [Problem(path, text, why, "the hardware or its driver refuses it: ask for less")]

    def _read(self, path: str) -> Optional[str]:
        try:
            with open(self._root + path, encoding="ascii", errors="replace") as file:
                return file.read(4096).strip()
        except OSError:
            return None

    def _write(self, path: str, text: str) -> Optional[str]:
        try:
            handle = os.open(self._root + path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
            try:
                os.write(handle, (text + "\n").encode("utf-8"))
            finally:
                os.close(handle)
        except OSError as error:
            return error.strerror
        return None

    def _remember(self) -> list[Problem]:
        error = self._save(json.dumps(self._before, sort_keys=True))
        if error is None:
            return []
        remedy = "free space there; until then nothing new is changed"
        return [Problem("before-values", str(error), "could not be written", remedy)]


def _is_ours(path: str) -> bool:
    return path.startswith(FOLDERS) and ".." not in path.split("/")


def _parsed(text: str) -> dict[str, str]:
    """Before-values out of a file that may be torn or foreign: what is not ours is passed over."""
    try:
        found = json.loads(text) if len(text) <= MAX_BYTES else {}
    except (ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {path: value for path, value in pairs if isinstance(value, str) and _is_ours(path)}
