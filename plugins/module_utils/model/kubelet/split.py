# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A total divided over NUMA nodes, such that the shares add up to it and each fits its node.

Shares are whole MiB; what is left below a MiB goes to the lowest node that has memory. A kubelet
does not check a share against its node: one that is too large wraps a counter, and the node then
seems endless. So a share above the node's memory without its huge pages is refused here.
Out of scope: which total (``arithmetic``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..problem import HomenodeProblem
from ..quantity import Quantity, amount

MIB = 1 << 20
PROPORTIONAL, EVEN, FIRST = "proportional", "even", "first"
STRATEGIES = (PROPORTIONAL, EVEN, FIRST)

Shares = dict[int, int]
"""Bytes by NUMA node id, ascending, none of them zero."""

NEAR = 20
"""Shares that are off by no more than the total's twentieth part, or by a MiB, are near."""

_ID = re.compile(r"\d{1,5}\Z", re.ASCII)


@dataclass(frozen=True)
class Room:
    """The memory of one NUMA node in bytes: all of it, and what is preallocated as huge pages."""

    id: int
    memory_total: int
    hugepages: int = 0

    @property
    def most(self) -> int:
        """The largest share that the node can carry."""
        return max(self.memory_total - self.hugepages, 0)


def rooms(numa_nodes: object) -> tuple[Room, ...]:
    """NUMA nodes as Ansible has them, ascending by id.

    They are the ``nodes`` of ``numa_facts``, or maps with ``id`` and ``memory_total``, or plain
    amounts in the order of ids from 0; amounts are bytes or quantities. Raises HomenodeProblem.
    """
    if not isinstance(numa_nodes, Sequence) or isinstance(numa_nodes, str) or not numa_nodes:
        raise HomenodeProblem(
            "numa_nodes", numa_nodes, "is no list of NUMA nodes", "give ansible_facts.numa.nodes"
        )
    found = sorted(
        (_room(f"numa_nodes[{number}]", number, item) for number, item in enumerate(numa_nodes)),
        key=lambda room: room.id,
    )
    for one, other in zip(found, found[1:]):
        if one.id == other.id:
            raise HomenodeProblem("numa_nodes", one.id, "is listed twice", "list each node once")
    return tuple(found)


def split(total: int, numa_nodes: Sequence[Room], strategy: object = PROPORTIONAL) -> Shares:
    """Divide *total* bytes by *strategy*: one of STRATEGIES, or a map of node id to quantity.

    Raises HomenodeProblem: an unknown strategy, no memory at all, a share above what its node has,
    or a map that does not add up to *total*.
    """
    with_memory = [room for room in numa_nodes if room.memory_total > 0]
    if isinstance(total, bool) or total < 0:
        raise HomenodeProblem("total", total, "is no amount of memory", "give bytes, 0 or more")
    if isinstance(strategy, Mapping):
        shares = _explicit(total, numa_nodes, strategy)
    elif not with_memory:
        raise HomenodeProblem("numa_nodes", "", "no node has memory", "give their memory_total")
    elif strategy == FIRST:
        shares = _first(total, with_memory)
    elif strategy in (PROPORTIONAL, EVEN):
        weights = [room.memory_total if strategy == PROPORTIONAL else 1 for room in with_memory]
        shares = _weighed(total, with_memory, weights)
    else:
        known = ", ".join(STRATEGIES)
        raise HomenodeProblem(
            "strategy", strategy, "is not known", f"use one of {known}, or a map like {{0: 1Gi}}"
        )
    return _fitting(shares, numa_nodes)


def kept(earlier: Shares, wanted: Shares, numa_nodes: Sequence[Room]) -> Shares:
    """The shares of the last time where they are as good as *wanted*, else *wanted*.

    They are if they are of the same nodes, add up to the same, are near, and fit. The memory of
    each node is a little more or less after each boot, which is no reason to drain a machine.
    """
    total = sum(wanted.values())
    near = max(total // NEAR, MIB)
    most = {room.id: room.most for room in numa_nodes}
    same = earlier.keys() == wanted.keys() and sum(earlier.values()) == total
    if same and all(
        abs(share - wanted[numa_node]) <= near and 0 < share <= most[numa_node]
        for numa_node, share in earlier.items()
    ):
        return earlier
    return wanted


def _weighed(total: int, numa_nodes: Sequence[Room], weights: Sequence[int]) -> Shares:
    """Whole MiB by largest remainder, ties to the lowest id."""
    units, rest = divmod(total, MIB)
    whole = sum(weights)
    parts = [divmod(units * weight, whole) for weight in weights]
    order = sorted(range(len(parts)), key=lambda number: (-parts[number][1], number))
    more = set(order[: units - sum(share for share, _remainder in parts)])
    amounts = [(parts[number][0] + (number in more)) * MIB for number in range(len(parts))]
    amounts[0] += rest
    return {room.id: share for room, share in zip(numa_nodes, amounts)}


def _first(total: int, numa_nodes: Sequence[Room]) -> Shares:
    """All on the lowest node; whole MiB of what does not fit on the next, and so on."""
    shares = {}
    for room in numa_nodes:
        shares[room.id] = total if total <= room.most else room.most // MIB * MIB
        total -= shares[room.id]
    if total:
        last = numa_nodes[-1]
        shares[last.id] += total  # more than it has: refused by name below
    return shares


def _explicit(total: int, numa_nodes: Sequence[Room], amounts: Mapping[object, object]) -> Shares:
    known = {room.id for room in numa_nodes}
    shares = {}
    for key, quantity in amounts.items():
        field = f"strategy[{key}]"
        if isinstance(key, bool) or not _ID.match(str(key)) or int(str(key)) not in known:
            nodes = ", ".join(map(str, sorted(known)))
            raise HomenodeProblem(field, quantity, "is no NUMA node here", f"the nodes are {nodes}")
        shares[int(str(key))] = amount(quantity, field=field)
    given = sum(shares.values())
    if given != total:
        have, want = Quantity.of(given), Quantity.of(total)
        raise HomenodeProblem(
            "strategy", dict(amounts), f"adds up to {have}, not to {want}", f"make the sum {want}"
        )
    return dict(sorted(shares.items()))


def _fitting(shares: Shares, numa_nodes: Sequence[Room]) -> Shares:
    most = {room.id: room.most for room in numa_nodes}
    for numa_node, share in shares.items():
        if share > most[numa_node]:
            has = Quantity.of(most[numa_node])
            raise HomenodeProblem(
                f"reservedMemory of NUMA node {numa_node}",
                str(Quantity.of(share)),
                f"is more than the node has without its huge pages ({has})",
                "reserve less, or give the shares by node, such as {0: 1Gi, 1: 2Gi}",
            )
    return {numa_node: share for numa_node, share in shares.items() if share}


def _room(field: str, number: int, item: object) -> Room:
    if not isinstance(item, Mapping):
        return Room(number, amount(item, field=field))
    identity = item.get("id", number)
    if isinstance(identity, bool) or not isinstance(identity, int) or identity < 0:
        raise HomenodeProblem(f"{field}.id", identity, "is no node id", "give a number from 0")
    memory = item.get("memory")
    if not isinstance(memory, Mapping):
        plain = item.get("memory_total", item.get("memory_total_bytes", memory))
        return Room(identity, amount(plain, field=f"{field}.memory_total"))
    whole = amount(memory.get("total_bytes"), field=f"{field}.memory.total_bytes")
    return Room(identity, whole, _hugepages(f"{field}.memory.hugepages", memory.get("hugepages")))


def _hugepages(field: str, sizes: object) -> int:
    if sizes is None:
        return 0
    if not isinstance(sizes, Mapping):
        raise HomenodeProblem(field, sizes, "is no map of sizes", 'write {"2Mi": {"total": 0}}')
    taken = 0
    for size, pages in sizes.items():
        count = pages.get("total", 0) if isinstance(pages, Mapping) else pages
        taken += amount(size, field=f"{field} size") * amount(count, field=f"{field}.{size}.total")
    return taken
