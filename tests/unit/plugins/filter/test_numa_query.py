# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter numa_query: answers, refusals, and a controller without jmespath."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import numa_query as room

numa_query = room.FilterModule().filters()["numa_query"]

FACTS: dict[str, Any] = {
    "nodes": [
        {"id": 0, "kind": "dram", "memory": {"free_bytes": 1}, "distances": {"0": 10, "2": 17}},
        {"id": 2, "kind": "hbm", "memory": {"free_bytes": 5}, "distances": {"0": 17, "2": 10}},
    ],
    "packages": [{"id": 0, "nodes": [0]}],
    "numa": True,
}


class Text(str):
    """As Ansible's own texts: a str by inheritance, not by name."""


class Sequence(list[Any]):
    """As Ansible's own sequences."""


class Mapping(dict[Any, Any]):
    """As Ansible's own mappings."""


QUESTIONS: dict[str, tuple[str, Any]] = {
    "a path": ("nodes[0].kind", "dram"),
    "a filter": ("nodes[?kind != 'dram'].id", [2]),
    "a function that wants an array": ("max_by(nodes, &memory.free_bytes).id", 2),
    "a function that wants text": ("nodes[?starts_with(kind, 'h')].id", [2]),
    "a key that looks like a number": ('nodes[0].distances."2"', 17),
    "membership": ("packages[?contains(nodes, `0`)].id", [0]),
    "a truth": ("numa", True),
    "what is not there": ("sockets[0]", None),
}


@pytest.mark.parametrize(("expression", "answer"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question(expression: str, answer: Any) -> None:
    assert numa_query(FACTS, expression) == answer
    assert numa_query(_as_ansible_has_it(FACTS), Text(expression)) == answer


def _as_ansible_has_it(value: Any) -> Any:
    if isinstance(value, dict):
        return Mapping({Text(key): _as_ansible_has_it(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return Sequence(_as_ansible_has_it(inner) for inner in value)
    return Text(value) if isinstance(value, str) else value


NONSENSE: dict[str, object] = {
    "no end": "nodes[",
    "unknown function": "biggest(nodes)",
    "wrong type": "max_by(numa, &id)",
    "empty": "",
    "no text": 7,
    "nothing": None,
}


@pytest.mark.parametrize("expression", NONSENSE.values(), ids=NONSENSE.keys())
def test_what_is_no_question_is_refused(expression: object) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        numa_query(FACTS, expression)
    said = str(caught.value)
    assert said.startswith("homenode.numa.numa_query: expression ")
    assert "write a JMESPath expression like" in said


def test_a_refusal_does_not_quote_all_the_facts() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        numa_query({"nodes": [FACTS] * 100}, "abs(nodes)")
    assert len(str(caught.value)) < 400


def test_without_jmespath_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "HAS_JMESPATH", False)
    with pytest.raises(AnsibleFilterError, match=r"jmespath is missing .* install it there"):
        numa_query(FACTS, "nodes")
