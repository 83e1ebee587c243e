# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status: what the daemon knows as one JSON-clean mapping, and a table for people.

The daemon writes it on every change; whoever shows it adds what the cgroups say at that moment
(``with_live``), so a figure in it is never older than the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from homenode.world.ledger import Grant
from homenode.world.record import placement_dict
from homenode.world.world import World
from model.cgroup_path import cgroup_path
from model.cpuset import IdSet
from model.workload import Container, Placement, Pod, cpu_request_millis

from .columns import aligned, one_line, printable

SCHEMA = 1

Live = Callable[[str], Optional[Mapping[str, Any]]]
"""Gives {"cpus", "mems", "numa_bytes"} of a cgroup path, or None where it cannot be read."""


def status(world: World, agent: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the daemon knows; *agent* holds its pid, version, runtime and own problems."""
    containers = [
        _container(world, container, world.ledger.get(container.id))
        for container in sorted(world.containers.values(), key=world.full_name)
    ]
    return {
        "schema": SCHEMA,
        "agent": dict(agent),
        "pinning": world.pinning.policy if world.pinning else None,
        "shared_cpus": str(world.shared_cpus()),
        "exclusive_cpus": str(world.ledger.exclusive()),
        "places": [_place(place) for place in world.places()],
        "nodes": [
            {"id": node.id, "cpus": str(node.cpus), "memory_bytes": node.memory_total_bytes}
            for node in world.machine.nodes
        ],
        "containers": containers,
        "warnings": [problem.as_dict() for problem in world.warnings],
        "failed": [
            {"container": name, **problem.as_dict()}
            for name, problem in sorted(world.failed.items())
        ],
    }


def _place(place: Any) -> dict[str, Any]:
    """A pool or balloon (``pinning.policy.Place``), JSON-clean."""
    shown = {key: _plain(value) for key, value in vars(place).items()}
    return {**shown, "containers": list(place.containers)}


def _plain(value: object) -> object:
    return str(value) if isinstance(value, IdSet) else value


def _container(world: World, container: Container, grant: Optional[Grant]) -> dict[str, Any]:
    pod = world.pod_of(container)
    placement = grant.placement if grant else Placement()
    return {
        "name": world.full_name(container),
        "id": container.id,
        "pod": pod.full_name if pod else "?/?",
        "qos_class": pod.qos_class if pod else "?",
        "state": container.state,
        "cgroup": cgroup_path(container.cgroups_path),
        "asked": _asked(container, pod),
        "granted": placement_dict(placement),
        "place": grant.placed.place if grant else "",
        "exclusive": str(grant.exclusive) if grant else "",
        "decision": grant.decision.as_dict() if grant else None,
        "problems": [problem.as_dict() for problem in world.problems.get(container.id, ())],
    }


def _asked(container: Container, pod: Optional[Pod]) -> dict[str, int]:
    resources = container.resources
    return {
        "cpu_millis": cpu_request_millis(resources, pod.qos_class) if pod else 0,
        "memory_limit_bytes": max(resources.memory_limit_bytes or 0, 0),
    }


def with_live(stored: Mapping[str, Any], live: Live) -> dict[str, Any]:
    """The status with "actual", "verified" and "local_share" of each container, read now.

    *verified* is True where the cgroup shows what was granted, False where it differs, None where
    it cannot be read. *local_share* is the part of its memory on the nodes of its cpuset.
    """
    containers = []
    for container in stored["containers"]:
        reading = live(container["cgroup"]) if container["cgroup"] else None
        actual = None if reading is None else {key: reading[key] for key in ("cpus", "mems")}
        verified = None
        if actual is not None:
            verified = all(actual[key] == value for key, value in container["granted"].items())
        containers.append(
            {
                **container,
                "actual": actual,
                "verified": verified,
                "numa_bytes": {} if reading is None else reading["numa_bytes"],
            }
        )
    return {**stored, "containers": containers}


def table(current: Mapping[str, Any]) -> str:
    """The status for people, from a mapping that ``with_live`` made."""
    rows: list[tuple[str, ...]] = [("CONTAINER", "QOS", "CPUS", "MEMS", "IN CGROUP", "WHY")]
    rows += [_row(container) for container in current["containers"]]
    lines = [_headline(current), *aligned(rows), *problem_lines(current)]
    return printable("\n".join(lines) + "\n")


def _row(container: Mapping[str, Any]) -> tuple[str, ...]:
    granted, actual = container["granted"], container.get("actual") or {}
    seen = {True: "verified", False: "DIFFERS", None: "unread"}[container.get("verified")]
    return (
        one_line(container["name"]),
        container["qos_class"],
        granted.get("cpus") or actual.get("cpus") or "-",
        granted.get("mems") or actual.get("mems") or "-",
        seen,
        container["decision"]["reason"] if container["decision"] else "pinning is off",
    )


def _headline(current: Mapping[str, Any]) -> str:
    agent = current["agent"]
    return (
        f"homenode {agent['version']}, pid {agent['pid']}: {agent['runtime']}; "
        f"shared CPUs {current['shared_cpus'] or '-'}, own CPUs {current['exclusive_cpus'] or '-'}"
    )


def problem_lines(current: Mapping[str, Any]) -> list[str]:
    """One line per problem, each with field, value, reason and remedy."""
    found = [("agent", problem) for problem in current["agent"].get("problems", ())]
    found += [("pinning", problem) for problem in current["warnings"]]
    found += [(problem["container"], problem) for problem in current["failed"]]
    for container in current["containers"]:
        found += [(container["name"], problem) for problem in container["problems"]]
    return [
        f"! {one_line(who)}: {one_line(problem['field'])} {problem['value']!a}: "
        f"{problem['why']}; {problem['remedy']}"
        for who, problem in found
    ]
