# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is drawn where: pinning.md §12.3, and who counts for whom."""

from __future__ import annotations

import pytest

from fakes.described import Node, config, guaranteed, machine
from homenode.intent.tenant import Affinity, Expression, TenantIntent
from homenode.pinning.memory.books import MemoryBooks
from homenode.pinning.topology_aware.affinity import affinity_scores, spread
from homenode.pinning.topology_aware.offers import MemoryOffers
from homenode.pinning.topology_aware.policy import TopologyAware
from homenode.pinning.topology_aware.request import request_of
from homenode.pinning.topology_aware.rules import ranked
from homenode.pinning.topology_aware.scores import scores_of

INTERLEAVED = {
    "packages": [
        {"nodes": [{"id": n, "cpus": f"{8 * n}-{8 * n + 7}", "memory": "4Gi"} for n in pair]}
        for pair in ((0, 2), (1, 3))
    ],
    "threads_per_core": 2,
}
EVERYBODY = Expression("", "AlwaysTrue")


@pytest.mark.parametrize(
    ("weights", "best"),
    [
        ({}, "NUMA node #2"),
        ({"NUMA node #1": 1}, "NUMA node #1"),
        ({"socket #1": 1}, "socket #1"),
        ({"socket #1": 1, "NUMA node #1": 1}, "NUMA node #1"),
        ({"NUMA node #1": 1, "NUMA node #3": 1}, "socket #1"),
        ({"NUMA node #1": 2, "NUMA node #3": 1}, "socket #1"),
        ({"NUMA node #1": 3, "NUMA node #3": 1}, "NUMA node #1"),
        ({"NUMA node #0": 2, "NUMA node #3": 2, "socket #1": 1}, "root"),
        ({"NUMA node #0": 1, "NUMA node #3": 1, "socket #1": 1}, "root"),
        ({"NUMA node #0": 1, "NUMA node #3": 1, "socket #1": 2}, "socket #1"),
    ],
)
def test_weights_reach_the_pools_above_and_below(weights: dict[str, int], best: str) -> None:
    policy = TopologyAware(machine(INTERLEAVED), config())
    setting, books = policy.setting, policy.start()
    scores = spread(setting.tree, [weights.get(pool.name, 0) for pool in setting.tree.pools])
    request = request_of(setting, guaranteed("own", 3000))
    offers = MemoryOffers(setting, MemoryBooks(), request)
    found = ranked(request, scores_of(books, request, offers, scores))
    assert found.scores[0].pool.name == best


def drawn(weight: int, match: Expression = EVERYBODY, **scope: Expression) -> TenantIntent:
    return TenantIntent(affinities=(Affinity(scope.get("scope"), match, weight),))


def test_a_missing_scope_is_the_same_pod_and_not_one_of_that_name() -> None:
    node = Node("n4c16")
    node.create(guaranteed("a", 1000, pod="p"), guaranteed("b", 1000, pod="p", namespace="other"))
    assert (node.cpus("a"), node.cpus("b")) == ("4", "8")
    node.create(guaranteed("c", 1000, pod="p", intent=drawn(1)))
    assert node.mems("c") == node.mems("a")


def test_a_scope_and_a_match_are_conditions_on_the_others() -> None:
    node = Node("n4c16")
    node.create(guaranteed("a", 1000), guaranteed("b", 1000))
    called_b = Expression("name", "Equals", ("b",))
    node.create(guaranteed("near b", 1000, intent=drawn(3, called_b, scope=EVERYBODY)))
    assert node.mems("near b") == node.mems("b")


def test_anti_affinity_keeps_away() -> None:
    node = Node("n4c16")
    away = drawn(-1)
    node.create(*(guaranteed(name, 1000, pod="p", intent=away) for name in "abcd"))
    assert sorted(node.mems(name) for name in "abcd") == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("values", "mems"),
    [
        ({}, ["1", "2", "3"]),
        ({"colocate_pods": True}, ["1", "1", "2"]),
        ({"colocate_namespaces": True}, ["1", "1", "1"]),
    ],
)
def test_colocation_is_an_affinity_of_those_who_have_none(
    values: dict[str, bool], mems: list[str]
) -> None:
    node = Node("n4c16", **values)
    node.create(guaranteed("a", 100, pod="p"), guaranteed("b", 100, pod="p"), guaranteed("c", 100))
    assert [node.mems(name) for name in "abc"] == mems
    lone = guaranteed("d", 100, pod="p", intent=drawn(-1))
    scores = affinity_scores(node.books, lone)
    assert scores is not None
    assert min(scores) < 0


def test_nobody_near_is_no_affinity_at_all() -> None:
    assert affinity_scores(Node("n4c16").books, guaranteed("a", 100, intent=drawn(9))) is None
