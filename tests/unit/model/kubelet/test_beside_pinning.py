# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's managers beside the agent's pinning: what is said, what is refused."""

from __future__ import annotations

import pytest

from model.cpuset import CpuSet
from model.kubelet.beside_pinning import Pinning, conflicts, notes
from model.kubelet.effective import Effective, Layer, Sources, effective
from model.problem import HomenodeProblem

LISTED = {"reservedSystemCPUs": "0-1"}


def merged(**settings: str) -> Effective:
    return effective(Sources(base=Layer("config.yaml", settings)))


def cpus(listed: str) -> CpuSet:
    return CpuSet.parse(listed)


NOTES = {
    "a stock kubelet": ({}, Pinning(), []),
    "static CPUs": (
        {"cpuManagerPolicy": "static"},
        Pinning(),
        ["the kubelet chooses the CPUs of every container"],
    ),
    "static CPUs, and only memory is pinned": (
        {"cpuManagerPolicy": "static"},
        Pinning(cpus=False),
        [],
    ),
    "static memory": (
        {"memoryManagerPolicy": "Static"},
        Pinning(),
        ["the kubelet chooses the memory nodes of Guaranteed pods"],
    ),
    "static memory, and only CPUs are pinned": (
        {"memoryManagerPolicy": "Static"},
        Pinning(memory=False),
        [],
    ),
    "available CPUs beside static CPUs": (
        {"cpuManagerPolicy": "static"},
        Pinning(available=cpus("2-3")),
        ["the kubelet chooses the CPUs", "available_cpus 2-3 binds the agent alone"],
    ),
    "single-numa-node without static CPUs": (
        {"topologyManagerPolicy": "single-numa-node"},
        Pinning(),
        ["single-numa-node judges memory and devices only"],
    ),
}


@pytest.mark.parametrize("row", NOTES.values(), ids=NOTES)
def test_who_chooses_is_said(row: tuple[dict[str, str], Pinning, list[str]]) -> None:
    settings, pinning, wanted = row
    said = notes(merged(**settings), pinning)
    assert len(said) == len(wanted)
    assert all(part in sentence for part, sentence in zip(wanted, said))


CONFLICTS = {
    "nobody reserves": ({}, Pinning(), ""),
    "the kubelet alone": (LISTED, Pinning(), ""),
    "both the same": (LISTED, Pinning(reserved=cpus("0,1")), ""),
    "two different sets": (LISTED, Pinning(reserved=cpus("0-2")), "is not what the kubelet"),
    "amounts are no set": ({}, Pinning(reserved=cpus("0")), ""),
    "nothing left": (LISTED, Pinning(available=cpus("1")), "leaves nothing beside"),
    "something left": (LISTED, Pinning(available=cpus("1-2")), ""),
}


@pytest.mark.parametrize("row", CONFLICTS.values(), ids=CONFLICTS)
def test_what_cannot_both_be_meant_is_refused(
    row: tuple[dict[str, str], Pinning, str],
) -> None:
    settings, pinning, wanted = row
    found = list(conflicts(merged(**settings), pinning))
    assert len(found) == bool(wanted)
    assert all(wanted in problem.why for problem in found)


def test_the_conflict_names_where_the_kubelets_set_is_from() -> None:
    (found,) = conflicts(merged(**LISTED), Pinning(reserved=cpus("5")))
    assert found.field == "reserved_cpus" and found.value == "5"
    assert "from config.yaml" in found.why and found.remedy == "make both 0-1"


def test_a_malformed_list_of_the_kubelet_is_named() -> None:
    with pytest.raises(HomenodeProblem, match="reservedSystemCPUs"):
        list(conflicts(merged(reservedSystemCPUs="0-"), Pinning()))
