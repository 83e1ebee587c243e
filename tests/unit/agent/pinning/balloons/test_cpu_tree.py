# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pieces of a machine: which one is preferred, and by which of its names."""

from __future__ import annotations

import pytest

from fakes.described import described
from homenode.pinning.balloons.cpu_tree import CpuTree, Piece, cpu_tree, spread_tree
from homenode.pinning.cpus.topology import CpuTopology
from model.cpuset import CpuSet

TREE = cpu_tree(CpuTopology.of(described("n4c16")))
ALL = "0-15"


def names(piece: Piece, depth: int) -> list[str]:
    """Of all pieces at a depth."""
    if depth == 0:
        return [piece.name]
    return [name for below in piece.pieces for name in names(below, depth - 1)]


def test_names_are_upstreams() -> None:
    assert names(TREE.system, 1) == ["p0", "p1"]
    assert names(TREE.system, 3) == ["p0d0n0", "p0d0n1", "p1d0n2", "p1d0n3"]
    assert names(TREE.system, 4)[4:6] == ["p1d0n2$4", "p1d0n2$5"]
    assert names(TREE.system, 6)[8:10] == ["p1d0n2cpu8t8", "p1d0n2cpu8t9"]


def test_each_core_has_a_cache_of_its_own_where_none_is_told() -> None:
    tree = cpu_tree(CpuTopology.of(described("desktop-l3")))
    assert names(tree.system, 4)[:2] == ["p0d0n0$0", "p0d0n0$1"]


def test_threads_of_a_core_are_apart_in_the_other_tree() -> None:
    tree = spread_tree(CpuTopology.of(described("n4c16")))
    assert names(tree.system, 4)[:2] == ["p0d0n0class0", "p0d0n0class1"]
    first = tree.system.pieces[0].pieces[0].pieces[0].pieces[0]
    assert (str(first.cpus), names(first, 3)) == ("0,2", ["p0d0n0cpu0t0", "p0d0n0cpu2t2"])


TAKEN: dict[str, tuple[str, str, int, bool, str]] = {
    "a thread of a free machine": ("", ALL, 1, False, "0"),
    "a core": ("", ALL, 2, False, "0-1"),
    "a node": ("", ALL, 3, False, "0-3"),
    "a package": ("", ALL, 6, False, "0-7"),
    "where it is already": ("12", "0-11,13-15", 1, False, "13"),
    "where it is, though less is left elsewhere": ("12", "0-1,13-15", 1, False, "13"),
    "the package before the node": ("12-15", "0-11", 2, False, "10-11"),
    "where little is left": ("", "0-7,8-10", 2, False, "8-9"),
    "where much is left": ("", "0-7,8-10", 2, True, "0-1"),
    "as texts, 10 is before 8": ("", "8-11", 1, False, "10"),
    "more than there is": ("", "8-11", 5, False, ""),
}


@pytest.mark.parametrize(
    ("current", "idle", "count", "balancing", "best"), TAKEN.values(), ids=TAKEN
)
def test_best_to_take(current: str, idle: str, count: int, balancing: bool, best: str) -> None:
    found = TREE.best_to_take(CpuSet.parse(current), CpuSet.parse(idle), count, balancing=balancing)
    assert str(found) == best


GIVEN: dict[str, tuple[str, str, str]] = {
    "the last by name": ("0-3", "8-11", "3"),
    "where fewest are": ("0-3,8", "9-15", "8"),
    "the package with fewer": ("0-2,8-9,12", "15", "12"),
    "beside a taken sibling": ("0-2", "3", "2"),
    "beside few idle ones": ("0-3,8-11", "12-15", "3"),
}


@pytest.mark.parametrize(("current", "idle", "best"), GIVEN.values(), ids=GIVEN)
def test_best_to_give(current: str, idle: str, best: str) -> None:
    assert str(TREE.best_to_give(CpuSet.parse(current), CpuSet.parse(idle))) == best


def test_a_numa_node_of_two_packages_is_part_of_both() -> None:
    """As where the kernel knows no NUMA nodes: upstream names all CPUs below each package."""
    piece = Piece("p0d0n0", CpuSet([0, 1]), (Piece("a", CpuSet([0])), Piece("b", CpuSet([1]))))
    twin = Piece("p1d0n0", CpuSet([0, 1]), (Piece("c", CpuSet([0])), Piece("d", CpuSet([1]))))
    tree = CpuTree(Piece("system", CpuSet([0, 1]), (piece, twin)))
    assert str(tree.best_to_take(CpuSet(), CpuSet([0, 1]), 1, balancing=False)) == "0"
    assert str(tree.best_to_give(CpuSet([0, 1]), CpuSet())) == "1"
