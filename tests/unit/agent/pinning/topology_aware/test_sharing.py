# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who shares always has CPUs, never those of others, and is not refused for lack of them.

Peers.md §2: the defects c and d, and what follows from them.
"""

from __future__ import annotations

from fakes.described import GIB, Node, best_effort, burstable, guaranteed
from homenode.intent.tenant import TenantIntent
from model.cpuset import CpuSet

FULL = [*(guaranteed(name, 4000) for name in "abc"), guaranteed("x", 3000)]
"""Everything but the reserved CPU 0, on n4c16."""


def test_when_all_is_owned_who_shares_runs_on_the_reserved_cpus() -> None:
    node = Node("n4c16")
    node.create(*FULL)
    assert node.create(best_effort("any"), burstable("some", 100, 200)) == ["0", "0"]
    assert "100m of shared CPU are not left" in node.placed["some"].decision.reason
    node.delete("a")
    assert node.cpus("any") == node.cpus("some") == "4-7"


def test_a_pool_that_was_emptied_borrows_from_the_next_above() -> None:
    node = Node("n4c16")
    node.create(burstable("some", 0))
    assert (node.placed["some"].place, node.cpus("some")) == ("socket #1", "8-15")
    assert node.create(*FULL[:3]) == ["4-7", "8-11", "12-15"]
    assert node.cpus("some") == "1-3"


def test_a_burstable_that_fits_nowhere_shares_the_widest() -> None:
    node = Node("n4c16")
    node.create(*(burstable(name, 3500, 4000) for name in "abcd"))
    before = node.books
    node.create(burstable("more", 3500, 4000))
    assert (node.placed["more"].place, node.cpus("more")) == ("root", "1-15")
    node.delete("more")
    assert node.books == before


def test_who_finds_no_cpus_of_its_own_shares_and_is_known_to_want_them() -> None:
    node = Node("n4c16")
    node.create(*FULL, guaranteed("late", 4000))
    placed = node.placed["late"]
    assert (placed.exclusive, placed.decision.outcome) == (CpuSet(), "shared")
    assert placed.decision.asked_cpus == 4


def test_the_next_pool_is_tried_where_the_best_has_none_to_spare() -> None:
    node = Node("memoryless")
    node.create(*(guaranteed(name, 1000) for name in "abcd"))
    node.create(guaranteed("e", 4000))
    assert len(node.placed["e"].exclusive) == 4
    assert node.placed["e"].place == "socket #1"
    assert "socket #0 has none to spare" in node.placed["e"].decision.reason


def test_hidden_threads_stay_hidden_when_a_pool_shrinks_and_grows() -> None:
    node = Node("n4c16")
    hiding = TenantIntent(hide_hyperthreads=True)
    assert node.create(best_effort("any", intent=hiding)) == ["4,6"]
    node.create(*(guaranteed(name, 3000) for name in "abcd"))
    assert node.cpus("any") == "7"
    node.delete(*"abcd")
    assert node.cpus("any") == "4,6"


def test_a_resize_stays_in_its_pool_and_the_same_again_changes_nothing() -> None:
    node = Node("n4c16")
    node.create(guaranteed("a", 2000), guaranteed("b", 2000))
    node.after("a", node.policy.resize(node.books, guaranteed("a", 3000)))
    assert node.cpus("a") == "4-6"
    again = node.policy.resize(node.books, guaranteed("a", 3000))
    assert (again.books, again.placed, again.changed) == (node.books, node.placed["a"], {})


def test_a_resize_of_who_shares_moves_where_its_pool_has_no_room() -> None:
    node = Node("n4c16")
    node.create(burstable("a", 1000, 2000), burstable("b", 1000, 2000), guaranteed("c", 3000))
    assert node.placed["a"].place == "NUMA node #1"
    node.after("a", node.policy.resize(node.books, burstable("a", 5000, 6000)))
    assert node.placed["a"].place.startswith("socket")


def test_weights_are_of_the_shared_part_alone() -> None:
    node = Node("n4c16")
    own = TenantIntent(prefer_shared=False)
    node.create(
        guaranteed("own", 2000),
        guaranteed("mixed", 2500, intent=own),
        burstable("some", 250, 500),
        best_effort("any"),
        best_effort("alone", intent=TenantIntent(preserve_cpus=True)),
    )
    shares = [node.placed[name].shares for name in ("own", "mixed", "some", "any", "alone")]
    assert shares == [2048, 512, 256, 2, None]


def test_nothing_is_pinned_where_the_configuration_says_so() -> None:
    node = Node("n4c16", pin_cpu=False, pin_memory=False)
    node.create(guaranteed("a", 1000), best_effort("b"))
    assert [node.placed[name].placement.cpus for name in "ab"] == [None, None]
    assert [node.placed[name].placement.mems for name in "ab"] == [None, None]
    assert node.placed["a"].shares is None


def test_who_has_to_make_room_for_memory_is_told() -> None:
    node = Node("n4c16")
    node.create(burstable("some", 100, 200, memory=GIB, memory_limit=GIB))
    assert node.mems("some") == "1"
    node.create(*(guaranteed(name, 2000, memory=2 * GIB) for name in "abc"))
    assert [node.mems(name) for name in ("a", "b", "c", "some")] == ["2", "3", "1", "0-1"]
