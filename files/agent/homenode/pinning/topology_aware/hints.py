# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How near each pool is to the devices and mounts of a container.

The scores are upstream's. It makes CPUs of hinted NUMA nodes wherever they have any, so that a hint
for several nodes likes the pool that has most of them. One difference: a die is as near as its own
CPUs, where upstream takes those of the whole package. Out of scope: where hints come from.
"""

from __future__ import annotations

from homenode.pinning.policy import POD_RESOURCES, Ask, Hint
from model.cpuset import NO_CPUS, CpuSet, NodeSet
from model.machine import Machine

from .pools import DIE, L3_CACHE, NUMA_NODE, ROOT, PoolTree, TopologyPool

OVERFIT = 0.9
"""What a pool that is one level off is worth."""


def cpus_of(machine: Machine, hint: Hint) -> CpuSet:
    """The CPUs that *hint* is about; none for packages, and for NUMA nodes without CPUs."""
    if hint.cpus:
        return hint.cpus
    found = NO_CPUS
    for numa_node in machine.nodes:
        if numa_node.id in hint.nodes:
            found = found | numa_node.cpus
    return found


def pod_resource_hints(ask: Ask) -> tuple[Hint, ...]:
    """Those that the kubelet gave: exclusive resources, of which CPUs and memory can be near."""
    return tuple(hint for hint in ask.hints if hint.provider.startswith(POD_RESOURCES))


def hint_scores(
    machine: Machine, tree: PoolTree, hints: tuple[Hint, ...]
) -> list[tuple[float, float]]:
    """By pool: the product of its scores for all *hints*, and of those that are not 0."""
    found = []
    for pool in tree.pools:
        product, met = 1.0, 0.0
        for hint in hints:
            score = _score(machine, tree, pool, hint)
            product *= score
            if score:
                met = met * score if met else score
        found.append((product if hints else 0.0, met))
    return found


def _score(machine: Machine, tree: PoolTree, pool: TopologyPool, hint: Hint) -> float:
    cpus = cpus_of(machine, hint)
    if cpus:
        return len(cpus & pool.cpus) / len(cpus)
    if hint.nodes:
        return OVERFIT * OVERFIT if pool.kind == ROOT else 0.0
    return _socket_score(machine, tree, pool, hint.packages) if hint.packages else 0.0


def _socket_score(
    machine: Machine, tree: PoolTree, pool: TopologyPool, packages: tuple[int, ...]
) -> float:
    if pool.kind == ROOT:
        return OVERFIT
    if pool.kind == L3_CACHE:
        return OVERFIT * _socket_score(machine, tree, tree.pools[pool.above[0]], packages)
    if pool.package not in packages:
        return 0.0
    if pool.kind == NUMA_NODE:
        package = next(one for one in machine.packages if one.id == pool.package)
        return 1.0 / len(package.nodes)
    if pool.kind == DIE:
        return 1.0 / len(NodeSet(one.id for one in machine.nodes if one.cpus & pool.cpus))
    return 1.0
