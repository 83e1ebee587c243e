# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a decision alone costs, without a wire: on a large machine, with much that runs already.

All of 500 containers are placed on 256 CPUs of 8 NUMA nodes, as for an agent that is new on a node.
One sample is a creation beside them; then all of them are adopted at once, as after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from fakes.machines import machine_files, sockets
from homenode.intent.config import PinningConfig
from homenode.intent.policy_objects import parse_spec
from homenode.pinning import make_policy
from homenode.pinning.policy import Ask, Held, Placed, Policy
from host_files import RecordedFiles
from model.sysfs import read_machine
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED, Pod

from .figures import Figure, median, quantile

BENCH = "decide"
CONTAINERS = 500
P99_BAR_MS = 20.0
ALL_BAR_MS = 1000.0
"""Placing or adopting everybody."""
SHAPE = sockets(4, nodes=2, cores=16, threads=2)
SPECS: dict[str, dict[str, Any]] = {
    "topology-aware": {"reservedResources": {"cpu": "cpuset:0-1"}},
    "balloons": {
        "reservedResources": {"cpu": "cpuset:0-1"},
        "balloonTypes": [
            {"name": "own", "namespaces": ["own"], "minCPUs": 1, "preferNewBalloons": True},
            {"name": "rest", "namespaces": ["*"], "maxCPUs": 16, "shareIdleCPUsInSame": "numa"},
        ],
    },
}


def run(quick: bool) -> Iterator[Figure]:
    """The time to place everybody, p50 and p99 of a creation of each class, the time to adopt."""
    machine = read_machine(RecordedFiles(machine_files(SHAPE)))
    for name, spec in SPECS.items():
        kind = {"topology-aware": "TopologyAwarePolicy", "balloons": "BalloonsPolicy"}[name]
        config = PinningConfig(policy=name, spec=parse_spec(kind, spec, source="bench"))
        policy = make_policy(machine, config)
        books, asks = policy.start(), [_ask(number) for number in range(CONTAINERS)]
        placed: dict[str, Placed] = {}
        began = time.perf_counter()
        for ask in asks:
            outcome = policy.place(books, ask)
            books = outcome.books
            placed.update(outcome.changed)
            if outcome.placed is not None:
                placed[ask.container_id] = outcome.placed
        took = (time.perf_counter() - began) * 1000
        of = {"policy": name, "containers": CONTAINERS}
        yield Figure(BENCH, "place all", took, "ms", ALL_BAR_MS, of)
        yield from _creations(name, policy, books, 40 if quick else 200)
        yield _adoption(name, policy, books, asks, placed)


def _creations(name: str, policy: Policy, books: Any, samples: int) -> Iterator[Figure]:
    for qos in (GUARANTEED, BURSTABLE, BEST_EFFORT):
        taken = []
        for number in range(samples):
            ask = _ask(10_000 + number, qos)
            began = time.perf_counter()
            policy.place(books, ask)
            taken.append((time.perf_counter() - began) * 1000)
        of = {"policy": name, "class": qos, "containers": CONTAINERS, "n": samples}
        yield Figure(BENCH, "p50", median(taken), "ms", None, of)
        yield Figure(BENCH, "p99", quantile(taken, 0.99), "ms", P99_BAR_MS, of)


def _adoption(
    name: str, policy: Policy, books: Any, asks: list[Ask], placed: dict[str, Placed]
) -> Figure:
    held = [Held(ask, placed[ask.container_id].placement) for ask in asks]
    memory = policy.remember(books)
    began = time.perf_counter()
    policy.adopt(held, memory)
    took = (time.perf_counter() - began) * 1000
    of = {"policy": name, "containers": CONTAINERS}
    return Figure(BENCH, "adopt", took, "ms", ALL_BAR_MS, of)


def _ask(number: int, qos: str = "") -> Ask:
    """One in eight owns a CPU; the rest shares in different ways."""
    if not qos:
        qos = GUARANTEED if number % 8 == 0 else (BURSTABLE, BEST_EFFORT)[number % 2]
    request = {GUARANTEED: 1000, BURSTABLE: 200, BEST_EFFORT: 0}[qos]
    namespace = "own" if qos == GUARANTEED else "default"
    pod = Pod(f"pod-{number}", f"pod-{number}", namespace, f"uid-{number}")
    limit = request if qos == GUARANTEED else 0
    size = 64 << 20 if qos != BEST_EFFORT else 0
    return Ask(f"container-{number}", "app", pod, qos, request, limit, size, size, order=number)
