# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds on every machine, whatever containers come and go, and whenever the agent restarts."""

from __future__ import annotations

import json
from typing import Any, Optional

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.described import MIB, Node, ask
from homenode.intent.policy_config import CpuAmount
from homenode.intent.tenant import MEMORY_TYPES, Affinity, Expression, HintIntent, TenantIntent
from homenode.pinning.policy import Adoption, Ask, Held, Hint
from homenode.pinning.topology_aware.placements import Placements
from homenode.pinning.topology_aware.policy import TopologyAware
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.problem import HomenodeProblem
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED, NOT_OURS, Placement

MACHINES = ("n4c16", "n4c16-isolated", "n6-hbm-cxl", "c4pmem4", "epyc", "memoryless", "dies-of-2")
CONFIGS: tuple[dict[str, Any], ...] = (
    {},
    {"reserved": CpuAmount(cpus=CpuSet([1])), "prefer_isolated_cpus": True},
    {"available": CpuAmount(excluded=CpuSet([2])), "colocate_pods": True},
    {"prefer_shared_cpus": True, "unlimited_burstable": "numa"},
)
MAYBE = st.sampled_from((None, False, True))
NEVER = st.just(None)
MANY = settings(max_examples=40, deadline=None)


@st.composite
def intents(draw: st.DrawFn) -> TenantIntent:
    """Mostly nothing, now and then something."""
    if draw(st.integers(0, 2)):
        return TenantIntent()
    affinity = Affinity(None, Expression("", "AlwaysTrue"), draw(st.sampled_from((5, -5))))
    return TenantIntent(
        prefer_shared=draw(MAYBE),
        prefer_reserved=draw(st.sampled_from((None, None, False, True))),
        isolated=draw(MAYBE),
        hide_hyperthreads=draw(MAYBE),
        memory_types=draw(NEVER | st.frozensets(st.sampled_from(MEMORY_TYPES), min_size=1)),
        cold_start_seconds=draw(st.sampled_from((0.0, 60.0))),
        preserve_cpus=draw(st.integers(0, 7)) == 0,
        preserve_memory=draw(st.integers(0, 3)) == 0,
        hints=HintIntent(strict=draw(st.booleans()), pick=draw(st.booleans())),
        affinities=(affinity,) if draw(st.booleans()) else None,
    )


@st.composite
def asks(draw: st.DrawFn, number: int) -> Ask:
    """Small and large ones, of all classes."""
    qos_class = draw(st.sampled_from((GUARANTEED, GUARANTEED, BURSTABLE, BEST_EFFORT)))
    cpu = draw(st.sampled_from((0, 100, 900, 1000, 1500, 2000, 2500, 3000, 4000, 7000)))
    limit = 2 * cpu * draw(st.integers(0, 1)) if qos_class == BURSTABLE else cpu
    memory = draw(st.sampled_from((0, 1, 100, 1500))) * MIB
    hint = Hint("podresourceapi:x", nodes=NodeSet([draw(st.integers(0, 3))]))
    given_cpus = CpuSet([draw(st.integers(0, 3))]) if draw(st.integers(0, 15)) == 0 else None
    return ask(
        f"c{number}",
        qos_class,
        cpu=0 if qos_class == BEST_EFFORT else cpu,
        limit=0 if qos_class == BEST_EFFORT else limit,
        memory=0 if qos_class == BEST_EFFORT else memory,
        namespace=draw(st.sampled_from(("default", "default", "kube-system"))),
        pod=f"pod{number // 3}",
        intent=draw(intents()),
        hints=(hint,) if draw(st.integers(0, 3)) == 0 else (),
        order=number,
        given=Placement(given_cpus) if given_cpus else NOT_OURS,
    )


@st.composite
def nodes(draw: st.DrawFn) -> Node:
    """A node after containers came and went; what is refused changes nothing."""
    node = Node(draw(st.sampled_from(MACHINES)), **draw(st.sampled_from(CONFIGS)))
    for number in range(draw(st.integers(1, 14))):
        before = node.books
        try:
            node.create(draw(asks(number)))
        except HomenodeProblem:
            assert node.books is before
        if node.placed and draw(st.integers(0, 3)) == 0:
            node.delete(draw(st.sampled_from(sorted(node.placed))))
    return node


@MANY
@given(nodes())
def test_own_cpus_are_nobody_elses_and_nobody_has_none(node: Node) -> None:
    owned = NO_CPUS
    for placed in node.placed.values():
        assert not placed.exclusive & owned
        owned = owned | placed.exclusive
    for placed in node.placed.values():
        cpus, mems = placed.placement.cpus, placed.placement.mems
        assert (cpus is None or cpus) and (mems is None or mems)
        assert not ((cpus or NO_CPUS) - placed.exclusive) & owned


@MANY
@given(nodes())
def test_what_was_told_is_what_the_books_say(node: Node) -> None:
    placements = Placements(node.books)
    grants = node.books.grants
    assert node.placed == {key: placements.placed(grant) for key, grant in grants.items()}


@MANY
@given(nodes())
def test_capacity_is_neither_lost_nor_made(node: Node) -> None:
    setting, books = node.policy.setting, node.books
    owned = NO_CPUS
    for grant in books.grants.values():
        owned = owned | grant.exclusive
    for pool, capacity, supply in zip(setting.tree.pools, setting.capacities, books.supplies):
        assert supply.sharable == capacity.sharable - owned
        assert supply.isolated == capacity.isolated - owned
        here = [grant for grant in books.grants.values() if grant.pool_id == pool.id]
        assert supply.normal_grants == sum(grant.kind == "normal" for grant in here)
    assert set(books.memory.memory_zones) == set(books.grants)


@MANY
@given(nodes(), st.data())
def test_who_comes_and_goes_leaves_nothing(node: Node, data: st.DataObject) -> None:
    before = node.books
    try:
        outcome = node.policy.place(before, data.draw(asks(99)))
    except HomenodeProblem:
        return
    after = node.policy.release(outcome.books, "c99").books
    assert (after.supplies, after.grants) == (before.supplies, before.grants)
    node.delete(*sorted(node.placed))
    assert node.books == node.policy.start()


def adopted(node: Node, *, memory: bool, ledger: bool) -> Adoption:
    """What another agent makes of *node*, with what the policy or the ledger remembers, or not."""
    policy = TopologyAware(node.policy.setting.machine, node.policy.setting.config)
    remembered: Optional[dict[str, Any]] = None
    if memory:
        remembered = json.loads(json.dumps(node.policy.remember(node.books)))
    held = [
        Held(node.books.grants[key].ask, placed.placement, placed if ledger else None)
        for key, placed in node.placed.items()
    ]
    return policy.adopt(held, remembered)


@MANY
@given(nodes())
def test_a_restart_changes_nothing(node: Node) -> None:
    found = adopted(node, memory=True, ledger=True)
    assert (found.changed, found.newcomers, found.problems) == ({}, (), ())
    assert found.placed == node.placed
    assert found.books == node.books


@MANY
@given(nodes(), st.booleans())
def test_a_restart_without_memory_moves_nobody(node: Node, ledger: bool) -> None:
    found = adopted(node, memory=False, ledger=ledger)
    assert found.changed == {}
    for key, placed in found.placed.items():
        assert placed.placement == node.placed[key].placement
    owned = sum(len(placed.exclusive) for placed in found.placed.values())
    union = NO_CPUS
    for placed in found.placed.values():
        union = union | placed.exclusive
    assert owned == len(union)
    if ledger:
        assert found.books.supplies == node.books.supplies
