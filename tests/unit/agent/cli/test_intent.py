# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verb: files and stdin, text and JSON, and exit codes for pipelines."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from homenode.cli import main

Capture = pytest.CaptureFixture[str]

GOOD = """
apiVersion: v1
kind: Pod
metadata:
  name: db
  namespace: shop
  annotations: {memory-type.resource-policy.nri.io/pod: "dram,pmem"}
spec:
  containers:
  - {name: c, resources: {limits: {cpu: 2, memory: 1Gi}}}
  - {name: d, resources: {limits: {cpu: 1, memory: 1Gi}}}
---
kind: Service
metadata: {name: db}
"""
BAD = GOOD.replace("dram,pmem", "dram,ram")
ANCHORED = GOOD.replace("annotations: {", "annotations: &x {").replace("spec:", "spec:\n  x: *x")
POLICY = """
apiVersion: config.nri/v1alpha1
kind: BalloonsPolicy
metadata: {name: default}
spec: {reservedResources: {cpu: 1}, balloonTypes: [{name: db}]}
"""


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_all_is_well(tmp_path: Path, capsys: Capture) -> None:
    assert main(["intent", write(tmp_path / "m.yaml", GOOD), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "pods": [
            {
                "pod": "shop/db",
                "qos_class": "Guaranteed",
                "intent": {
                    "c": {"memory_types": ["DRAM", "PMEM"]},
                    "d": {"memory_types": ["DRAM", "PMEM"]},
                },
                "problems": [],
            }
        ]
    }


def test_a_problem_is_told_and_refused(tmp_path: Path, capsys: Capture) -> None:
    assert main(["intent", write(tmp_path / "m.yaml", BAD), "--format", "json"]) == 1
    (pod,) = json.loads(capsys.readouterr().out)["pods"]
    (problem,) = pod["problems"]
    assert problem == {
        "field": "memory-type.resource-policy.nri.io/pod",
        "value": "dram,ram",
        "why": "'ram' is no type of memory",
        "remedy": "use some of: dram, pmem, hbm, mixed",
    }
    assert pod["intent"] == {"c": {}, "d": {}}


def test_for_people(tmp_path: Path, capsys: Capture) -> None:
    weighed = "c: [{match: {key: name, operator: In, values: [d]}, weight: 9}]"
    both = GOOD.replace(
        "annotations: {", f'annotations: {{resource-policy.nri.io/anti-affinity: "{weighed}", '
    )
    assert main(["intent", write(tmp_path / "m.yaml", both)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop/db (Guaranteed)",
        "  c  memory types: DRAM PMEM",
        "     affinities: -9 for name In d, within the same pod",
        "  d  memory types: DRAM PMEM",
    ]
    assert main(["intent", write(tmp_path / "m.yaml", BAD)]) == 1
    out = capsys.readouterr().out
    assert "  c  nothing is asked for" in out
    assert "  problem: memory-type.resource-policy.nri.io/pod \"dram,ram\": 'ram' is no" in out


def test_several_and_stdin(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(BAD.encode())))
    assert main(["intent", write(tmp_path / "m.yaml", GOOD), "-", "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["pods"]) == 2


def test_no_pods(tmp_path: Path, capsys: Capture) -> None:
    assert main(["intent", write(tmp_path / "m.yaml", "kind: Service")]) == 0
    assert capsys.readouterr().out == "no pod in there\n"


def test_anchors_need_pyyaml(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "m.yaml", ANCHORED)
    assert main(["intent", path]) == 0
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert main(["intent", path]) == 1
    assert "line 7 has a sign that has a meaning in YAML" in capsys.readouterr().err


UNREADABLE: dict[str, Any] = {
    "no YAML": "a: [",
    "a key twice beside an anchor": "kind: &x Pod\nkind: Pod\n",
    "no manifest": "- 1",
    "another's YAML": "replicas: 3",
    "not UTF-8": None,
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_manifest(tmp_path: Path, capsys: Capture, text: Any) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xff\xfe" if text is None else text.encode())
    assert main(["intent", str(path), "--format", "json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("homenode: ")
    assert captured.err.count("\n") == 1


def test_a_file_that_is_not_there(capsys: Capture) -> None:
    assert main(["intent", "/nowhere.yaml"]) == 1
    assert 'MANIFEST "/nowhere.yaml": cannot be read' in capsys.readouterr().err


def test_a_policy_at_hand(tmp_path: Path, capsys: Capture) -> None:
    manifest = write(tmp_path / "m.yaml", GOOD.replace("memory-type.", "balloon.balloons."))
    policy = write(tmp_path / "p.yaml", POLICY)
    assert main(["intent", manifest, "--config-file", policy]) == 1
    assert 'no balloon for annotation "dram,pmem"; use one of: db,' in capsys.readouterr().out
    assert main(["intent", manifest, "--config-file", write(tmp_path / "q.yaml", GOOD)]) == 1
    assert "--config-file" in capsys.readouterr().err
