# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before-values: durable, append-only, written before the knob is.

One line of JSON per container, the first value seen wins. A cgroup does not outlive a reboot, so
the file needs no fsync: what a power failure takes from it, it takes from the kernel as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from model.cpuset import CpuSet, NodeSet
from model.problem import HomenodeProblem
from model.workload import Placement


@dataclass(frozen=True)
class BeforeValue:
    """What a container's cpuset was before we touched it; *cgroup* is below the cgroup mount."""

    container_id: str
    name: str
    cgroup: str
    placement: Placement


class UndoLog:
    """The file of before-values. Losing it costs exactness only: the default is "inherit"."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known = {value.container_id: value for value in _load(path)}

    def values(self) -> tuple[BeforeValue, ...]:
        """Every before-value, oldest first."""
        return tuple(self._known.values())

    def remember(self, values: Iterable[BeforeValue]) -> Optional[OSError]:
        """Append the values of containers that are not known yet; the error where it fails."""
        fresh = [value for value in values if value.container_id not in self._known]
        if not fresh:
            return None
        for value in fresh:
            self._known[value.container_id] = value
        return self._write(fresh, os.O_APPEND)

    def keep_only(self, container_ids: Iterable[str]) -> Optional[OSError]:
        """Forget containers that are gone, and rewrite the file where that shrinks it."""
        alive = set(container_ids)
        kept = {key: value for key, value in self._known.items() if key in alive}
        if len(kept) == len(self._known):
            return None
        self._known = kept
        return self._write(list(kept.values()), os.O_TRUNC)

    def _write(self, values: list[BeforeValue], how: int) -> Optional[OSError]:
        lines = "".join(json.dumps(_as_dict(value)) + "\n" for value in values)
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | how, 0o600)
        except OSError as error:
            return error
        try:
            os.write(handle, lines.encode("ascii"))
        except OSError as error:
            return error
        finally:
            os.close(handle)
        return None


def _as_dict(value: BeforeValue) -> dict[str, str]:
    cpus, mems = value.placement.cpus, value.placement.mems
    return {
        "container_id": value.container_id,
        "name": value.name,
        "cgroup": value.cgroup,
        "cpus": "" if cpus is None else str(cpus),
        "mems": "" if mems is None else str(mems),
    }


def _load(path: str) -> list[BeforeValue]:
    """The values in the file; a torn or foreign line is passed over."""
    try:
        with open(path, encoding="ascii", errors="replace") as lines:
            parsed = [_parse(line) for line in lines]
    except OSError:
        return []
    return [value for value in parsed if value is not None]


def _parse(line: str) -> Optional[BeforeValue]:
    try:
        fields = json.loads(line)
        placement = Placement(
            CpuSet.parse(fields["cpus"]) or None, NodeSet.parse(fields["mems"]) or None
        )
        value = BeforeValue(fields["container_id"], fields["name"], fields["cgroup"], placement)
    except (ValueError, TypeError, KeyError, AttributeError, HomenodeProblem):
        return None
    texts = (value.container_id, value.name, value.cgroup)
    return value if all(isinstance(text, str) for text in texts) else None
