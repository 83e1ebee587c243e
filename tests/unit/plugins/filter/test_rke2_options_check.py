# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found in an inventory for the role lablabs.rke2, and what is let pass."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.homenode.numa.plugins.filter import rke2_options_check as plugin
from ansible_collections.homenode.numa.plugins.plugin_utils import kubelet_flags as plugin_flags

CHECK = plugin.FilterModule().filters()["rke2_options_check"]

ITEMS = [
    "topology-manager-policy=single-numa-node",
    "topology-manager-scope=pod",
    "cpu-manager-policy=static",
    "memory-manager-policy=Static",
    "reserved-memory=0:memory=2Gi",
    "kube-reserved=cpu=1,memory=1Gi",
    "system-reserved=memory=1Gi",
]
ARTICLE = [f"kubelet-arg: {ITEMS}"]
"""The article's only option, byte by byte."""
TWO = {"nodes": [{"id": n, "memory_total": "4Gi"} for n in (0, 1)]}
DISKS = "nodefs.available<5%,imagefs.available<5%"


def with_items(*items: str, without: str = "") -> list[str]:
    """The article's option with other arguments."""
    kept = [item for item in ITEMS if not without or not item.startswith(without)]
    return [f"kubelet-arg: {[*kept, *items]}"]


def test_the_article_spells_its_option_as_this_test_does() -> None:
    assert ARTICLE[0].startswith("kubelet-arg: ['topology-manager-policy=single-numa-node', 'top")


FINE: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing": ([], {}),
    "not defined": (None, {}),
    "the article's": (ARTICLE, {}),
    "the article's before 1.32": (ARTICLE, {"version": "v1.31.4+rke2r1"}),
    "the article's on a machine with two nodes": (ARTICLE, {"numa": TWO}),
    "a mapping": ([{"kubelet-arg": ITEMS}], {}),
    "lines over several options": (["kubelet-arg:", *(f"  - {item}" for item in ITEMS)], {}),
    "one option of several lines": (["kubelet-arg:\n" + "\n".join(f"- {i}" for i in ITEMS)], {}),
    "only rke2_kubelet_arg": (["node-ip: 10.0.0.1"], {"kubelet_args": ITEMS}),
    "dashes in front": (["kubelet-arg: ['--max-pods=250']"], {}),
    "one text": (["kubelet-arg: max-pods=250"], {}),
    "added": ([{"kubelet-arg": ["max-pods=250"]}, "kubelet-arg+: ['v=2']"], {}),
    "eviction with memory, counted": (
        with_items(
            f"eviction-hard=memory.available<100Mi,{DISKS}",
            "reserved-memory=0:memory=2148Mi",
            without="reserved-memory",
        ),
        {},
    ),
    "an amount for each node": (
        with_items(
            "reserved-memory=0:memory=1Gi", "reserved-memory=1:memory=1Gi", without="reserved"
        ),
        {"numa": TWO},
    ),
    "a flag that was known": (["kubelet-arg: pod-infra-container-image=a"], {"version": "1.31"}),
    "labels that look like flags": (["kubelet-arg: ['node-labels=a=b,version=2']"], {}),
    "a file whose content is given": (
        with_items("config=/etc/rancher/rke2/kubelet-config.yaml", without="kube-reserved"),
        {"kubelet_config": {"kubeReserved": {"cpu": "1", "memory": "1Gi"}}},
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    options, named = FINE[name]
    assert CHECK(options, **named) == []


WRONG: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "no YAML": (["debug: true", "kubelet-arg ['a=1']"], {}, "options[1]", "could not read"),
    "a lone word": (["kubelet-arg=max-pods=2"], {}, "options[0]", "could not read"),
    "a tab": (["kubelet-arg:\n\t- max-pods=2"], {}, "options[0]", "could not read"),
    "a character of control": (["kubelet-arg: \x00"], {}, "options[0]", "could not read"),
    "another document": (["debug: true", "---"], {}, "options[1]", "could not read"),
    "an open bracket": (["kubelet-arg: ['max-pods=2'"], {}, "options[0]", "could not read"),
    "no list": (["kubelet-arg: {max-pods: 2}"], {}, "kubelet-arg[0]", "is no text"),
    "a map in the list": (["kubelet-arg: [{max-pods: 2}]"], {}, "kubelet-arg[0]", "is no text"),
    "twice": ([ARTICLE[0], "kubelet-arg: ['v=2']"], {}, "kubelet-arg", "options[1] sets"),
    "beside rke2_kubelet_arg": (
        ARTICLE,
        {"kubelet_args": ["v=2"]},
        "kubelet-arg",
        "is lost: rke2_kubelet_arg sets kubelet-arg again",
    ),
    "beside an empty rke2_kubelet_arg": (
        ARTICLE,
        {"kubelet_args": []},
        "kubelet-arg",
        "is lost: rke2_kubelet_arg",
    ),
    "another name": (["kubelet-args: ['v=2']"], {}, "kubelet-args", "no option of RKE2"),
    "the comma form": (
        with_items("reserved-memory=0:memory=1Gi,1:memory=1Gi", without="reserved-memory"),
        {},
        "reservedMemory",
        "the reserved memory has incorrect format",
    ),
    "eviction counted as on kubeadm": (
        with_items("reserved-memory=0:memory=2148Mi", without="reserved-memory"),
        {},
        "reservedMemory",
        'the total amount "2148Mi" of type "memory" is not equal to the value "2Gi"',
    ),
    "no reserved memory": (
        with_items(without="reserved-memory"),
        {},
        "reservedMemory",
        'the total amount "0" of type "memory" is not equal to the value "2Gi"',
    ),
    "nothing reserved at all": (
        ["kubelet-arg: memory-manager-policy=Static"],
        {},
        "reservedMemory",
        "you should specify the system reserved memory",
    ),
    "static CPUs, none reserved": (
        ["kubelet-arg: cpu-manager-policy=static"],
        {},
        "kubeReserved.cpu",
        "unable to determine reserved CPU resources",
    ),
    "eviction without disks": (
        ["kubelet-arg: ['eviction-hard=memory.available<100Mi']"],
        {},
        "eviction-hard",
        "none for imagefs.available and nodefs.available",
    ),
    "quotes": (
        ["kubelet-arg: ['topology-manager-policy=\"none\"']"],
        {},
        "kubelet-arg",
        "quotes that reach the kubelet",
    ),
    "one text for all": (
        ["kubelet-arg: 'topology-manager-scope=pod cpu-manager-policy=none'"],
        {},
        "kubelet-arg",
        "is one argument: cpu-manager-policy",
    ),
    "a list in quotes": (["kubelet-arg: \"['v=2']\""], {}, "kubelet-arg", "is one text"),
    "an unknown flag": (["kubelet-arg: network-plugin=cni"], {}, "network-plugin", "unknown flag"),
    "a flag that is gone": (
        ["kubelet-arg: pod-infra-container-image=a"],
        {},
        "pod-infra-container-image",
        "unknown flag: --pod-infra-container-image",
    ),
    "no value": (
        ["kubelet-arg: [seccomp-default, v=9]"],
        {},
        "kubelet-arg",
        "takes the next",
    ),
    "a file before 1.32": (
        ["kubelet-arg: config=/etc/a.yaml"],
        {"version": "1.31"},
        "evictionHard",
        "has no effect before 1.32",
    ),
    "a file that nobody reads": (
        [],
        {"kubelet_config": {"maxPods": 250}},
        "rke2_kubelet_config",
        "no kubelet reads that",
    ),
    "given twice": (
        ["kubelet-arg: [topology-manager-scope=pod, topology-manager-scope=container]"],
        {},
        "topology-manager-scope",
        "takes the last one",
    ),
    "a node that is not there": (
        with_items("reserved-memory=2:memory=2Gi", without="reserved-memory"),
        {"numa": TWO},
        "reservedMemory.numaNode",
        "references a NUMA node 2",
    ),
    "more than the node has": (
        with_items(
            "reserved-memory=0:memory=5Gi", "system-reserved=memory=4Gi", without="reserved-memory"
        ),
        {"numa": TWO},
        "reservedMemory of NUMA node 0",
        "more than the node has",
    ),
    "a share of unknown memory": (
        with_items(f"eviction-hard=memory.available<5%,{DISKS}"),
        {},
        "evictionHard.memory.available",
        "follows MemTotal",
    ),
    "one of rke2_kubelet_arg no YAML": ([], {"kubelet_args": ["[a"]}, "rke2_kubelet_arg", "read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_thing_is_found_with_its_remedy(name: str) -> None:
    options, named, field, words = WRONG[name]
    found = CHECK(options, **named)
    assert [item for item in found if item["field"] == field and words in item["why"]], found
    assert all(item["why"] and item["remedy"] for item in found)


ALONE = sorted(
    set(WRONG)
    - {
        "beside an empty rke2_kubelet_arg",
        "twice",
        "one text for all",
        "more than the node has",
        "quotes",
        "a file before 1.32",
    }
)


@pytest.mark.parametrize("name", ALONE)
def test_one_mistake_is_one_finding(name: str) -> None:
    options, named, _field, _words = WRONG[name]
    assert len(CHECK(options, **named)) == 1


def test_the_remedy_of_a_wrong_sum_shows_the_sum() -> None:
    found = CHECK(with_items("system-reserved=memory=2Gi"))
    assert "kube 1Gi + system 2Gi + eviction 0" in found[0]["remedy"]


def test_the_remedy_of_the_comma_form_is_ready_to_paste() -> None:
    found = CHECK(with_items("reserved-memory=0:memory=1Gi,1:memory=1Gi", without="reserved-"))
    assert found[0]["remedy"].endswith("reserved-memory=0:memory=1Gi, reserved-memory=1:memory=1Gi")


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "a text": ("kubelet-arg: []", {}, "options"),
    "an old version": ([], {"version": "1.27"}, "version"),
    "no version": ([], {"version": "stable"}, "version"),
    "kubelet_config": ([], {"kubelet_config": []}, "kubelet_config"),
    "numa": ([], {"numa": "two"}, "numa_nodes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_of_another_kind_is_named(name: str) -> None:
    options, named, words = REFUSED[name]
    with pytest.raises(AnsibleFilterError, match=words):
        CHECK(options, **named)


NAMES = st.sampled_from([*sorted(plugin_flags.FLAGS), "reserved-memory", "eviction-hard", "a+", ""])


@given(st.lists(st.text(max_size=20), max_size=3), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_is_judged(options: list[str], arguments: list[str]) -> None:
    for item in CHECK(options, kubelet_args=arguments):
        assert item["why"] and item["remedy"]


@given(st.lists(st.tuples(NAMES, st.text("0123:=,<%memoryGi[]'\"", max_size=12)), max_size=4))
def test_any_argument_is_judged(items: list[tuple[str, str]]) -> None:
    listed = ["memory-manager-policy=Static", *(f"{name}={value}" for name, value in items)]
    for version in ("1.31", "1.35"):
        for item in CHECK([{"kubelet-arg": listed}], version=version):
            assert item["why"] and item["remedy"]
