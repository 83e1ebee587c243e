# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the next agent wants to know of these books, written down and read again.

What is read is as untrusted as any file: an entry that makes no sense is as good as none. Out of
scope: whether it is still true (``adopt``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Optional

from homenode.intent.tenant import MEMORY_TYPES
from homenode.pinning.memory.books import RESERVATION
from homenode.pinning.memory.books import Request as MemoryRequest
from model.cpuset import CpuSet, IdSet, NodeSet
from model.fields import Fields
from model.problem import HomenodeProblem, Problem

from .books import KUBELETS, NORMAL, PRESERVED, RESERVED, Books, Grant
from .setting import Setting

POLICY, VERSION = "topology-aware", 1
MAX_NUMBER = 1 << 62
_SOURCE = "what the policy remembered"


@dataclass(frozen=True)
class Entry:
    """One grant as it is remembered: everything of it that the container itself does not tell."""

    pool_id: int
    kind: str
    exclusive: CpuSet
    millis: int
    cold: bool
    memory: MemoryRequest
    memory_zone: NodeSet


@dataclass(frozen=True)
class Memory:
    """*entries* by container id; *same_cpus* is False where other CPUs were allowed or reserved."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    same_cpus: bool = True
    problems: tuple[Problem, ...] = ()


def remembered(books: Books) -> dict[str, Any]:
    """JSON-clean."""
    setting = books.setting
    return {
        "policy": POLICY,
        "version": VERSION,
        "cpus": _cpus_of(setting),
        "grants": {key: _written(books, key, grant) for key, grant in books.grants.items()},
    }


def _cpus_of(setting: Setting) -> str:
    """What sets are made of: where this is another one, everybody's set may be another one."""
    pins = f"{setting.config.pin_cpu} {setting.config.pin_memory}"
    return f"{setting.allowed} {setting.reserved} {pins}"


def _written(books: Books, key: str, grant: Grant) -> dict[str, Any]:
    """What is nothing is left out: hundreds of these are written several times a second."""
    request = books.memory.requests[key]
    values = {
        "pool": books.setting.tree.pools[grant.pool_id].name,
        "kind": grant.kind,
        "exclusive": _text(grant.exclusive),
        "millis": grant.millis,
        "cold": grant.cold,
        "bytes": request.size,
        "affinity": _text(request.affinity),
        "types": sorted(request.wanted),
        "priority": request.priority,
        "order": request.order,
        "mems": _text(books.memory.memory_zones[key]),
    }
    return {name: value for name, value in values.items() if value}


@lru_cache(maxsize=1024)
def _text(ids: IdSet) -> str:
    return str(ids)


def read(setting: Setting, values: Optional[Mapping[str, Any]]) -> Memory:
    """What can be made of *values*; nothing where another policy wrote them."""
    if not values or values.get("policy") != POLICY:
        return Memory()
    if values.get("version") != VERSION:
        problem = Problem(
            "version",
            str(values.get("version")),
            f"is not {VERSION}, so what was granted is made out from what runs",
            "nothing is to be done",
            _SOURCE,
        )
        return Memory(problems=(problem,))
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    try:
        grants = Fields(values, source=_SOURCE).section("grants")
        names = grants.names() if grants else ()
    except HomenodeProblem as error:
        return Memory(problems=(error.problem,))
    for key in names:
        try:
            one = grants.section(key) if grants else None
            if one is not None:
                entries[key] = _read(setting, key, one)
        except HomenodeProblem as error:
            problems.append(error.problem)
    return Memory(entries, values.get("cpus") == _cpus_of(setting), tuple(problems))


def _read(setting: Setting, key: str, fields: Fields) -> Entry:
    kind = fields.text("kind", "", choices=(NORMAL, RESERVED, PRESERVED, KUBELETS))
    pool_id = setting.tree.ids.get(fields.text("pool", ""))
    if pool_id is None:
        raise fields.wrong("pool", "is no pool of this machine", "nothing is to be done")
    types = fields.texts("types", most=len(MEMORY_TYPES))
    affinity, memory_zone = (
        NodeSet.parse(fields.text(name, ""), field=fields.name(name)) & setting.layout.numa_nodes
        for name in ("affinity", "mems")
    )
    if not affinity or not memory_zone or not set(types) <= set(MEMORY_TYPES):
        raise fields.wrong("mems", "is no memory of this machine", "nothing is to be done")
    request = MemoryRequest(
        id=key,
        size=fields.integer("bytes", 0, minimum=0, maximum=MAX_NUMBER),
        affinity=affinity,
        types=frozenset(types) or None,
        priority=fields.integer("priority", 0, minimum=0, maximum=RESERVATION),
        order=fields.integer("order", 0, minimum=0, maximum=MAX_NUMBER),
    )
    return Entry(
        pool_id=pool_id,
        kind=kind,
        exclusive=CpuSet.parse(fields.text("exclusive", ""), field=fields.name("exclusive")),
        millis=fields.integer("millis", 0, minimum=0, maximum=MAX_NUMBER),
        cold=fields.boolean("cold", False),
        memory=request,
        memory_zone=memory_zone,
    )
