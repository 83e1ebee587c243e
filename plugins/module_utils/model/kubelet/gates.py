# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The feature gates that decide about NUMA, by version: open or closed, and whether they move.

Source: ``pkg/features/kube_features.go``, compared with kubelets 1.31.0 and 1.35.4. Out of scope:
every other gate; a kubelet refuses one that it does not know, and nobody here can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..problem import Problem
from .configuration import Settings
from .defaults import Version

ALPHA, BETA, STABLE = "Alpha", "Beta", ""


@dataclass(frozen=True)
class Stage:
    """From *since* on: its *name*, what it is without being set, and whether it is locked."""

    since: Version
    name: str
    default: bool
    locked: bool = False


GATES: Mapping[str, tuple[Stage, ...]] = {
    "CPUManagerPolicyOptions": (
        Stage((1, 23), BETA, True),
        Stage((1, 33), STABLE, True, locked=True),
    ),
    "CPUManagerPolicyAlphaOptions": (Stage((1, 23), ALPHA, False),),
    "CPUManagerPolicyBetaOptions": (Stage((1, 23), BETA, True),),
    "MemoryManager": (Stage((1, 22), BETA, True), Stage((1, 32), STABLE, True, locked=True)),
    "TopologyManagerPolicyOptions": (Stage((1, 28), BETA, True), Stage((1, 32), STABLE, True)),
    "TopologyManagerPolicyAlphaOptions": (Stage((1, 26), ALPHA, False),),
    "TopologyManagerPolicyBetaOptions": (Stage((1, 28), BETA, True),),
    "NodeSwap": (
        Stage((1, 28), BETA, False),
        Stage((1, 30), BETA, True),
        Stage((1, 34), STABLE, True, locked=True),
    ),
    "MemoryQoS": (Stage((1, 22), ALPHA, False),),
}


def is_open(gate: str, config: Settings, version: Version) -> bool:
    """Whether *gate* is open with the ``featureGates`` of *config*."""
    stage = _stage(gate, version)
    given = _given(config)
    if gate in given:
        return given[gate]
    whole_stage = f"All{stage.name}"
    return given[whole_stage] if stage.name and whole_stage in given else stage.default


def gate_problems(config: Settings, version: Version) -> Iterator[Problem]:
    """Gates that can not be set to what they are set to."""
    for gate, value in sorted(_given(config).items()):
        if gate in GATES:
            stage = _stage(gate, version)
            if stage.locked and value != stage.default:
                why = f"cannot set feature gate {gate} to {str(value).lower()}, feature is locked"
                why += f" to {str(stage.default).lower()}"
                yield Problem(f"featureGates.{gate}", str(value), why, "remove it")


def option_problems(config: Settings, version: Version) -> Iterator[Problem]:
    """Options of the managers whose gates are closed."""
    for key, words, gates in (
        ("cpuManagerPolicyOptions", "CPU Manager", ("CPUManager", "CPUManagerPolicyOptions")),
        ("topologyManagerPolicyOptions", "topology manager", ("TopologyManagerPolicyOptions",)),
    ):
        options = config.get(key)
        stage = _stage(gates[-1], version)
        if isinstance(options, Mapping) and not (
            stage.locked or is_open(gates[-1], config, version)
        ):
            shown = " ".join(f"{name}:{value}" for name, value in sorted(options.items()))
            quoted = ", ".join(f'"{gate}"' for gate in gates)
            why = f"{words} policy options map[{shown}] require feature gates {quoted} enabled"
            yield Problem(key, shown, why, f"open {gates[-1]}, or remove the options")


def _stage(gate: str, version: Version) -> Stage:
    return [stage for stage in GATES[gate] if stage.since <= version][-1]


def _given(config: Settings) -> dict[str, bool]:
    gates = config.get("featureGates")
    items = gates.items() if isinstance(gates, Mapping) else ()
    return {str(name): value for name, value in items if isinstance(value, bool)}
