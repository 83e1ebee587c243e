# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's file: a hint for the next start, checked before it is believed.

A file that is torn, foreign or from another version is set aside and told; the agent then starts
from the cgroups alone. Out of scope: the ledger's meaning (``world.ledger``).
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any, Optional

from homenode.world.decision import Candidate, Decision
from homenode.world.ledger import EMPTY_LEDGER, Grant, Ledger
from homenode.world.record import placement_dict
from model.cpuset import CpuSet, NodeSet
from model.problem import HomenodeProblem, Problem
from model.workload import Placement

SCHEMA = 1
MAX_BYTES = 16 << 20

UNBELIEVABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    HomenodeProblem,
)
"""All that reading a file of anything can come to."""


def save(path: str, ledger: Ledger) -> Optional[OSError]:
    """Replace the file atomically; the error where that fails (the old file then stays)."""
    body = json.dumps([_grant_dict(grant) for grant in ledger.grants.values()])
    text = json.dumps({"schema": SCHEMA, "crc32": zlib.crc32(body.encode()), "grants": body})
    return write_atomically(path, text, 0o600)


def load(path: str) -> tuple[Ledger, Optional[Problem]]:
    """The remembered ledger; an empty one, and why, where the file cannot be believed."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_BYTES)
    except FileNotFoundError:
        return EMPTY_LEDGER, None
    except (OSError, ValueError) as error:
        return EMPTY_LEDGER, _unbelievable(path, str(error))
    try:
        return _parse(text), None
    except UNBELIEVABLE as error:
        return EMPTY_LEDGER, _unbelievable(path, str(error) or type(error).__name__)


def write_atomically(path: str, text: str, mode: int) -> Optional[OSError]:
    """Write beside the file, then rename over it; the error where that fails."""
    beside = f"{path}.new"
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            os.fchmod(handle, mode)
            _write_all(handle, text.encode("utf-8"))
        finally:
            os.close(handle)
        os.replace(beside, path)
    except OSError as error:
        _remove_quietly(beside)
        return error
    return None


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _remove_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it was never there, or the next write replaces it


def _unbelievable(path: str, why: str) -> Problem:
    aside = path + ".unreadable"
    try:
        os.replace(path, aside)
    except OSError:
        aside = path
    remedy = f"nothing to do: the agent started from the cgroups; the file is kept as {aside}"
    return Problem("ledger", path, f"cannot be read back ({why})", remedy)


def _parse(text: str) -> Ledger:
    outer = json.loads(text)
    if outer["schema"] != SCHEMA:
        raise ValueError(f"its schema is {outer['schema']!r}, this version knows {SCHEMA}")
    if zlib.crc32(outer["grants"].encode()) != outer["crc32"]:
        raise ValueError("its checksum is wrong")
    grants = [_grant(item) for item in json.loads(outer["grants"])]
    return EMPTY_LEDGER.with_grants(grants)


def _grant_dict(grant: Grant) -> dict[str, Any]:
    return {
        "container_id": grant.container_id,
        "pod_id": grant.pod_id,
        "name": grant.name,
        "placement": placement_dict(grant.placement),
        "decision": grant.decision.as_dict(),
        "exclusive": str(grant.exclusive),
        "memory_bytes": grant.memory_bytes,
    }


def _grant(item: dict[str, Any]) -> Grant:
    placement, decision = item["placement"], item["decision"]
    cpus, mems = placement.get("cpus"), placement.get("mems")
    return Grant(
        str(item["container_id"]),
        str(item["pod_id"]),
        str(item["name"]),
        Placement(
            None if cpus is None else CpuSet.parse(cpus),
            None if mems is None else NodeSet.parse(mems),
        ),
        Decision(
            str(decision["outcome"]),
            str(decision["reason"]),
            int(decision["asked_cpus"]),
            None if decision["home"] is None else int(decision["home"]),
            tuple(decision["rules"]),
            tuple(
                Candidate(c["name"], tuple(c["values"]), c.get("lost_by", ""))
                for c in decision["candidates"]
            ),
            bool(decision["adopted"]),
        ),
        CpuSet.parse(item["exclusive"]),
        int(item["memory_bytes"]),
    )
