# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubelet's files parsed as a kubelet parses them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.kubelet_documents import (
    Reading,
    as_sources,
    checkpoint,
    document,
    dropin,
    pairs,
)

HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

READ: dict[str, tuple[str, Any]] = {
    "an exponent is a number": ("a: 1e9", 1e9),
    "a fraction is a number": ("a: 0.5", 0.5),
    "a quoted exponent is text": ('a: "1e9"', "1e9"),
    "a quantity is text": ("a: 8462Mi", "8462Mi"),
    "a date is text": ("a: 2026-01-01", "2026-01-01"),
    "a version is text": ("a: 1.2.3", "1.2.3"),
    "a whole number": ("a: 1", 1),
    "a truth": ("a: true", True),
    "nothing": ("a:", None),
    "JSON with tabs": ('{\n\t"a": 1e9\n}', 1e9),
    "JSON is YAML": ('{"a": {"b": "c"}}', {"b": "c"}),
}

BROKEN = {
    "half a file": ("a: {b", "line 1"),
    "a list": ("- 1", "is not a mapping"),
    "text": ("hello", "is not a mapping"),
    "a tab": ("a:\n\t- 1", "line 2"),
    "an object of Python's": ("a: !!python/object:os.system {}", "line 1"),
    "two documents": ("a: 1\n---\nb: 2", "line 2"),
}


@pytest.mark.parametrize(("text", "wanted"), READ.values(), ids=READ.keys())
def test_a_value_is_what_a_kubelet_makes_of_it(text: str, wanted: object) -> None:
    assert document("f", text) == {"a": wanted}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named(text: str, words: str) -> None:
    with pytest.raises(HomenodeProblem, match=words) as caught:
        document("/etc/f.yaml", text)
    assert caught.value.problem.source == "/etc/f.yaml"


def test_an_empty_file_has_no_settings() -> None:
    assert document("f", "# nothing\n") == {}


@pytest.mark.parametrize(
    "text", ["maxPods: 1\n", "kind: KubeletConfiguration\n", HEAD.replace("v1beta1", "v1")]
)
def test_a_drop_in_needs_its_kind(text: str) -> None:
    with pytest.raises(HomenodeProblem, match=r"/etc/f.conf: (apiVersion|kind)"):
        dropin("/etc/f.conf", text)
    assert dropin("/etc/f.conf", f"{HEAD}maxPods: 1\n")["maxPods"] == 1


FETCHED: dict[str, Any] = {
    "config_file": {"path": "/c.yaml", "content": "maxPods: 1"},
    "dropins": [{"path": "/d/1.conf", "content": HEAD}],
    "flags": ["--v=2"],
    "distribution": "kubeadm",
    "checkpoints": {
        "memory_manager_state": '{"policyName": "None"}',
        "cpu_manager_state": None,
    },
}


def test_what_was_fetched_becomes_sources() -> None:
    parsed = Reading(FETCHED).sources("1.35")
    assert parsed["checkpoints"]["memory_manager_state"] == {"policyName": "None"}
    assert parsed["own_args"] == []
    found = as_sources(parsed)
    assert found.base is not None
    assert (found.base.name, dict(found.base.settings)) == ("/c.yaml", {"maxPods": 1})
    assert [layer.name for layer in found.dropins] == ["/d/1.conf"]
    assert as_sources(Reading({**FETCHED, "config_file": None}).sources("1.35")).base is None


def test_what_cannot_be_parsed_is_collected() -> None:
    broken = {"path": "/d/2.conf", "content": "maxPods: 1"}
    problem = {"field": "file", "value": "/x", "why": "w", "remedy": "r", "source": "/x"}
    reading = Reading({**FETCHED, "dropins": [*FETCHED["dropins"], broken], "problems": [problem]})
    assert [file["path"] for file in reading.sources("1.35")["dropins"]] == ["/d/1.conf"]
    assert [found.source for found in reading.problems] == ["/x", "/d/2.conf"]


def test_a_key_that_is_written_twice_is_kept_twice() -> None:
    text = "a: 1\nkubelet-arg: [b=1]\nkubelet-arg: [c=1e9]\n"
    assert pairs("f", text) == [("a", 1), ("kubelet-arg", ["b=1"]), ("kubelet-arg", ["c=1e9"])]
    assert pairs("f", "# nothing\n") == []
    with pytest.raises(HomenodeProblem, match=r"/f\.yaml: line 1"):
        pairs("/f.yaml", "a: {")


RANCHER = {
    **FETCHED,
    "distribution": "rke2",
    "flags": None,
    "config_file": None,
    "dropin_dir": "/r/agent/etc/kubelet.conf.d",
    "dropins": [],
    "state_dir": "/var/lib/kubelet",
    "rancher": {
        "documents": [{"path": "/c", "content": "kubelet-arg: [config=/k, config-dir=/m, a=1]"}],
        "own": None,
        "arguments": [],
        "data_dir": "/var/lib/rancher/rke2",
        "data_dir_guessed": True,
        "named": {"path": "/k", "content": HEAD},
        "named_dir": [
            {"path": "/m/1.conf", "content": HEAD},
            {"path": "/m/readme", "content": "no file of the kubelet"},
        ],
    },
}


def test_what_rke2_names_is_copied_into_its_folder() -> None:
    parsed = Reading(RANCHER).sources("1.32.1")
    assert parsed["flags"] == ["a=1"]
    assert parsed["base"] is None
    assert [file["path"] for file in parsed["dropins"]] == [
        "/r/agent/etc/kubelet.conf.d/10-cli-config.conf",
        "/r/agent/etc/kubelet.conf.d/20-cli-config-dir/1.conf",
    ]


def test_what_an_old_rke2_names_is_handed_on() -> None:
    parsed = Reading(RANCHER).sources("1.31.9")
    assert parsed["flags"] == ["config=/k", "config-dir=/m", "a=1"]
    assert parsed["base_path"] == "/k"
    assert [file["path"] for file in parsed["dropins"]] == ["/m/1.conf"]


def test_a_state_file_that_is_no_json_is_its_text() -> None:
    assert checkpoint("half a fi") == "half a fi"
    assert checkpoint(None) is None
