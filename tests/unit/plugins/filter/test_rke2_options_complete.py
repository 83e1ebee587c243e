# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the role lablabs.rke2, completed for a machine."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.homenode.numa.plugins.filter import rke2_options_check as check
from ansible_collections.homenode.numa.plugins.filter import rke2_options_complete as complete

CHECK = check.FilterModule().filters()["rke2_options_check"]
COMPLETE = complete.FilterModule().filters()["rke2_options_complete"]

HEAD = [
    "topology-manager-policy=single-numa-node",
    "topology-manager-scope=pod",
    "cpu-manager-policy=static",
    "memory-manager-policy=Static",
]
TAIL = ["kube-reserved=cpu=1,memory=1Gi", "system-reserved=memory=1Gi"]
ARTICLE = [f"kubelet-arg: {[*HEAD, 'reserved-memory=0:memory=2Gi', *TAIL]}"]
TWO = ["4Gi", "4Gi"]
EACH = ["reserved-memory=0:memory=1Gi", "reserved-memory=1:memory=1Gi"]

ANSWERS: dict[str, tuple[list[Any], list[Any]]] = {
    "the article's stays": (ARTICLE, ARTICLE),
    "no arguments": (["debug: true"], ["debug: true"]),
    "nothing": ([], []),
    "policy None": (["kubelet-arg: max-pods=2"], ["kubelet-arg: max-pods=2"]),
    "missing": ([f"kubelet-arg: {[*HEAD, *TAIL]}"], [f"kubelet-arg: {[*HEAD, *TAIL, *EACH]}"]),
    "wrong, in its place": (
        [f"kubelet-arg: {[*HEAD, 'reserved-memory=0:memory=2148Mi', *TAIL]}"],
        [f"kubelet-arg: {[*HEAD, *EACH, *TAIL]}"],
    ),
    "the comma form": (
        [f"kubelet-arg: {[*HEAD, 'reserved-memory=0:memory=1Gi,1:memory=1Gi', *TAIL]}"],
        [f"kubelet-arg: {[*HEAD, *EACH, *TAIL]}"],
    ),
    "a node that is not there": (
        [f"kubelet-arg: {[*HEAD, *TAIL, 'reserved-memory=7:memory=2Gi']}"],
        [f"kubelet-arg: {[*HEAD, *TAIL, *EACH]}"],
    ),
    "a mapping": (
        [{"debug": True, "kubelet-arg": [*HEAD, *TAIL]}, "cni: canal"],
        [{"debug": True, "kubelet-arg": [*HEAD, *TAIL, *EACH]}, "cni: canal"],
    ),
    "lines over several options": (
        [
            "debug: true",
            "kubelet-arg:",
            *(f"  - {item}" for item in [*HEAD, *TAIL]),
            "# end",
            "a: 1",
        ],
        ["debug: true", f"kubelet-arg: {[*HEAD, *TAIL, *EACH]}", "# end", "a: 1"],
    ),
    "an option of several lines": (
        ["a: 1\nkubelet-arg:\n" + "\n".join(f"- {i}" for i in [*HEAD, *TAIL]) + "\nb: 2"],
        [f"a: 1\nkubelet-arg: {[*HEAD, *TAIL, *EACH]}\nb: 2"],
    ),
    "appended": (
        [f"kubelet-arg: {HEAD}", f"kubelet-arg+: {TAIL}"],
        [f"kubelet-arg: {HEAD}", f"kubelet-arg+: {[*TAIL, *EACH]}"],
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_only_what_is_missing_or_wrong_changes(name: str) -> None:
    options, wanted = ANSWERS[name]
    assert COMPLETE(options, numa=TWO) == wanted
    assert COMPLETE(wanted, numa=TWO) == wanted
    assert CHECK(wanted, numa={"nodes": [{"id": n, "memory_total": "4Gi"} for n in (0, 1)]}) == []


REFUSED: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "another mistake": (["kubelet-arg: no-such=1"], {}, "unknown flag"),
    "no YAML": (["kubelet-arg ['a']"], {}, r"options\[0\]"),
    "twice": ([*ARTICLE, *ARTICLE], {}, "is lost"),
    "nothing to reserve": (["kubelet-arg: memory-manager-policy=Static"], {}, "should specify"),
    "more than there is": (
        ["kubelet-arg: [memory-manager-policy=Static, kube-reserved=memory=9Gi]"],
        {},
        "more than the node has",
    ),
    "a strategy that does not add up": (
        [f"kubelet-arg: {[*HEAD, *TAIL]}"],
        {"strategy": {0: "1Gi"}},
        "adds up to 1Gi, not to 2Gi",
    ),
    "a share of unknown memory": (
        [f"kubelet-arg: {[*HEAD, *TAIL, 'eviction-hard=memory.available<5%']}"],
        {},
        "mem_total",
    ),
    "not needed, and wrong": (["kubelet-arg: 'reserved-memory=0'"], {}, "incorrect format"),
    "no machine": (ARTICLE, {"numa": []}, "numa_nodes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_completed_is_refused(name: str) -> None:
    options, named, words = REFUSED[name]
    with pytest.raises(AnsibleFilterError, match=words):
        COMPLETE(options, **{"numa": TWO, **named})


MIB = st.integers(1, 3000)


@given(MIB, MIB, st.sampled_from(["proportional", "even", "first"]), st.lists(MIB, max_size=2))
def test_the_completed_list_is_fine_and_stays(
    kube: int, system: int, strategy: str, wrong: list[int]
) -> None:
    items = ["memory-manager-policy=Static", f"kube-reserved=memory={kube}Mi"]
    items += [f"reserved-memory={n}:memory={share}Mi" for n, share in enumerate(wrong)]
    items += [f"system-reserved=memory={system}Mi"]
    options = [f"kubelet-arg: {items}"]
    numa = {"nodes": [{"id": n, "memory_total": "8Gi"} for n in (0, 1)]}
    once = COMPLETE(options, numa, strategy)
    assert CHECK(once, numa=numa) == []
    assert COMPLETE(once, numa, strategy) == once
