# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proposed once there is room again, and that nobody is proposed who lies well."""

from __future__ import annotations

from fakes.machines import sockets
from fakes.node import machine
from homenode.intent.config import PinningConfig
from homenode.pinning.home_node import HomeNode
from homenode.pinning.policy import Ask, Books, Placed
from homenode.pinning.rebalance import Move, Resident, Spread, proposals, spread_of
from model.cpuset import CpuSet, NodeSet
from model.workload import GUARANTEED, Placement, Pod

MACHINE = machine(sockets(2, cores=4))
POLICY = HomeNode(MACHINE, PinningConfig())


def ask(name: str, cpus: int) -> Ask:
    pod = Pod(f"pod-{name}", name, "default", name)
    return Ask(name, "main", pod, GUARANTEED, cpus * 1000, cpus * 1000, order=len(name))


def placed(books: Books, *asks: Ask) -> tuple[Books, dict[str, Placed]]:
    found: dict[str, Placed] = {}
    for one in asks:
        outcome = POLICY.place(books, one)
        books = outcome.books
        assert outcome.placed is not None
        found[one.container_id] = outcome.placed
        found.update(outcome.changed)
    return books, found


def test_who_got_no_own_cpus_is_proposed_once_there_is_room() -> None:
    first, second, late = ask("a", 3), ask("b", 3), ask("c", 3)
    books, found = placed(POLICY.start(), first, second, late)
    assert found["c"].exclusive == CpuSet()
    residents = [Resident(one, found[one.container_id]) for one in (first, second, late)]
    assert proposals(POLICY, books, MACHINE, residents) == ()

    outcome = POLICY.release(books, "a")
    found.update(outcome.changed)
    size = {0: 100, 1: 200}
    residents = [Resident(second, found["b"]), Resident(late, found["c"], size)]
    (move,) = proposals(POLICY, outcome.books, MACHINE, residents)
    assert (move.name, move.after.exclusive) == ("default/c/main", CpuSet.parse("1-3"))
    assert move.why == "CPUs that it asked for but does not own: 0 instead of 3"
    assert move.bytes_to_migrate == 200  # node 1 is not home any more
    assert move.as_dict()["to"] == {"place": "", "cpus": "1-3", "mems": "0"}


def test_two_moves_do_not_take_the_same_room() -> None:
    asks = [ask(name, 4) for name in ("a", "b", "c")]
    books, found = placed(POLICY.start(), *asks)
    outcome = POLICY.release(books, "a")
    found.update(outcome.changed)
    moves: tuple[Move, ...] = proposals(
        POLICY,
        outcome.books,
        MACHINE,
        [Resident(one, found[one.container_id]) for one in asks[1:]],
    )
    owned = [move.after.exclusive for move in moves]
    assert all(not one & other for one in owned for other in owned if one is not other)


def test_how_widely_a_placement_lies() -> None:
    _books, found = placed(POLICY.start(), ask("a", 2))
    assert spread_of(MACHINE, found["a"]) == Spread(0, 1, 1, 1)
    wide = Placement(CpuSet.parse("0-7"), NodeSet([0, 1]))
    lies = found["a"]._replace(placement=wide, exclusive=CpuSet())
    assert spread_of(MACHINE, lies) == Spread(2, 2, 2, 2)
