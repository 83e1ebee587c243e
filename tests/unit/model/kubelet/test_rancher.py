# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What RKE2 and k3s make of their files and of kubelet-arg."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.kubelet.defaults import RANCHER_FLAGS
from model.kubelet.rancher import Document, kubelet_args, merged_args, settings
from model.problem import HomenodeProblem

FILES: dict[str, tuple[list[Document], object]] = {
    "one file": ([{"kubelet-arg": ["a=1", "b=2"]}], ["a=1", "b=2"]),
    "a later file replaces": ([{"kubelet-arg": ["a=1"]}, {"kubelet-arg": ["b=2"]}], ["b=2"]),
    "plus appends": ([{"kubelet-arg": ["a=1"]}, {"kubelet-arg+": ["b=2"]}], ["a=1", "b=2"]),
    "plus with nothing before": ([{"kubelet-arg+": ["b=2"]}], ["b=2"]),
    "plus keeps a lone text": ([{"kubelet-arg+": "b=2"}], "b=2"),
    "plus after a text": ([{"kubelet-arg": "a=1"}, {"kubelet-arg+": "b=2"}], ["a=1", "b=2"]),
    "plus after nothing": ([{"kubelet-arg": None}, {"kubelet-arg+": ["b=2"]}], ["b=2"]),
    "plus within one file": ([{"kubelet-arg": ["a=1"], "kubelet-arg+": ["b=2"]}], ["a=1", "b=2"]),
    "replaced after plus": (
        [{"kubelet-arg": ["a=1"]}, {"kubelet-arg+": ["b=2"]}, {"kubelet-arg": ["c=3"]}],
        ["c=3"],
    ),
    "twice in one file": ([[("kubelet-arg", ["a=1"]), ("kubelet-arg", ["b=2"])]], ["b=2"]),
    "plus twice in one file": (
        [[("kubelet-arg+", ["a=1"]), ("kubelet-arg+", ["b=2"])]],
        ["a=1", "b=2"],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_merged_as_they_are_read(name: str) -> None:
    documents, wanted = FILES[name]
    merged = settings([(f"{number}.yaml", item) for number, item in enumerate(documents)])
    assert merged == {"kubelet-arg": wanted}


def test_other_keys_pass() -> None:
    assert settings([("config.yaml", {"cni": "canal"}), ("a.yaml", {"debug": True})]) == {
        "cni": "canal",
        "debug": True,
    }


ITEMS: dict[str, tuple[object, tuple[str, ...]]] = {
    "none": (None, ()),
    "a list": (["b=2", "a=1"], ("b=2", "a=1")),
    "a text is one argument": ("a=1,b=2", ("a=1,b=2",)),
    "a boolean": ([True], ("true",)),
    "an empty list": ([], ()),
}


@pytest.mark.parametrize("name", ITEMS)
def test_each_item_is_one_argument(name: str) -> None:
    value, wanted = ITEMS[name]
    assert kubelet_args({"kubelet-arg": value}) == wanted


def test_without_the_key_there_is_no_argument() -> None:
    assert kubelet_args({"cni": "canal"}) == ()


def test_a_map_is_no_argument() -> None:
    with pytest.raises(HomenodeProblem, match=r"kubelet-arg\[1\].*name=value"):
        kubelet_args({"kubelet-arg": ["a=1", {"kube-reserved": "cpu=1"}]})


ARGUMENTS: dict[str, tuple[list[str], list[str], tuple[str, ...]]] = {
    "sorted by name": ([], ["b=2", "a=1"], ("a=1", "b=2")),
    "dashes are taken away": ([], ["--a=1"], ("a=1",)),
    "one dash stays": ([], ["-a=1"], ("-a=1",)),
    "no value is true": ([], ["--a"], ("a=true",)),
    "the value keeps its equals": ([], ["a=b=1,c=2"], ("a=b=1,c=2",)),
    "a default is replaced": (["a=1"], ["a=2"], ("a=2",)),
    "a default stays": (["b=1"], ["a=2"], ("a=2", "b=1")),
    "repeated, in order": (
        [],
        ["reserved-memory=1:memory=2Gi", "a=1", "reserved-memory=0:memory=1Gi"],
        ("a=1", "reserved-memory=1:memory=2Gi", "reserved-memory=0:memory=1Gi"),
    ),
    "repeated over a default": (["a=1"], ["a=2", "a=3"], ("a=2", "a=3")),
    "after the default": (["a=1"], ["a+=2"], ("a=1", "a=2")),
    "before the default": (["a=1"], ["a-=2"], ("a=2", "a=1")),
    "after and before": (["a=1"], ["a+=2", "a-=3"], ("a=3", "a=1", "a=2")),
    "after without a default": ([], ["a+=2"], ("a=2",)),
    "after one that replaced": (["a=1"], ["a=2", "a+=3"], ("a=2", "a=3")),
    "the name keeps its dashes": (["a-b=1"], ["a-b=2"], ("a-b=2",)),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_meet_the_defaults(name: str) -> None:
    defaults, user, wanted = ARGUMENTS[name]
    assert merged_args(defaults, user) == wanted


def test_eviction_of_the_user_replaces_that_of_the_distribution() -> None:
    assert merged_args(RANCHER_FLAGS, ["eviction-hard=memory.available<100Mi"]) == (
        "eviction-hard=memory.available<100Mi",
        "eviction-minimum-reclaim=imagefs.available=10%,nodefs.available=10%",
        "fail-swap-on=false",
    )


NAMES = st.sampled_from(["a", "b", "--a", "c+", "c-", "a-b"])


@given(st.lists(st.tuples(NAMES, st.text("xyz=,", max_size=3))))
def test_no_value_is_lost_and_names_ascend(pairs: list[tuple[str, str]]) -> None:
    merged = merged_args((), [f"{name}={value}" for name, value in pairs])
    names = [argument.partition("=")[0] for argument in merged]
    assert names == sorted(names)
    values = sorted(argument.partition("=")[2] for argument in merged)
    assert values == sorted(value for _name, value in pairs)
    assert merged_args((), merged) == merged
