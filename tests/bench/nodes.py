# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agents that are measured, each on a node of its own: ours, the floor, a peer if there is one.

The floor is our runtime room with a handler that answers "no change": what the wire alone costs.
All run under the Python that a node would use, the distribution's own where there is one.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Optional

from fake_runtime.node import Node, peer_command
from peers.sysfs import described, machine_files

from .figures import Figure

HERE = Path(__file__).resolve().parent
PEERS = {"peer topology-aware": "PEER_TOPOLOGY_AWARE", "peer balloons": "PEER_BALLOONS"}
"""The variables that name the binaries of the peers."""

TOPOLOGY_AWARE = """
apiVersion: config.nri/v1alpha1
kind: TopologyAwarePolicy
metadata: {name: default, namespace: kube-system}
spec:
  reservedResources: {cpu: 750m}
  pinCPU: true
  pinMemory: true
"""
BALLOONS = """
apiVersion: config.nri/v1alpha1
kind: BalloonsPolicy
metadata: {name: default, namespace: kube-system}
spec:
  reservedResources: {cpu: 750m}
  pinCPU: true
  pinMemory: true
  balloonTypes:
  - {name: shared, namespaces: ["*"], maxCPUs: 8}
"""
OBJECTS = {
    "topology-aware": TOPOLOGY_AWARE,
    "balloons": BALLOONS,
    "peer topology-aware": TOPOLOGY_AWARE,
    "peer balloons": BALLOONS,
}
"""The policy objects, the same for a peer as for us."""

PACKAGES = [
    {"nodes": [{"id": n, "cpus": f"{4 * n}-{4 * n + 3}", "memory": "32Gi"} for n in pair]}
    for pair in ((0, 1), (2, 3))
]
DISTANCES = [[10, 11, 21, 21], [11, 10, 21, 21], [21, 21, 10, 11], [21, 21, 11, 10]]
MACHINE = machine_files(described({"packages": PACKAGES, "distances": DISTANCES}))
"""Sixteen CPUs on four NUMA nodes, with the files that peers read too."""


def node_python() -> str:
    """The Python of the measured agents: BENCH_PYTHON, /usr/bin/python3 if it fits, else ours."""
    chosen = os.environ.get("BENCH_PYTHON")
    if chosen:
        return chosen
    system = "/usr/bin/python3"
    if os.path.exists(system):
        probe = "import sys; sys.exit(sys.version_info < (3, 9))"
        if subprocess.run([system, "-c", probe], check=False).returncode == 0:
            return system
    return sys.executable


def describe_here() -> dict[str, object]:
    """What the figures were measured on."""
    version = subprocess.run([node_python(), "-V"], capture_output=True, text=True, check=True)
    return {
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": version.stdout.strip(),
    }


def agent_options(name: str) -> Optional[dict[str, Any]]:
    """How to start the agent *name*; None for a peer that is absent."""
    if name == "floor":
        return {"command": [node_python(), str(HERE / "floor_plugin.py")]}
    if name not in PEERS:
        return {
            "command": [node_python(), "-m", "homenode", "run"],
            "config_text": OBJECTS.get(name),
        }
    command = peer_command(PEERS[name])
    if command is None:
        return None
    own = os.environ.get(f"{PEERS[name]}_CONFIG")
    return {
        "command": command,
        "config_text": Path(own).read_text() if own else OBJECTS[name],
        "environment": {**os.environ, "NODE_NAME": "bench"},
    }


def absent_peers(bench: str) -> Iterator[Figure]:
    """One line for each peer that the environment does not name."""
    for variable in PEERS.values():
        if peer_command(variable) is None:
            yield Figure(bench, "peer absent", 0, "", of={"peer": "absent", "set": variable})


OURS = ("homenode", "topology-aware", "balloons")
AGENTS = (*OURS, "floor", *PEERS)


@contextmanager
def running_nodes(*names: str) -> Iterator[dict[str, Node]]:
    """One node with a synchronized agent for each name; absent peers are left out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homenode-bench-")))
        nodes = {}
        for name in names:
            options = agent_options(name)
            if options is not None:
                node = stack.enter_context(Node(folder / name, MACHINE, **options))
                node.start()
                nodes[name] = node
        yield nodes


def populate(node: Node, count: int) -> None:
    """Bring *node* to *count* containers: one in ten with CPUs of its own, the rest shares."""
    while len(node.runtime.containers) < count:
        number = len(node.runtime.containers)
        if number % 20 == 0 and number < 160:
            pod = node.runtime.run_pod(f"own-{number}")
            node.runtime.create_container(pod, "app", cpu=1)
        else:
            qos = "Burstable" if number % 2 else "BestEffort"
            pod = node.runtime.run_pod(f"shared-{number}", qos=qos)
            node.runtime.create_container(pod, "app", cpu=0.05 if number % 2 else 0)
