# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is beside the CPUs of a pool: exports, cold starts, containers of the kubelet's choice."""

from __future__ import annotations

from fakes.described import MIB, Node, best_effort, burstable, guaranteed
from homenode.intent.policy_config import CpuAmount
from homenode.intent.tenant import TenantIntent
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement


def test_pools_as_topology_exports_show_them() -> None:
    """Upstream's n6 test04."""
    node = Node("n6-hbm-cxl", reserved=CpuAmount(cpus=CpuSet([3])))
    shown = [
        (one.name, one.parent, str(one.mems), str(one.shared), str(one.reserved))
        for one in node.policy.places(node.books)
    ]
    assert shown == [
        ("socket #0", "root", "0,2,4", "0-2", "3"),
        ("socket #1", "root", "1,3,5", "4-7", ""),
        ("root", "", "0-5", "0-2,4-7", "3"),
    ]


def test_pools_tell_what_is_left() -> None:
    node = Node("n4c16", available=CpuAmount(cpus=CpuSet.parse("0-7")))
    node.create(guaranteed("own", 2000), burstable("some", 500, memory=MIB))
    first, second, socket, *_others = node.policy.places(node.books)
    assert (str(second.cpus), str(second.shared), second.cpu_capacity) == ("4-7", "6-7", 4000)
    assert (first.cpu_available, second.cpu_available, socket.cpu_available) == (3000, 2000, 4500)
    assert second.containers == ("own",)
    assert socket.memory_capacity - socket.memory_available == 100 * MIB


COLD = TenantIntent(cold_start_seconds=60.0)


def test_a_cold_start_begins_without_dram_and_ends_with_it() -> None:
    node = Node("c4pmem4")
    node.create(guaranteed("a", 500, intent=COLD))
    assert node.mems("a") == "7"
    assert node.books.grants["a"].cold
    node.after("a", node.policy.warm(node.books, "a"))
    assert node.mems("a") == "1,7"
    again = node.policy.warm(node.books, "a")
    assert (again.books, again.placed) == (node.books, None)


def test_the_kubelets_choice_stays_and_is_nobody_elses() -> None:
    node = Node("n4c16")
    node.create(best_effort("any"))
    assert node.cpus("any") == "4-7"
    node.create(guaranteed("own", 2000, given=Placement(CpuSet.parse("4-5"))))
    placed = node.placed["own"]
    assert placed.placement == Placement(None, NodeSet([1]))
    assert (str(placed.exclusive), placed.decision.outcome) == ("4-5", "kubelet")
    assert node.cpus("any") == "6-7"
    node.delete("own")
    assert node.cpus("any") == "4-7"


def test_the_kubelets_memory_stays_and_counts() -> None:
    node = Node("n4c16")
    chosen = Placement(CpuSet.parse("4-5"), NodeSet([2]))
    node.create(guaranteed("own", 2000, given=chosen))
    assert node.placed["own"].placement == NOT_OURS
    assert node.books.memory.memory_zones["own"] == NodeSet([2])


def test_a_kubelets_set_that_is_not_all_its_own_is_shared() -> None:
    node = Node("n4c16")
    node.create(burstable("some", 500, given=Placement(CpuSet.parse("4-15"))))
    assert (node.placed["some"].exclusive, node.placed["some"].place) == (CpuSet(), "root")


def test_whoever_wants_to_be_left_alone_is() -> None:
    node = Node("n4c16")
    alone = TenantIntent(preserve_cpus=True, preserve_memory=True)
    node.create(guaranteed("a", 2000, intent=alone))
    placed = node.placed["a"]
    assert (placed.placement, placed.place, placed.exclusive) == (NOT_OURS, "root", CpuSet())
