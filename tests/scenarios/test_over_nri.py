# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is placed over NRI, from the kubelet's numbers, is what ``simulate`` says of those steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes.nri_node import NriNode
from model.cpuset import CpuSet
from model.problem import HomenodeProblem
from peers.compare import simulate
from peers.recording import RECORDED, plain

VERBS = ("create", "delete", "exit", "update", "configure", "restart")
FILES = sorted([*Path(__file__).parent.glob("*/*.yaml"), *RECORDED.glob("*/*.yaml")])
SIMULATED_ALONE = ("test.topologyhints",)
"""What only a simulation obeys: such scenarios cannot be played over NRI."""

IDS_OF_CACHES = {"cache-groups", "cache-groups-full", "cache-groups-sliced"}
"""A described machine may number its caches; of a real one the lowest CPU counts, for firmware
gives ids twice."""


def content(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    read = plain(yaml.safe_load(text))
    steps = [{verb: one[verb] for verb in VERBS if verb in one} for one in read["steps"]]
    return {**read, "steps": steps}


def playable(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return path.stem not in IDS_OF_CACHES and not any(word in text for word in SIMULATED_ALONE)


PLAYED = [path for path in FILES if playable(path)]


@pytest.mark.parametrize("path", PLAYED, ids=[f"{one.parent.name}/{one.stem}" for one in PLAYED])
def test_the_same_as_simulated(path: Path) -> None:
    scenario = content(path)
    expected = simulate(scenario)
    if expected["error"]:
        with pytest.raises(HomenodeProblem):
            NriNode(scenario)
        return
    node = NriNode(scenario)
    for number, (one, answer) in enumerate(zip(scenario["steps"], expected["steps"])):
        refusal = node.take(one)
        assert bool(refusal) == bool(answer["error"]), (number, refusal, answer["error"])
        assert _lists(node.shown()) == {
            name: _list(given and (given["cpus"], given["mems"]))
            for name, given in answer["assignments"].items()
        }, number


def _lists(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: _list(given) for name, given in shown.items()}


def _list(given: Any) -> tuple[str, str]:
    """In one spelling; what is left alone is empty."""
    cpus, mems = given or ("", "")
    return str(CpuSet.parse(cpus or "")), str(CpuSet.parse(mems or ""))
