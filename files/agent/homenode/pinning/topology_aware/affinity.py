# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pools a container is drawn to, or kept away from, by those that are there already.

Weights add up per pool, and reach the pools above and below, less with each link. Out of scope:
moving anybody who is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

from homenode.intent.expressions import Subject, matches
from homenode.intent.policy_config import TopologyAwareConfig
from homenode.intent.tenant import Affinity
from homenode.pinning.policy import Ask

from .books import Books, Grant
from .pools import PoolTree

COLOCATION_WEIGHT = 10
"""Of the affinities that ``colocatePods`` and ``colocateNamespaces`` stand for."""

REACH = 0.75
"""What is left of a weight after one link of the tree."""


def affinity_scores(books: Books, ask: Ask) -> Optional[list[float]]:
    """By pool; None where nothing draws the container anywhere."""
    weights = _weights(books, ask)
    if not any(weights):
        return None
    return spread(books.setting.tree, weights)


def _weights(books: Books, ask: Ask) -> list[int]:
    """By pool, the weights of the grants right there."""
    found = [0] * len(books.supplies)
    config, affinities = books.setting.config, ask.intent.affinities
    if not affinities and not (config.colocate_pods or config.colocate_namespaces):
        return found
    for grant in books.grants.values():
        if grant.ask.container_id != ask.container_id:
            found[grant.pool_id] += (
                _weight(affinities, ask, grant) if affinities else _implied(config, ask, grant)
            )
    return found


def _implied(config: TopologyAwareConfig, ask: Ask, grant: Grant) -> int:
    """What the configuration gives to those who say nothing themselves."""
    pod, other = ask.pod, grant.ask.pod
    same_pod = config.colocate_pods and pod.id == other.id
    same_namespace = config.colocate_namespaces and pod.namespace == other.namespace
    return COLOCATION_WEIGHT * (same_pod + same_namespace)


def _weight(affinities: Iterable[Affinity], ask: Ask, grant: Grant) -> int:
    other = grant.ask
    subject = Subject.of(other.pod, other.name, other.qos_class, container_id=other.container_id)
    weight = 0
    for affinity in affinities:
        if affinity.scope is None:
            in_scope = other.pod.id == ask.pod.id
        else:
            in_scope = matches(affinity.scope, subject)
        if in_scope and matches(affinity.match, subject):
            weight += affinity.weight
    return weight


def spread(tree: PoolTree, weights: Sequence[int]) -> list[float]:
    """What *weights*, by pool, come to in each: powers of 3/4 and whole weights add up exactly."""
    scores = []
    for pool in tree.pools:
        score = float(weights[pool.id])
        for links, number in enumerate(pool.above, 1):
            score += weights[number] * REACH**links
        for number in pool.below:
            score += weights[number] * REACH ** (tree.pools[number].depth - pool.depth)
        scores.append(score)
    return scores
