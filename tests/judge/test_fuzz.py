# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations by chance, heard by real kubelets and by the filters: both say the same.

HOMENODE_JUDGE_CASES sets how many (200 unless it is set). The cases are the same in every run of
the same number; what disagrees is printed as a scenario to be kept. Needs root and Go.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from judge import answers, build
from judge.compare import disagreements
from judge.configurations import SHAPES, Made, made
from judge.court import Case, Judge
from judge.scenarios import edit_state
from judge.topology import Topology

CASES = int(os.environ.get("HOMENODE_JUDGE_CASES", "200"))
SEED = int(os.environ.get("HOMENODE_JUDGE_SEED", "1"))
PLACES = 3
VERSIONS = (build.NEW, build.OLD)
Facts = dict[Topology, dict[str, Any]]


@pytest.mark.parametrize("version", VERSIONS)
def test_kubelet_and_filters_agree_by_chance(version: str) -> None:
    wanted = _some(CASES // len(VERSIONS))
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        facts = {shape: answers.facts(shape, Path(folder) / name) for name, shape in SHAPES.items()}
    with Judge(version, places=PLACES) as judge:
        heard = judge.in_turn(lambda one: _heard(one, judge, facts), wanted)
    found = [text for texts, _started in heard for text in texts]
    started = sum(started for _texts, started in heard)
    print(f"{version}: {len(heard)} cases, of which {started} start; {len(found)} disagreements")
    assert not found, "\n\n".join(found)
    assert len(heard) // 10 < started < len(heard), "cases of both kinds are wanted"


def _some(count: int) -> list[Made]:
    """Cases that hypothesis makes; kubelets are asked later, several at a time."""
    found: list[Made] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(made())
    def collect(one: Made) -> None:
        found.append(one)

    collect()
    return found


def _heard(one: Made, judge: Judge, facts: Facts) -> tuple[list[str], bool]:
    """The disagreements about a case, and whether it starts."""
    case = _fitted(one.case, judge, facts) if one.fitted else one.case
    texts, started, state = _judged(case, judge, facts)
    if one.again and started and state:
        base = None if case.base is None else {**case.base, **one.changed}
        edited = dict(state)
        for name, edit in one.edits.items():
            if name in edited:
                text = edit_state(name, edited.pop(name), edit)
                edited.update({} if text is None else {name: text})
        shape = one.moved if len(one.changed) % 3 == 2 else case.topology
        later = dataclasses.replace(case, base=base, state=edited, topology=shape)
        later = _fitted(later, judge, facts) if one.fitted else later
        more, started, _state = _judged(later, judge, facts)
        texts += more
    return texts, started


def _fitted(case: Case, judge: Judge, facts: Facts) -> Case:
    """*case* with the sum that the filter asks for, where it asks for one."""
    answer = answers.answer(case, facts[case.topology], judge.version)
    need = (answer.need or {}).get("quantity")
    config = answer.effective["config"]
    if not need or need == "0" or config.get("memoryManagerPolicy") != "Static":
        return case
    flags = [flag for flag in case.flags if not flag.startswith("reserved-memory")]
    return dataclasses.replace(case, flags=(*flags, f"reserved-memory=0:memory={need}"))


def _judged(case: Case, judge: Judge, facts: Facts) -> tuple[list[str], bool, dict[str, str]]:
    outcome = judge.run(case)
    answer = answers.answer(case, facts[case.topology], judge.version)
    shown = {
        "topology": next(name for name, shape in SHAPES.items() if shape == case.topology),
        "base": case.base,
        "dropins": case.dropins,
        "flags": case.flags,
        "state": case.state,
    }
    texts = [
        f"{judge.version}: {text}\n{json.dumps(shown)}"
        for text in disagreements(outcome, answer, judge.version)
    ]
    return texts, outcome.starts, dict(outcome.state)
