# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's configuration: defaults, bounds, merging, and whether it fits the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.machines import sockets
from fakes.node import machine
from homenode.intent.config import Config, PinningConfig, merge_drop_ins, parse_config
from homenode.intent.fit import misfits
from model.cpuset import CpuSet
from model.problem import HomenodeProblem


def parsed(**sections: Any) -> Config:
    return parse_config(sections, source="f.json")


def test_nothing_written_is_the_defaults_with_pinning_on() -> None:
    assert parsed() == replace(Config(), pinning=PinningConfig())
    assert parsed(pinning={}) == parsed()


def test_a_null_section_is_off_or_as_if_it_were_not_there() -> None:
    assert parsed(pinning=None).pinning is None
    assert parsed(nri=None, metrics=None, journal=None, exports=None) == parsed()


def test_everything_that_can_be_said() -> None:
    config = parsed(
        nri={"plugin_name": "a.b_c+d-1", "plugin_index": "05", "answer_budget_ms": 1900},
        pinning={
            "policy": "home-node",
            "pin_cpu": False,
            "pin_memory": False,
            "reserved_cpus": "0,4",
            "available_cpus": "0-7",
        },
        metrics={
            "listen": "127.0.0.1:9100",
            "textfile": "/var/lib/x.prom",
            "textfile_interval_seconds": 60,
        },
        journal={"max_bytes": 4096},
        exports={
            "node_resource_topology": "/run/homenode/nrt.json",
            "node_features": "/etc/features.d/homenode",
            "node_name": "worker-1",
            "interval_seconds": 60,
        },
    )
    assert config.pinning is not None
    assert str(config.pinning.reserved_cpus) == "0,4"
    assert config.nri.answer_budget_ms == 1900
    assert config.journal.max_bytes == 4096
    assert config.exports.node_features == "/etc/features.d/homenode"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown section": ({"pining": {}}, 'pining "{}": is not a known key'),
    "an unknown key": ({"pinning": {"pin_cpus": True}}, "pinning.pin_cpus"),
    "a section that is no mapping": ({"pinning": 5}, 'pinning "5": is not a mapping'),
    "an unknown policy": ({"pinning": {"policy": "x"}}, "use one of: home-node"),
    "a text for a boolean": ({"pinning": {"pin_cpu": "true"}}, "neither true nor false"),
    "a number for a boolean": ({"pinning": {"pin_cpu": 1}}, "neither true nor false"),
    "a list for a text": ({"nri": {"plugin_name": []}}, "nri.plugin_name"),
    "no cpuset": ({"pinning": {"reserved_cpus": "0-"}}, "pinning.reserved_cpus"),
    "a cpuset without end": ({"pinning": {"available_cpus": "0-4294967295"}}, "available_cpus"),
    "a number for a cpuset": ({"pinning": {"reserved_cpus": 0}}, "put it in quotes"),
    "below its bounds": ({"nri": {"answer_budget_ms": 9}}, "use a number from 10 to 1900"),
    "above its bounds": ({"nri": {"answer_budget_ms": 1901}}, "use a number from 10 to 1900"),
    "true for a number": ({"nri": {"answer_budget_ms": True}}, "use a number from 10 to 1900"),
    "a fraction for a number": ({"nri": {"answer_budget_ms": 10.5}}, "not a whole number"),
    "a journal too small": ({"journal": {"max_bytes": 4095}}, "journal.max_bytes"),
    "an interval of none": ({"metrics": {"textfile_interval_seconds": 0}}, "from 1 to 3600"),
    "a name that runtimes refuse": ({"nri": {"plugin_name": "a b"}}, "refused by runtimes"),
    "no name": ({"nri": {"plugin_name": ""}}, "refused by runtimes"),
    "an index of one digit": ({"nri": {"plugin_index": "9"}}, "not two digits"),
    "an index of letters": ({"nri": {"plugin_index": "9a"}}, "not two digits"),
    "an index of other digits": ({"nri": {"plugin_index": "\u0661\u0662"}}, "not two digits"),
    "a relative textfile": ({"metrics": {"textfile": "x.prom"}}, "not an absolute path"),
    "a relative export": ({"exports": {"node_features": "x"}}, "not an absolute path"),
    "an export over the other": (
        {"exports": {"node_features": "/x", "node_resource_topology": "/x"}},
        "is the other export's file too",
    ),
    "a text without end": ({"nri": {"plugin_name": "x" * 5000}}, "longer than 4096"),
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_wrong(row: tuple[dict[str, Any], str]) -> None:
    values, message = row
    with pytest.raises(HomenodeProblem) as caught:
        parsed(**values)
    text = str(caught.value)
    assert text.startswith("f.json: ")
    assert message in text
    assert "; " in text, "it says what to do"
    assert len(text) < 500


LOCAL = ["unix:/run/x.sock", "127.0.0.1:9100", "localhost:1", "[::1]:65535"]
REACHABLE = [
    "0.0.0.0:9100",
    ":9100",
    "10.0.0.1:9100",
    "[::]:9100",
    "example.org:80",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:x",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:\u00b2",
    "127.0.0.1:" + "9" * 4000,
    "127.0.0.1.evil:80",
    "unix:relative",
]


@pytest.mark.parametrize("listen", LOCAL)
def test_metrics_are_served_here(listen: str) -> None:
    assert parsed(metrics={"listen": listen}).metrics.listen == listen


@pytest.mark.parametrize("listen", REACHABLE, ids=lambda text: text[:20])
def test_metrics_are_not_served_elsewhere(listen: str) -> None:
    with pytest.raises(HomenodeProblem, match=r"metrics\.listen.*use unix:/PATH"):
        parsed(metrics={"listen": listen})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
SECTIONS = st.sampled_from(("nri", "pinning", "metrics", "journal", "x"))
KEYS = st.sampled_from(("policy", "pin_cpu", "reserved_cpus", "listen", "max_bytes", "textfile"))


@settings(deadline=None)
@given(st.dictionaries(SECTIONS, JSON | st.dictionaries(KEYS, JSON)))
def test_anything_is_a_configuration_or_a_problem(values: dict[str, Any]) -> None:
    try:
        parse_config(merge_drop_ins([("f.json", values)]), source="f.json")
    except HomenodeProblem as error:
        assert error.problem.remedy


# -- merging -------------------------------------------------------------------------------


def test_sections_merge_key_by_key() -> None:
    merged = merge_drop_ins([("a", {"nri": {"x": 1}}), ("b", {"nri": {"y": 2}, "z": {}})])
    assert merged == {"nri": {"x": 1, "y": 2}, "z": {}}


def test_the_same_value_twice_is_no_quarrel() -> None:
    assert merge_drop_ins([("a", {"n": {"x": 1}}), ("b", {"n": {"x": 1}})]) == {"n": {"x": 1}}


def test_a_quarrel_names_both_files() -> None:
    with pytest.raises(HomenodeProblem, match=r'b: n\.x "2": differs from the value in a'):
        merge_drop_ins([("a", {"n": {"x": 1}}), ("b", {"n": {"x": 2}})])


@pytest.mark.parametrize("null_first", [True, False])
def test_null_is_off_unless_another_file_says_more(null_first: bool) -> None:
    files: list[tuple[str, Any]] = [("a", {"pinning": None}), ("b", {"pinning": {"x": 1}})]
    assert merge_drop_ins(files if null_first else files[::-1]) == {"pinning": {"x": 1}}
    assert merge_drop_ins([files[0], files[0]]) == {"pinning": None}


@pytest.mark.parametrize("content", [[], 5, None, {"pinning": [1]}])
def test_a_file_of_another_shape_is_named(content: Any) -> None:
    with pytest.raises(HomenodeProblem, match="b: "):
        merge_drop_ins([("a", {}), ("b", content)])


def test_merging_changes_none_of_the_files() -> None:
    first: dict[str, Any] = {"nri": {"x": 1}}
    merge_drop_ins([("a", first), ("b", {"nri": {"y": 2}})])
    assert first == {"nri": {"x": 1}}


# -- fit -----------------------------------------------------------------------------------

TWO = replace(sockets(2, cores=4), isolated=CpuSet.parse("6-7"), offline=CpuSet.parse("3"))
MISFITS: dict[str, tuple[str, str, list[str]]] = {
    "nothing said": ("", "", []),
    "all well": ("0-5", "0", []),
    "an offline CPU is one": ("0-3", "3", []),
    "available elsewhere": (
        "64-70",
        "",
        [
            "available_cpus names CPUs that this machine does not have: 64-70",
            "available_cpus leaves",
        ],
    ),
    "available in part": ("0-9", "", ["does not have: 8-9"]),
    "only what the boot line set aside": ("6-7", "", ["leaves no CPU to workloads"]),
    "reserved elsewhere": (
        "",
        "64",
        ["reserved_cpus names CPUs that this machine does not have: 64"],
    ),
    "reserved is everything": ("", "0-7", ["reserved_cpus covers every CPU"]),
    "reserved is all that is available": ("0-1", "0-1", ["reserved_cpus covers every CPU"]),
    "all but one is reserved": ("", "0-4", []),
}


@pytest.mark.parametrize("row", MISFITS.values(), ids=MISFITS)
def test_cpu_sets_and_the_machine(row: tuple[str, str, list[str]]) -> None:
    available, reserved, told = row
    config = PinningConfig(
        available_cpus=CpuSet.parse(available) or None, reserved_cpus=CpuSet.parse(reserved) or None
    )
    problems = list(misfits(config, machine(TWO)))
    assert len(problems) == len(told)
    for problem, words in zip(problems, told):
        assert words in f"{problem.field} {problem.why}"


def test_with_pinning_off_everything_fits() -> None:
    assert list(misfits(None, machine(TWO))) == []
