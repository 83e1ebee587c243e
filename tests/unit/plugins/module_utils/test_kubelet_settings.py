# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of kubelet_numa_config as the model gets them, and problems as a role names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.homenode.numa.plugins.module_utils import kubelet_settings
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)

NOWHERE: dict[str, Any] = {"destination": None, "path": None, "unit_folder": "/u"}
READ: dict[str, Any] = {
    "base": None,
    "base_path": None,
    "dropins": [],
    "flags": ["--kube-reserved=memory=1Gi"],
    "distribution": "rke2",
    "version": "1.35",
    "checkpoints": {},
}
OURS = "/etc/kubernetes/kubelet.conf.d/50-homenode-numa.conf"
ONE_GIB = {1: 1 << 30}


NAMED = {
    "a key": ("topologyManagerPolicy", "p_topology_manager_policy"),
    "a key with a rest": ("kubeReserved.cpu", "p_kube_reserved.cpu"),
    "CPUs": ("reservedSystemCPUs", "p_reserved_system_cpus"),
    "the split": ("reservedMemory of NUMA node 1", "p_reserved_memory_split of NUMA node 1"),
    "a share": ("strategy[2]", "p_reserved_memory_split[2]"),
    "something else": ("configuration", "configuration"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("field", "variable"), NAMED.values(), ids=NAMED.keys())
def test_a_problem_names_the_roles_variable(field: str, variable: str) -> None:
    problem = Problem(field, "v", "why", "as kubeReserved.cpu, or otherwise")
    found = kubelet_settings.named(problem, "p_")
    assert (found.field, found.remedy) == (variable, "as p_kube_reserved.cpu, or otherwise")
    assert kubelet_settings.named(problem, "") == problem


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({}, "base"),
        ({"base": None, "dropins": [{}]}, "path"),
        ({"base": None, "dropins": 1}, "int"),
    ],
)
def test_sources_of_another_shape_are_refused(sources: dict[str, object], words: str) -> None:
    with pytest.raises(HomenodeProblem, match=f"kubelet_config_info.*{words}"):
        kubelet_settings.request({"sources": sources}, kubelet_settings.place(NOWHERE))


def test_without_a_destination_there_is_one_drop_in() -> None:
    at = kubelet_settings.place(NOWHERE)
    assert at.files == [Path(kubelet_settings.DEFAULT_PATH)]
    assert (at.form, at.unit) == ("dropin", "")


def test_a_unit_has_a_drop_in_too() -> None:
    at = kubelet_settings.place({**NOWHERE, "destination": {"unit": "kubelet", "path": "/a.conf"}})
    assert at.files == [Path("/a.conf"), Path("/u/kubelet.service.d/50-homenode-numa.conf")]
    assert at.unit_text is None


def test_a_leftover_is_a_file_of_ours_too() -> None:
    destination = {"form": "dropin", "path": "/d/x.conf", "unit": "rke2", "leftover": "/o.yaml"}
    at = kubelet_settings.place({**NOWHERE, "destination": destination})
    assert at.leftover == Path("/o.yaml")
    assert at.files == [Path("/d/x.conf"), at.leftover, at.unit_path]


@pytest.mark.parametrize("destination", [{"form": "other"}, {"unit_dropin": "text"}])
def test_a_destination_of_another_shape_is_refused(destination: dict[str, Any]) -> None:
    with pytest.raises(HomenodeProblem, match=r"destination.*as it is"):
        kubelet_settings.place({**NOWHERE, "destination": destination})


def asked(**settings: object) -> dict[str, Any]:
    return {
        "sources": READ,
        "settings": settings,
        "reserved_memory_split": "even",
        "need_from_log": 868 << 20,
    }


def test_the_need_of_a_log_takes_the_place_of_what_was_read() -> None:
    given = kubelet_settings.request(asked(), kubelet_settings.place(NOWHERE))
    base = given.sources.base
    assert base is not None
    reserved = base.settings["kubeReserved"]
    assert isinstance(reserved, dict) and reserved["memory"] == str(868 << 20)
    assert (given.sources.flags, given.sources.version) == ((), "1.35")


def test_what_would_change_the_need_is_refused_with_a_need_of_a_log() -> None:
    with pytest.raises(HomenodeProblem, match=r"systemReserved.*changes the need"):
        kubelet_settings.request(
            asked(systemReserved={"memory": "1Gi"}), kubelet_settings.place(NOWHERE)
        )


MEMORY = [{"numaNode": 1, "limits": {"memory": "1Gi"}}]
EARLIER = {
    "none": ({}, {}),
    "our drop-in": ({"dropins": [{"path": OURS, "settings": {"reservedMemory": MEMORY}}]}, ONE_GIB),
    "another one's": ({"dropins": [{"path": "/x", "settings": {"reservedMemory": MEMORY}}]}, {}),
    "our flags": ({"own_args": ["reserved-memory=1:memory=1Gi"]}, ONE_GIB),
    "nonsense": ({"dropins": [{"path": OURS, "settings": {"reservedMemory": [1]}}]}, {}),
}


@pytest.mark.parametrize(("more", "shares"), EARLIER.values(), ids=EARLIER.keys())
def test_the_earlier_split_is_that_of_our_own_file(
    more: dict[str, Any], shares: dict[int, int]
) -> None:
    at = kubelet_settings.place({**NOWHERE, "path": OURS})
    assert kubelet_settings.earlier_shares({**READ, **more}, at) == shares
