# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a CreateContainer takes, and whether that grows with what runs already.

One sample is a pod's life: sandbox, container, both removed; only the container's creation counts.
Guaranteed containers of one CPU are the hard case: everybody who shares is told of the CPU that is
gone, in the same answer. The agents take turns sample by sample.
"""

from __future__ import annotations

from collections.abc import Iterator

from fake_runtime.node import Node

from .figures import Figure, median, quantile
from .nodes import AGENTS, OURS, PEERS, absent_peers, populate, running_nodes

BENCH = "create"
LEVELS = (0, 20, 100, 200)
KINDS = {"Guaranteed": 1.0, "Burstable": 0.25}
BARS_MS: dict[str, dict[int, float]] = {
    "homenode": dict.fromkeys(LEVELS, 0.5),
    "topology-aware": {0: 1.0, 200: 3.0},
    "balloons": {0: 1.0, 200: 3.0},
}
"""The most that the median of an agent of ours may be, by how many containers run."""

FLAT_BARS = {"homenode": 2.0, "topology-aware": 8.0, "balloons": 8.0}
"""200 containers are told of in one answer; the best peer grows by 29 times."""


def run(quick: bool) -> Iterator[Figure]:
    """p50 and p99 at every level, beside the floor's; the growth from none to 200."""
    samples = 20 if quick else 100
    p50: dict[tuple[str, str, int], float] = {}
    with running_nodes(*AGENTS) as nodes:
        for level in LEVELS:
            for node in nodes.values():
                populate(node, level)
            for qos in KINDS:
                taken = _take_turns(nodes, qos, samples)
                for name, values in taken.items():
                    p50[name, qos, level] = median(values)
                    yield from _figures(name, qos, level, values)
        for qos in KINDS:
            yield from _ratios(list(nodes), qos, p50)
    yield from absent_peers(BENCH)


def _figures(name: str, qos: str, level: int, values: list[float]) -> Iterator[Figure]:
    of = {"agent": name, "class": qos, "containers": level, "n": len(values)}
    limit = BARS_MS.get(name, {}).get(level)
    yield Figure(BENCH, "p50", median(values), "ms", limit, of)
    yield Figure(BENCH, "p99", quantile(values, 0.99), "ms", None, of)


def _ratios(names: list[str], qos: str, p50: dict[tuple[str, str, int], float]) -> Iterator[Figure]:
    last = LEVELS[-1]
    for name in names:
        limit = FLAT_BARS.get(name)
        growth = p50[name, qos, last] / p50[name, qos, 0]
        of = {"agent": name, "class": qos}
        yield Figure(BENCH, f"p50({last}) over p50(0)", growth, "ratio", limit, of)
    for level in LEVELS:
        beside = {"class": qos, "containers": level}
        for name in OURS:
            ratio = p50[name, qos, level] / p50["floor", qos, level]
            yield Figure(BENCH, f"{name} over floor", ratio, "ratio", None, beside)
        for peer in set(PEERS) & set(names):
            name = peer.partition(" ")[2]
            ratio = p50[name, qos, level] / p50[peer, qos, level]
            yield Figure(BENCH, f"{name} over its peer", ratio, "ratio", None, beside)


def _take_turns(nodes: dict[str, Node], qos: str, samples: int) -> dict[str, list[float]]:
    """Milliseconds per creation, by agent."""
    taken: dict[str, list[float]] = {name: [] for name in nodes}
    for number in range(samples):
        for name, node in nodes.items():
            pod = node.runtime.run_pod(f"sample-{number}", qos=qos)
            container = node.runtime.create_container(pod, "app", cpu=KINDS[qos])
            taken[name].append(container.latency_s * 1000)
            node.runtime.remove_pod(pod)
    return taken
