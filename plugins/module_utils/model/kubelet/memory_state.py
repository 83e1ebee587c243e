# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which ``memory_manager_state`` stops a kubelet with the static policy, from its content.

The file has the memory of each NUMA node to the byte, what is reserved of it, and what pods got.
The kubelet computes the same from the machine, its configuration and the file's own entries, and
both have to be equal. Source: ``pkg/kubelet/cm/memorymanager/policy_static.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..quantity import Quantity
from .configuration import mapping, records
from .effective import Effective
from .hardware import Hardware
from .managers import limit

DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
EMPTY = "[memorymanager] machine state can not be empty when it has memory assignments"
WORD = 2**64
"""The kubelet counts in unsigned 64 bits, and wraps."""


class _Table:
    """One kind of memory on one node, in bytes; pods take of it one after the other."""

    def __init__(self, total: int, kept: int) -> None:
        self.total = total
        self.reserved_for_system = kept % WORD
        self.allocatable = self.free = (total - kept) % WORD
        self.reserved = 0

    def take(self, size: int) -> int:
        """Take *size*, or all that is free; what is still wanted."""
        taken = min(size, self.free)
        self.reserved += taken
        self.free -= taken
        return size - taken


class _Node:
    """One node, and the group of nodes that pods made of it."""

    def __init__(self, tables: dict[str, _Table], number: int) -> None:
        self.tables = tables
        self.cells = [number]
        self.assignments = 0


@dataclass(frozen=True)
class Difference:
    """*why* in the kubelet's words; *what* differs: a field with both values."""

    why: str
    what: str = field(default="")


def memory_state_difference(
    found: Effective, machine: Hardware, state: Mapping[str, object]
) -> Optional[Difference]:
    """What the static policy says of *state*; None where it goes on with it.

    Raises HomenodeProblem where the configuration makes no sense.
    """
    before = mapping(state.get("machineState"))
    entries = mapping(state.get("entries"))
    if not before:
        return Difference(EMPTY) if entries else None
    expected = _expected(found, machine)
    why = _assign(expected, entries)
    if why:
        return Difference(why)
    what = _first_difference(before, expected, complete=machine.hugepages is not None)
    return Difference(DIFFERENT, what) if what else None


def _expected(found: Effective, machine: Hardware) -> dict[int, _Node]:
    """The machine as the kubelet sees it before any pod."""
    shares = _shares(found)
    expected = {}
    for room in machine.rooms:
        pages = (machine.hugepages or {}).get(room.id, {})
        tables = {
            kind: _Table(size, shares.get((room.id, kind), 0)) for kind, size in pages.items()
        }
        kept = shares.get((room.id, "memory"), 0)
        memory = _Table(room.memory_total, kept + room.hugepages)
        memory.reserved_for_system = kept % WORD
        expected[room.id] = _Node({**tables, "memory": memory}, room.id)
    return expected


def _assign(expected: Mapping[int, _Node], entries: Mapping[str, object]) -> str:
    """Give the pods of *entries* their memory; what the kubelet says where that can not be."""
    for pod, container, block in _blocks(entries):
        size, kind = block.get("size"), str(block.get("type"))
        affinity = block.get("numaAffinity")
        wanted = size if isinstance(size, int) else 0
        nodes = list(affinity) if isinstance(affinity, (list, tuple)) else []
        for number in nodes:
            words = f"[memorymanager] (pod: {pod}, container: {container}) the memory assignment"
            if number not in expected:
                return f"{words} uses the NUMA that does not exist"
            numa_node = expected[number]
            numa_node.assignments += 1
            numa_node.cells = nodes
            if kind not in numa_node.tables:
                return f"{words} uses memory resource that does not exist"
            wanted = numa_node.tables[kind].take(wanted)
    return ""


def _first_difference(
    before: Mapping[str, object], expected: Mapping[int, _Node], complete: bool
) -> str:
    """The first field that differs. *complete*: the kinds of huge pages are known."""
    known = {str(number) for number in expected}
    if set(before) != known:
        return f"NUMA nodes {', '.join(sorted(before))} before, {', '.join(sorted(known))} now"
    for number, numa_node in sorted(expected.items()):
        state = mapping(before[str(number)])
        tables = mapping(state.get("memoryMap"))
        if complete and set(tables) != set(numa_node.tables):
            return f"kinds of memory of node {number}: {', '.join(sorted(tables))} before"
        pairs: list[tuple[str, object, object]] = [
            ("numberOfAssignments", state.get("numberOfAssignments"), numa_node.assignments),
        ]
        cells = state.get("cells")
        if isinstance(cells, (list, tuple)):
            pairs.append(("cells", sorted(cells), sorted(numa_node.cells)))
        for kind, table in sorted(numa_node.tables.items(), reverse=True):
            content = mapping(tables.get(kind))
            for name, now in (
                ("total", table.total),
                ("systemReserved", table.reserved_for_system),
                ("allocatable", table.allocatable),
            ):
                pairs.append((f"{name} of {kind}", content.get(name), now))
            pairs += _sums(before, expected, numa_node.cells, kind)
        for name, then, real in pairs:
            if then is not None and then != real and (complete or not _needs_pages(name)):
                return f"{name} of node {number}: {then} before, {real} now"
    return ""


def _needs_pages(name: str) -> bool:
    """Whether a figure depends on huge pages, of which the facts may say nothing."""
    return name.startswith(("allocatable", "free"))


def _sums(
    before: Mapping[str, object], expected: Mapping[int, _Node], cells: list[int], kind: str
) -> Iterator[tuple[str, object, object]]:
    """Free and reserved memory are compared over all the nodes of a group."""
    tables = []
    for number in cells:
        state = mapping(before.get(str(number)))
        tables.append(mapping(mapping(state.get("memoryMap")).get(kind)))
    for name in ("free", "reserved"):
        amounts = [table.get(name) for table in tables]
        then = sum(amount for amount in amounts if isinstance(amount, int))
        now = sum(getattr(expected[number].tables[kind], name) for number in cells)
        if None not in amounts:
            yield f"{name} of {kind}", then % WORD, now % WORD


def _blocks(entries: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    for pod, containers in entries.items():
        for container, blocks in mapping(containers).items():
            for block in blocks if isinstance(blocks, (list, tuple)) else ():
                yield pod, container, mapping(block)


def _shares(found: Effective) -> dict[tuple[int, str], int]:
    shares: dict[tuple[int, str], int] = {}
    for entry in records(found.config, "reservedMemory"):
        numa_node = entry.get("numaNode") or 0
        for kind, amount in mapping(entry.get("limits")).items():
            share = limit(kind, amount) if amount is not None else Quantity(0)
            if isinstance(numa_node, int):
                shares[(numa_node, kind)] = share.ceiling
    return shares
