# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many containers a restart moves (none), and how long it takes until decisions flow again."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator

from fake_runtime.node import Node

from .figures import Figure
from .nodes import AGENTS, OURS, populate, running_nodes

BENCH = "restart"
CONTAINERS = 200
BAR_MS = 300.0
WAYS = {"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL, "state lost": signal.SIGKILL}


def run(quick: bool) -> Iterator[Figure]:
    """For each way to restart, of 200 containers."""
    with running_nodes(*(name for name in AGENTS if name != "floor")) as nodes:
        for name, node in nodes.items():
            populate(node, CONTAINERS)
            for way, how in WAYS.items():
                yield from _restart(name, node, way, how)


def _restart(name: str, node: Node, way: str, how: signal.Signals) -> Iterator[Figure]:
    before = node.runtime.placements()
    node.agent.stop(how)
    node.runtime.wait_for_plugins(0)
    if way == "state lost":
        shutil.rmtree(node.agent.state_dir)
    began = time.perf_counter()
    node.agent.start()
    node.runtime.wait_for_plugins(timeout_s=30)
    took = time.perf_counter() - began
    moved = sum(before[key] != now for key, now in node.runtime.placements().items())
    of = {"agent": name, "way": way, "containers": CONTAINERS}
    yield Figure(BENCH, "containers moved", moved, "", 0 if name in OURS else None, of)
    yield Figure(
        BENCH, "start to synchronized", took * 1000, "ms", BAR_MS if name in OURS else None, of
    )
