# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came out of a scenario, as data for JSON: the form that `docs/simulate.md` promises.

Out of scope: columns for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from homenode.world.decision import Decision

from .kube_node import KubeNode, Running
from .run import Run


def answer(run: Run) -> dict[str, Any]:
    """``{"error", "steps": [{"step", "error", "assignments", "pools"}]}``."""
    first = run.start()
    told: dict[str, tuple[Running, dict[str, Any]]] = {}
    steps = []
    for number, (state, error) in enumerate(run.states(first)):
        steps.append(
            {
                "step": number,
                "error": error,
                "assignments": _assignments(state.kube_node, told),
                "pools": _pools(state.kube_node),
            }
        )
    return {"error": first.refusal or None, "steps": steps}


def _assignments(
    kube_node: Optional[KubeNode], told: dict[str, tuple[Running, dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """By full name; whoever is as in *told*, the step before, is told in the same words."""
    found = {}
    for container_id, running in kube_node.running.items() if kube_node else ():
        known = told.get(container_id)
        if known is None or known[0] is not running:
            known = told[container_id] = (running, _assignment(running))
        found[running.ask.full_name] = known[1]
    return found


def _assignment(running: Running) -> dict[str, Any]:
    return {
        "cpus": str(running.live.cpus or "") or None,
        "mems": str(running.live.mems or "") or None,
        "pool": running.placed.place or None,
        "reasons": list(reasons(running.placed.decision)),
    }


def _pools(kube_node: Optional[KubeNode]) -> dict[str, dict[str, str]]:
    if kube_node is None:
        return {}
    return {
        place.name: {"cpus": str(place.cpus), "excess": place.excess}
        for place in kube_node.places()
    }


def reasons(decision: Decision) -> Iterable[str]:
    """Why it was decided, and by which rule who lost."""
    yield decision.reason
    losers: dict[str, list[str]] = {}
    for candidate in decision.candidates[1:]:
        losers.setdefault(decision.lost_by(candidate), []).append(candidate.name)
    for rule, names in losers.items():
        yield f"{rule or 'equal'}: {decision.candidates[0].name} before {', '.join(names)}"
