# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files that a kubelet 1.35.4 wrote, as data, and files that none would read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.kubelet_state import CPU_TEXT, MEMORY_TEXT
from model.kubelet.checksums import CPU_STATE, MEMORY_STATE
from model.kubelet.state_files import described, memory_totals, parsed, problem

TOTAL, SHARE = 2059257856, 419430400


def test_cpus_of_pods() -> None:
    told = described(CPU_STATE, CPU_TEXT)
    assert (told["policy"], told["problem"], told["default_cpus"]) == ("static", "", "0,2-3")
    assert told["content"] == json.loads(CPU_TEXT)
    assert told["pods"] == [
        {
            "uid": "b09039f2a92a853fd37c9f2c38307218",
            "containers": [{"name": "main", "cpus": "1"}],
        }
    ]


def test_memory_of_pods_and_nodes() -> None:
    told = described(MEMORY_STATE, MEMORY_TEXT)
    assert (told["policy"], told["problem"]) == ("Static", "")
    granted = [pod["containers"][0]["memory"] for pod in told["pods"]]
    assert granted == [
        [{"type": "memory", "nodes": [0], "bytes": size}] for size in (200 << 20, 300 << 20)
    ]
    zero, one = told["nodes"]
    assert (zero["id"], zero["group"], zero["assignments"]) == (0, [0], 2)
    assert zero["memory"]["memory"] == {
        "total_bytes": TOTAL,
        "reserved_for_system_bytes": SHARE,
        "allocatable_bytes": TOTAL - SHARE,
        "reserved_bytes": 500 << 20,
        "free_bytes": TOTAL - SHARE - (500 << 20),
    }
    assert one["memory"]["memory"]["free_bytes"] == TOTAL


def test_totals_by_node() -> None:
    kinds = {"memory": TOTAL, "hugepages-1Gi": 0, "hugepages-2Mi": 0}
    assert memory_totals(json.loads(MEMORY_TEXT)) == {0: kinds, 1: kinds}
    assert memory_totals({"policyName": "None", "machineState": {}}) == {}


@pytest.mark.parametrize(
    "machine_state", [{"0": {}}, {"0": {"memoryMap": {"memory": {}}}}, {"x": {"memoryMap": {}}}]
)
def test_totals_that_no_kubelet_wrote(machine_state: object) -> None:
    with pytest.raises(ValueError):
        memory_totals({"machineState": machine_state})


PROBLEMS = {
    "": "unexpected end of JSON input",
    "{": "is no JSON object",
    "[]": "is no JSON object",
    "[" * 100000: "is no JSON object",
    "{}": "has no policyName",
    '{"policyName":"none"}': "has no checksum",
    '{"policyName":"none","checksum":true}': "has no checksum",
    CPU_TEXT.replace("0,2-3", "0-3"): "checkpoint is corrupted",
    CPU_TEXT: "",
}


@pytest.mark.parametrize(("text", "why"), PROBLEMS.items(), ids=PROBLEMS.values())
def test_what_a_kubelet_could_not_read(text: str, why: str) -> None:
    assert problem(CPU_STATE, text) == why
    assert described(CPU_STATE, text)["problem"] == why


@pytest.mark.parametrize(
    "number", ["x", "\u00b2", "-1", "9" * 5000], ids=["word", "square", "minus", "long"]
)
def test_a_node_whose_number_is_none_is_left_out(number: str) -> None:
    text = json.dumps({"policyName": "Static", "machineState": {number: {}, "10": {}, "9": {}}})
    assert [each["id"] for each in described(MEMORY_STATE, text)["nodes"]] == [9, 10]


def test_an_edited_memory_state_is_noticed() -> None:
    edited = MEMORY_TEXT.replace(str(TOTAL), str(TOTAL + 4096))
    assert problem(MEMORY_STATE, edited) == "checkpoint is corrupted"


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["entries", "machineState", "memoryMap", "memory", "0", "a"]), inner
        )
    ),
)


def test_what_looks_like_a_node_and_is_no_number_is_left_out() -> None:
    told = described(MEMORY_STATE, json.dumps({"machineState": {"²": {}, "1": {}}}))
    assert [numa_node["id"] for numa_node in told["nodes"]] == [1]


@given(st.sampled_from([CPU_STATE, MEMORY_STATE]), st.dictionaries(st.text(max_size=3), VALUES))
def test_any_content_is_described(name: str, content: dict[str, object]) -> None:
    content = {"policyName": "x", "checksum": 1, "entries": content, "machineState": content}
    told = described(name, json.dumps(content))
    assert parsed(json.dumps(content)) == told["content"]
