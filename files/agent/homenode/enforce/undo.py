# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before-values: durable, append-only, written before the knob is.

One line of JSON per container, the first value seen wins. A cgroup does not outlive a reboot, so
the file needs no fsync: what a power failure takes from it, it takes from the kernel as well.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Optional

from model.problem import HomenodeProblem
from model.workload import Placement

UNBELIEVABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    HomenodeProblem,
)
"""All that reading a line of anything can come to."""

SPARE_LINES = 64
"""So many lines of the dead are left in peace, beside as many as there are living."""


@dataclass(frozen=True)
class BeforeValue:
    """What a container's cpuset was before we touched it; *cgroup* is below the cgroup mount.

    *shares* is the cpu.shares that the kubelet asked for, None where it is not known.
    """

    container_id: str
    name: str
    cgroup: str
    placement: Placement
    shares: Optional[int] = None


class UndoLog:
    """The file of before-values. Losing it costs exactness only: the default is "inherit"."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[str, BeforeValue] = {}
        for value in _load(path):
            self._known.setdefault(value.container_id, value)
        self._unwritten: list[BeforeValue] = []
        self._torn = True  # for all we know: then the next line begins with a new one

    def values(self) -> tuple[BeforeValue, ...]:
        """Every before-value, oldest first."""
        return tuple(self._known.values())

    def remember(self, values: Iterable[BeforeValue]) -> Optional[OSError]:
        """Append the values of containers that are not known yet; the error where it fails.

        What could not be written is tried again with the next.
        """
        for value in values:
            if value.container_id not in self._known:
                self._known[value.container_id] = value
                self._unwritten.append(value)
        if not self._unwritten:
            return None
        lines = _lines(self._unwritten)
        error = _write(self._path, "\n" + lines if self._torn else lines, os.O_APPEND)
        self._torn = error is not None
        if error is None:
            self._unwritten = []
        return error

    def let_go(self, container_ids: Collection[str]) -> Optional[OSError]:
        """Forget containers that are gone once they outnumber those that are there.

        So that the file is rewritten seldom, and never much larger than it must be.
        """
        if len(self._known) <= 2 * len(container_ids) + SPARE_LINES:
            return None
        return self.keep_only(container_ids)

    def keep_only(self, container_ids: Iterable[str]) -> Optional[OSError]:
        """Forget containers that are gone, and replace the file where that shrinks it."""
        alive = set(container_ids)
        kept = {key: value for key, value in self._known.items() if key in alive}
        if len(kept) == len(self._known):
            return None
        beside = self._path + ".new"
        error = _write(beside, _lines(kept.values()), os.O_TRUNC)
        if error is None:
            try:
                os.replace(beside, self._path)
            except OSError as failed:
                error = failed
        if error is None:
            self._known, self._unwritten, self._torn = kept, [], False
        return error


def _lines(values: Iterable[BeforeValue]) -> str:
    return "".join(json.dumps(_as_dict(value)) + "\n" for value in values)


def _write(path: str, text: str, how: int) -> Optional[OSError]:
    """Write in one go; the error instead of an exception. A full disk may take a part only."""
    data = text.encode("ascii")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    except OSError as error:
        return error
    try:
        if os.write(handle, data) < len(data):
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    except OSError as error:
        return error
    finally:
        os.close(handle)
    return None


def _as_dict(value: BeforeValue) -> dict[str, object]:
    cpus, mems = value.placement.cpus, value.placement.mems
    return {
        "container_id": value.container_id,
        "name": value.name,
        "cgroup": value.cgroup,
        "cpus": "" if cpus is None else str(cpus),
        "mems": "" if mems is None else str(mems),
        "shares": value.shares,
    }


def _load(path: str) -> list[BeforeValue]:
    """The values in the file; a torn or foreign line is passed over."""
    try:
        with open(path, encoding="ascii", errors="replace") as lines:
            parsed = [_parse(line) for line in lines]
    except OSError:
        return []  # there is none yet
    return [value for value in parsed if value is not None]


def _parse(line: str) -> Optional[BeforeValue]:
    try:
        fields = json.loads(line)
        placement = Placement.parse(fields["cpus"], fields["mems"])
        names = fields["container_id"], fields["name"], fields["cgroup"]
        shares = fields.get("shares")  # an older agent wrote none
        value = BeforeValue(*names, placement, None if shares is None else int(shares))
    except UNBELIEVABLE:
        return None
    texts = (value.container_id, value.name, value.cgroup)
    return value if all(isinstance(text, str) for text in texts) else None
