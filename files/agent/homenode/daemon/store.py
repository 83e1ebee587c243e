# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's file: a hint for the next start, checked before it is believed.

A file that is torn, foreign or from another version is set aside and told; the agent then starts
from the cgroups alone. Out of scope: what it means (``world.ledger``, ``Policy.remember``).
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from homenode.enforce.undo import UNBELIEVABLE
from homenode.intent.config import PinningConfig
from homenode.world.decision import Candidate, Decision
from homenode.world.ledger import EMPTY_LEDGER, Grant, Ledger
from homenode.world.placed import Placed
from homenode.world.record import placement_dict
from homenode.world.world import World
from model.cpuset import CpuSet, NodeSet
from model.problem import Problem
from model.workload import Placement

SCHEMA = 2
MAX_BYTES = 16 << 20

CLASSES = ("cpu_class", "scheduling_class", "rdt_class", "blockio_class")
"""The parts of Placed that name a class."""


@dataclass(frozen=True)
class Remembered:
    """The ledger, and what the policy *policy* wanted to be told after a restart."""

    ledger: Ledger = EMPTY_LEDGER
    policy: str = ""
    memory: Optional[Mapping[str, Any]] = None

    def of(self, pinning: Optional[PinningConfig]) -> Optional[Mapping[str, Any]]:
        """What the policy of *pinning* wanted to be told, if it was that one."""
        return self.memory if pinning is not None and pinning.policy == self.policy else None


NOTHING = Remembered()


def remembered(world: World) -> Remembered:
    """What a later start wants to know of *world*."""
    if world.policy is None or world.pinning is None or world.books is None:
        return Remembered(world.ledger)
    return Remembered(world.ledger, world.pinning.policy, world.policy.remember(world.books))


def save(path: str, remembered: Remembered) -> Optional[OSError]:
    """Replace the file atomically; the error where that fails (the old file then stays)."""
    body = json.dumps(
        {
            "grants": [_grant_dict(grant) for grant in remembered.ledger.grants.values()],
            "policy": remembered.policy,
            "memory": remembered.memory,
        }
    )
    text = json.dumps({"schema": SCHEMA, "crc32": zlib.crc32(body.encode()), "body": body})
    return write_atomically(path, text, 0o600)


def load(path: str) -> tuple[Remembered, Optional[Problem]]:
    """What is remembered; nothing, and why, where the file cannot be believed."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_BYTES)
    except FileNotFoundError:
        return NOTHING, None
    except (OSError, ValueError) as error:
        return NOTHING, _unbelievable(path, str(error))
    try:
        return _parse(text), None
    except UNBELIEVABLE as error:
        return NOTHING, _unbelievable(path, str(error) or type(error).__name__)


def write_atomically(path: str, text: str, mode: int) -> Optional[OSError]:
    """Write beside the file, then rename over it; the error where that fails.

    Until then it is hidden: there are folders of which others read whatever appears.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.new")
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


def _parse(text: str) -> Remembered:
    outer = json.loads(text)
    if outer["schema"] != SCHEMA:
        raise ValueError(f"its schema is {outer['schema']!r}, this version knows {SCHEMA}")
    if zlib.crc32(outer["body"].encode()) != outer["crc32"]:
        raise ValueError("its checksum is wrong")
    body = json.loads(outer["body"])
    memory = body["memory"]
    if memory is not None and not isinstance(memory, dict):
        raise ValueError("what the policy remembers is no mapping")
    ledger = EMPTY_LEDGER.with_grants([_grant(item) for item in body["grants"]])
    return Remembered(ledger, str(body["policy"]), memory)


def _grant_dict(grant: Grant) -> dict[str, Any]:
    placed = grant.placed
    return {
        "container_id": grant.container_id,
        "pod_id": grant.pod_id,
        "name": grant.name,
        "asked_shares": grant.asked_shares,
        "given": placement_dict(grant.given),
        "placement": placement_dict(placed.placement),
        "decision": placed.decision.as_dict(),
        "place": placed.place,
        "exclusive": str(placed.exclusive),
        "shares": placed.shares,
        "classes": [getattr(placed, name) for name in CLASSES],
    }


def _grant(item: dict[str, Any]) -> Grant:
    placed = Placed(
        _placement(item["placement"]),
        _decision(item["decision"]),
        str(item["place"]),
        CpuSet.parse(item["exclusive"]),
        _number(item["shares"]),
        **{name: str(value) for name, value in zip(CLASSES, item["classes"])},
    )
    names = str(item["container_id"]), str(item["pod_id"]), str(item["name"])
    return Grant(*names, placed, _number(item["asked_shares"]), _placement(item["given"]))


def _placement(item: dict[str, Any]) -> Placement:
    cpus, mems = item.get("cpus"), item.get("mems")
    return Placement(
        None if cpus is None else CpuSet.parse(cpus),
        None if mems is None else NodeSet.parse(mems),
    )


def _number(value: Any) -> Optional[int]:
    return None if value is None else int(value)


def _decision(item: dict[str, Any]) -> Decision:
    return Decision(
        str(item["outcome"]),
        str(item["reason"]),
        int(item["asked_cpus"]),
        _number(item["home"]),
        tuple(item["rules"]),
        tuple(
            Candidate(c["name"], tuple(c["values"]), c.get("lost_by", ""))
            for c in item["candidates"]
        ),
        bool(item["adopted"]),
    )
