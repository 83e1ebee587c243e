# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A machine as plain data, for Ansible and for ``homenode facts --json``: others build on it.

CPUs are text in the kernel's list format (``0-3,8``), node ids are numbers, keys of mappings are
text (JSON knows no other), memory is in bytes and huge pages are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .machine import Machine, NumaNode

Facts = dict[str, Any]


def machine_facts(machine: Machine) -> Facts:
    """The facts about *machine*; equal machines have equal facts, down to the order of keys."""
    return {
        "numa": machine.numa,
        "memory_total_bytes": machine.memory_total_bytes,
        "threads_per_core": machine.threads_per_core,
        "nodes": [_node_facts(node) for node in machine.nodes],
        "packages": [
            {"id": package.id, "nodes": list(package.nodes), "cpus": str(package.cpus)}
            for package in machine.packages
        ],
        "dies": [
            {"id": die.id, "package": die.package, "cpus": str(die.cpus)} for die in machine.dies
        ],
        "cpus": {
            "online": str(machine.online),
            "present": str(machine.present),
            "isolated": str(machine.isolated),
            "siblings": [str(core) for core in machine.siblings],
            "performance": str(machine.performance_cpus),
            "efficiency": str(machine.efficiency_cpus),
        },
        "last_level_caches": [
            {
                "id": cache.id,
                "cpus": str(cache.cpus),
                "size_bytes": cache.size_bytes,
                "level": cache.level,
            }
            for cache in machine.last_level_caches
        ],
    }


def without_free_figures(facts: Mapping[str, Any]) -> Facts:
    """*facts* without what changes from one reading to the next: free memory, free huge pages."""
    return {**facts, "nodes": [_without_free(node) for node in facts["nodes"]]}


def _node_facts(node: NumaNode) -> Facts:
    return {
        "id": node.id,
        "cpus": str(node.cpus),
        "kind": node.kind,
        "package": node.package,
        "memory": {
            "total_bytes": node.memory_total_bytes,
            "free_bytes": node.memory_free_bytes,
            "hugepages": {
                size: {"total": pages.total, "free": pages.free}
                for size, pages in node.hugepages.items()
            },
        },
        "distances": {str(other): distance for other, distance in node.distances.items()},
    }


def _without_free(node: Mapping[str, Any]) -> Facts:
    memory = node["memory"]
    hugepages = {size: {"total": pages["total"]} for size, pages in memory["hugepages"].items()}
    return {
        **node,
        "memory": {"total_bytes": memory["total_bytes"], "hugepages": hugepages},
    }
