# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demonstration prints: pure text from what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homenode.report.columns import aligned
from model.kubelet.arithmetic import need
from model.kubelet.effective import Layer, Sources, effective
from model.kubelet.rendering import reserved_memory as as_list
from model.kubelet.rendering import reserved_memory_flags
from model.kubelet.split import rooms, split

DISTRIBUTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("kubeadm, as it comes", {}),
    (
        "kubespray, as it comes",
        {"kubeReserved": {"memory": "256Mi"}, "systemReserved": {"memory": "512Mi"}},
    ),
)
"""What each writes into the kubelet's configuration file about memory."""


@dataclass(frozen=True)
class PodRow:
    """One pod: what it asked for, what its cgroup shows, why; and whether the two agree."""

    cells: tuple[str, ...]
    as_granted: bool


def headline(accelerator: str, containerd: str) -> str:
    """Which machine this is."""
    how = "KVM" if accelerator == "kvm" else "TCG: no KVM here, so it proves behaviour, not speed"
    return f"\nA guest with two NUMA nodes is up ({how}), containerd {containerd}.\n"


def pod_row(
    name: str, qos: str, asked: Mapping[str, str], seen: Sequence[str], status: Mapping[str, Any]
) -> PodRow:
    """*seen* are the effective CPUs and memory nodes, *status* is ``homenode status --json``."""
    container = next(item for item in status["containers"] if item["pod"] == f"default/{name}")
    granted = container["granted"]
    same = granted.get("cpus", seen[0]) == seen[0] and granted.get("mems", seen[1]) == seen[1]
    request = " ".join(f"{key} {value}" for key, value in asked.items()) or "nothing"
    cells = (name, qos, request, seen[0], seen[1], container["decision"]["reason"])
    return PodRow(cells, same)


def pods(rows: Sequence[PodRow]) -> str:
    """The table of pods, and whether the cgroups agree with the agent."""
    head = ("POD", "QOS", "ASKED", "CPUS", "MEMORY NODES", "THE AGENT'S REASON")
    lines = aligned([head, *(row.cells for row in rows)])
    wrong = [row.cells[0] for row in rows if not row.as_granted]
    verdict = "each as the agent granted it" if not wrong else "NOT as granted: " + ", ".join(wrong)
    return "\n".join(
        ["", *lines, f"(CPUs and memory nodes were read from the cgroups; {verdict})\n"]
    )


def topology(facts: Mapping[str, Any]) -> str:
    """The machine in a line per node."""
    lines = ["The machine (homenode facts):"]
    for node in facts["nodes"]:
        distances = ", ".join(f"{key}: {value}" for key, value in node["distances"].items())
        size = node["memory"]["total_bytes"] >> 20
        lines.append(
            f"  node {node['id']}: CPUs {node['cpus']}, {size} MiB {node['kind']}, "
            f"distances {distances}"
        )
    return "\n".join(lines)


def reserved_memory(facts: Mapping[str, Any]) -> str:
    """What a kubelet on this machine would need, as kubeadm and as kubespray set it up."""
    lines = ["", "Reserved memory that a kubelet here needs for memoryManagerPolicy: Static"]
    for name, settings in DISTRIBUTIONS:
        found = effective(Sources(Layer("config.yaml", settings)))
        amount = need(found, facts["memory_total_bytes"])
        shares = split(amount.total.whole(field="need"), rooms(facts["nodes"]))
        lines.append(f"  {name}: {amount.equation()}")
        lines += [f"    --{flag}" for flag in reserved_memory_flags(as_list(shares))]
    return "\n".join(lines)


def next_steps(inventory: Path, seconds: float) -> str:
    """What to try next."""
    return f"""
Done in {seconds:.0f} s. The guest keeps running; try
  PYTHONPATH=tests .venv/bin/python -m lab ssh demo
    homenode status
    homenode explain one-cpu
    systemctl restart homenode && homenode status     # nothing moves
  ANSIBLE_COLLECTIONS_PATH=build/demo/collections .venv/bin/ansible-playbook \\
    -i {inventory} site.yml --check --diff              # nothing would change
  make demo-down                                        # removes every trace
"""
