# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The home-node policy's sets and books, below its decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest

from fakes.machines import sockets
from fakes.node import machine
from homenode.intent.config import PinningConfig
from homenode.pinning.home_node import HomeNode
from homenode.pinning.home_node_books import Entry, HomeBooks
from homenode.world.decision import EXCLUSIVE, Decision
from homenode.world.placed import Placed
from model.cpuset import CpuSet, NodeSet
from model.workload import Placement

SHAPE = sockets(2, cores=4)
TWO = machine(SHAPE)
ISOLATED = machine(replace(SHAPE, isolated=CpuSet.parse("6-7")))


def available(cpus: str) -> PinningConfig:
    return PinningConfig(available_cpus=CpuSet.parse(cpus))


ALLOWED = {
    "everything online": (HomeNode(TWO, PinningConfig()), "0-7"),
    "but the isolated": (HomeNode(ISOLATED, PinningConfig()), "0-5"),
    "and of the available": (HomeNode(ISOLATED, available("4-7")), "4-5"),
    "all that is online, where only isolated ones are available": (
        HomeNode(ISOLATED, available("6-7")),
        "0-7",
    ),
    "all that is online, where none of it is available": (HomeNode(TWO, available("64")), "0-7"),
}


@pytest.mark.parametrize("row", ALLOWED.values(), ids=ALLOWED)
def test_allowed_cpus(row: tuple[HomeNode, str]) -> None:
    policy, cpus = row
    assert str(policy.allowed_cpus) == cpus


def entry(cpus: str, mems: Optional[str] = None, memory: int = 0) -> Entry:
    owned = CpuSet.parse(cpus)
    held = Placement(owned, None if mems is None else NodeSet.parse(mems))
    return Entry(Placed(held, Decision(EXCLUSIVE, "for the test"), exclusive=owned), memory)


def test_the_shared_set_is_what_nobody_owns_and_never_empty() -> None:
    policy = HomeNode(TWO, PinningConfig())
    assert str(policy.shared_cpus(HomeBooks({"a": entry("0-5")}))) == "6-7"
    assert str(policy.shared_cpus(HomeBooks({"a": entry("0-7")}))) == "0-7"


def test_memory_counts_where_it_may_be_taken_from() -> None:
    books = HomeBooks({"a": entry("1", "0", 5), "b": entry("4", "1", 7), "c": entry("5", None, 99)})
    assert [books.memory_on(NodeSet([number])) for number in (0, 1, 2)] == [5, 7, 0]
    assert books.memory_on(NodeSet([0, 1])) == 12
