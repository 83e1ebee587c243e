# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where memory is booked and who moves: the vectors of the spec, and what always holds."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.memory import PAIRED, memory_machine
from homenode.pinning.memory.allocator import (
    NoMemory,
    allocate,
    free,
    grow,
    hold,
    release,
)
from homenode.pinning.memory.books import (
    BEST_EFFORT,
    BURSTABLE,
    GUARANTEED,
    PRESERVED,
    RESERVATION,
    MemoryBooks,
    Request,
)
from homenode.pinning.memory.layout import MemoryLayout
from model.cpuset import NodeSet
from model.problem import HomenodeProblem

KINDS = ["dram"] * 4 + ["pmem"] * 4
PAIRS = MemoryLayout.of(memory_machine(KINDS, [4] * 8, PAIRED))
MOVABLE = MemoryLayout.of(memory_machine(KINDS, [4] * 8, PAIRED, movable=NodeSet.parse("4-7")))
PRIORITIES = {"": BEST_EFFORT, "burstable": BURSTABLE, "guaranteed": GUARANTEED,
              "preserved": PRESERVED}  # fmt: skip
DRAM = frozenset({"DRAM"})
NOTHING = MemoryBooks()

Row = tuple[int, int, str, str, str, str]
"""Id, size, affinity, class, zone and who moved where: one request after another."""

SEQUENCES: dict[str, list[Row]] = {
    "A": [
        (1, 2, "0", "", "0", ""),
        (2, 2, "2", "", "2", ""),
        (3, 2, "0", "", "0", ""),
        (4, 2, "2", "", "2", ""),
        (5, 2, "0", "guaranteed", "0", "3 to 0-3"),
        (6, 2, "2", "guaranteed", "2", "4 to 0-3"),
        (7, 2, "0", "guaranteed", "0", "1 to 0-3"),
        (8, 2, "2", "guaranteed", "2", "2 to 0-3"),
        (9, 2, "1", "burstable", "1", "4 to 0-7"),
        (10, 2, "3", "burstable", "3", "3 to 0-7"),
        (11, 2, "1", "burstable", "1", "2 to 0-7"),
        (12, 2, "3", "burstable", "3", "1 to 0-7"),
        (13, 2, "1", "burstable", "0-7", ""),
    ],
    "B": [(14, 6, "0,2", "burstable", "0,2", ""), (15, 3, "0", "burstable", "0", "14 to 0-3")],
    "C": [
        (16, 4, "0,2", "preserved", "0,2", ""),
        (17, 4, "0,2", "burstable", "0,2", ""),
        (18, 1, "0", "burstable", "0", "17 to 0-3"),
    ],
    "D": [
        (19, 8, "0-3", "burstable strict", "0-3", ""),
        (20, 8, "0-3", "burstable", "0-3", ""),
        (21, 1, "0", "burstable", "0", "20 to 0-7"),
    ],
    "E": [
        (22, 4, "0", "preserved", "0", ""),
        (23, 4, "0,2", "burstable", "0,2", ""),
        (24, 1, "0,2", "burstable", "0-3", ""),
    ],
    "low priority first": [(1, 2, "1", "burstable", "1", ""), (2, 3, "1", "", "1,3", "")],
    "the zone of most users first": [
        (1, 3, "0", "guaranteed", "0", ""),
        (2, 3, "0", "burstable", "0,2", ""),
        (3, 5, "0", "", "0-3", ""),
    ],
    "the inner zone first": [(1, 5, "2", "burstable", "0,2", ""), (2, 5, "2", "", "0-3", "")],
    "strict ones keep their types": [
        (1, 5, "0", "burstable", "0,2", ""),
        (2, 2, "0-3", "burstable strict", "0-3", ""),
        (3, 5, "0-3", "burstable", "0-3", ""),
        (4, 5, "2", " strict", "0-3", "3 to 0-7"),
    ],
    "guaranteed before preserved": [
        (1, 4, "2-3", "preserved", "2-3", ""),
        (2, 5, "2", "guaranteed", "0,2", ""),
    ],
}
"""A to E are those of the spec; the others stand for one rule each."""


def ask(
    number: object,
    size: int,
    affinity: str,
    *words: str,
    types: Optional[frozenset[str]] = DRAM,
    order: int = 0,
) -> Request:
    """A request by its class, which may be followed by "strict"."""
    priority = PRIORITIES[words[0] if words else ""]
    strict = "strict" in words
    return Request(str(number), size, NodeSet.parse(affinity), types, strict, priority, order)


@pytest.mark.parametrize("rows", SEQUENCES.values(), ids=SEQUENCES)
def test_sequence(rows: list[Row]) -> None:
    books = NOTHING
    for number, size, affinity, words, memory_zone, moves in rows:
        request = ask(number, size, affinity, *words.split(" "), order=number)
        got = allocate(PAIRS, books, request)
        assert str(got.memory_zone) == memory_zone
        assert ", ".join(f"{who} to {to}" for who, to in got.moved.items()) == moves
        books = got.books


REFUSED = {
    "too large": (PAIRS, ask(1, 33, "0-3"), "failed to resolve overcommit, zones nodes{0-7} over"),
    "no such node": (PAIRS, ask(1, 1, "10"), "no NUMA node"),
    "no affinity": (PAIRS, ask(1, 1, ""), "no NUMA node"),
    "no such type": (PAIRS, ask(1, 1, "0", "", "strict", types=frozenset({"HBM"})), "unavailable"),
    "all movable": (
        MOVABLE, ask(1, 1, "4", "", "strict", types=frozenset({"PMEM"})), "no normal memory",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("layout", "request_", "why"), REFUSED.values(), ids=REFUSED)
def test_refused(layout: MemoryLayout, request_: Request, why: str) -> None:
    with pytest.raises(NoMemory, match=why):
        allocate(layout, NOTHING, request_)


def test_known_id_is_refused() -> None:
    books = allocate(PAIRS, NOTHING, ask(1, 1, "0")).books
    with pytest.raises(HomenodeProblem, match="booked already"):
        allocate(PAIRS, books, ask(1, 1, "0"))


FIRST = {
    "strict PMEM of node 0": (PAIRS, "0", {"PMEM"}, True, "4"),
    "PMEM of node 0": (PAIRS, "0", {"PMEM"}, False, "4"),
    "PMEM of movable node 4": (MOVABLE, "4", {"PMEM"}, False, "0,4"),
    "PMEM of movable node 6": (MOVABLE, "6", {"PMEM"}, False, "1,6"),
    "PMEM of movable node 5": (MOVABLE, "5", {"PMEM"}, False, "2,5"),
    "DRAM and PMEM of node 1": (PAIRS, "1", {"DRAM", "PMEM"}, False, "1,6"),
    "HBM where there is none": (PAIRS, "1", {"HBM"}, False, "1"),
    "any type": (PAIRS, "1,4", None, False, "1,4"),
}


@pytest.mark.parametrize(("layout", "near", "types", "strict", "zone"), FIRST.values(), ids=FIRST)
def test_first_zone(
    layout: MemoryLayout, near: str, types: Optional[set[str]], strict: bool, zone: str
) -> None:
    wanted = None if types is None else frozenset(types)
    request = ask(1, 4, near, "burstable", *["strict"] * strict, types=wanted)
    assert str(allocate(layout, NOTHING, request).memory_zone) == zone


GROWN = {
    "a node": ("0", [("1", ""), ("0", ""), ("0-1,3", ""), ("", "DRAM")], ["0-3"] * 4),
    "a type": ("0", [("", "PMEM"), ("", "DRAM"), ("", "PMEM"), ("", "DRAM PMEM")], ["0,4"] * 4),
    "a type of 1": ("1", [("", "PMEM")], ["1,6"]),
    "a type of two": ("0,2", [("", "PMEM")], ["0,2,4-5"]),
    "nothing": ("0", [("", "")], ["0"]),
    "what was asked for already": ("0,4", [("0,4", "DRAM")], ["0"]),
    "nodes of another type do not count": ("0", [("1,6", "PMEM")], ["0,4,6"]),
}


@pytest.mark.parametrize(("near", "steps", "zones"), GROWN.values(), ids=GROWN)
def test_grow(near: str, steps: list[tuple[str, str]], zones: list[str]) -> None:
    books = allocate(PAIRS, NOTHING, ask(1, 2, near, "burstable")).books
    for (nodes, types), zone in zip(steps, zones):
        grown = grow(PAIRS, books, "1", NodeSet.parse(nodes), types.split())
        books = grown.books
        assert str(grown.memory_zone) == zone == str(books.memory_zones["1"])


def test_types_grow_with_the_zone() -> None:
    books = allocate(PAIRS, NOTHING, ask(1, 2, "0", "burstable")).books
    grown = grow(PAIRS, books, "1", NodeSet(), ["PMEM"]).books
    assert grown.requests["1"].types == frozenset({"DRAM", "PMEM"})
    movable = allocate(MOVABLE, NOTHING, ask(1, 2, "4", types=frozenset({"PMEM"}))).books
    assert movable.requests["1"].types == frozenset({"DRAM", "PMEM"})


def test_nothing_to_grow_by() -> None:
    books = allocate(PAIRS, NOTHING, ask(1, 2, "0,2-3", "burstable")).books
    with pytest.raises(NoMemory, match="can't find new DRAM nodes"):
        grow(PAIRS, books, "1", NodeSet([1]))


def test_reservation_stays() -> None:
    reserved = Request("r", 4, NodeSet([0]), DRAM, priority=RESERVATION)
    books = allocate(PAIRS, NOTHING, reserved).books
    got = allocate(PAIRS, books, ask(1, 1, "0", "preserved"))
    assert (str(got.memory_zone), got.moved) == ("0,2", {})


def test_held_is_not_resolved_until_somebody_asks() -> None:
    books = hold(NOTHING, ask(1, 9, "0", "burstable"), NodeSet([0]))
    assert free(PAIRS, books, NodeSet([0])) == -5
    elsewhere = allocate(PAIRS, books, ask(2, 1, "1"))
    assert elsewhere.moved == {}
    assert allocate(PAIRS, elsewhere.books, ask(3, 1, "0")).moved == {"1": NodeSet.parse("0-3")}


requests = st.builds(
    Request,
    id=st.uuids().map(str),
    size=st.integers(0, 6),
    affinity=st.sets(st.integers(0, 7), min_size=1).map(NodeSet),
    types=st.none() | st.frozensets(st.sampled_from(["DRAM", "PMEM", "HBM"])),
    strict=st.booleans(),
    priority=st.sampled_from([*PRIORITIES.values(), RESERVATION]),
    order=st.integers(0, 99),
)


def filled(wanted: list[Request]) -> MemoryBooks:
    """The books after those of *wanted* that can be had."""
    books = NOTHING
    for request in wanted:
        try:
            books = allocate(MOVABLE, books, request).books
        except NoMemory:
            continue
    return books


@given(st.lists(requests, max_size=12, unique_by=lambda request: request.id), requests)
def test_always(wanted: list[Request], last: Request) -> None:
    before = filled(wanted)
    assert sum(request.size for request in before.requests.values()) == before.usage(
        MOVABLE.numa_nodes
    )
    for memory_zone, use in before.uses.items():
        assert use.usage == before.usage(memory_zone) <= MOVABLE.capacity(memory_zone)
        assert memory_zone & MOVABLE.normal
    for request_id, request in before.requests.items():
        if request.strict:
            assert MOVABLE.types_of(before.memory_zones[request_id]) <= request.wanted
    try:
        got = allocate(MOVABLE, before, last)
    except NoMemory:
        return
    assert got.memory_zone == got.books.memory_zones[last.id]
    after = release(got.books, last.id)
    assert after.requests == before.requests
    for request_id, memory_zone in before.memory_zones.items():
        assert memory_zone <= after.memory_zones[request_id]
    if not got.moved:
        assert after == before
