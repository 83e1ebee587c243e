# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container asks for: the rules of pinning.md §2.3 and §2.4, one row each."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.described import GIB, Node, ask, best_effort, burstable, config, described, guaranteed
from homenode.intent.tenant import TenantIntent
from homenode.pinning.policy import Ask
from homenode.pinning.topology_aware.request import request_of
from homenode.pinning.topology_aware.setting import Setting
from model.cpuset import CpuSet
from model.workload import GUARANTEED, Placement

SHARED, OWN = TenantIntent(prefer_shared=True), TenantIntent(prefer_shared=False)
ISOLATED, RESERVED = TenantIntent(isolated=True), TenantIntent(prefer_reserved=True)
PRESERVED = TenantIntent(preserve_cpus=True, prefer_reserved=True)
KUBELET = Placement(CpuSet([4]))


@pytest.mark.parametrize(
    ("rule", "asked", "values", "expected"),
    [
        ("1", guaranteed("c", 2000, intent=PRESERVED), {}, ("preserved", 0, 2000, False)),
        ("kubelet", guaranteed("c", 1000, given=KUBELET), {}, ("kubelet's", 0, 0, False)),
        ("2", guaranteed("c", 2000, intent=RESERVED), {}, ("reserved", 0, 2000, False)),
        ("3", burstable("c", 100, namespace="kube-system"), {}, ("reserved", 0, 100, False)),
        (
            "3, glob",
            burstable("c", 100, namespace="foobar"),
            {"reserved_namespaces": ("foo*",)},
            ("reserved", 0, 100, False),
        ),
        (
            "3, opted out",
            burstable(
                "c", 100, namespace="kube-system", intent=TenantIntent(prefer_reserved=False)
            ),
            {},
            ("normal", 0, 100, False),
        ),
        ("4", burstable("c", 2000), {}, ("normal", 0, 2000, False)),
        ("5", best_effort("c"), {}, ("normal", 0, 0, False)),
        ("6", guaranteed("c", 999), {}, ("normal", 0, 999, False)),
        ("7", guaranteed("c", 1500, intent=SHARED), {}, ("normal", 0, 1500, False)),
        (
            "7, config",
            guaranteed("c", 1000),
            {"prefer_shared_cpus": True},
            ("normal", 0, 1000, False),
        ),
        ("8", guaranteed("c", 1000), {}, ("normal", 1, 0, False)),
        ("8, mixed", guaranteed("c", 1500, intent=ISOLATED), {}, ("normal", 1, 500, True)),
        (
            "8, config",
            guaranteed("c", 1000),
            {"prefer_isolated_cpus": True},
            ("normal", 1, 0, True),
        ),
        ("9", guaranteed("c", 2500, intent=OWN), {}, ("normal", 2, 500, False)),
        ("10", guaranteed("c", 2500), {}, ("normal", 0, 2500, False)),
        ("11", guaranteed("c", 2000, intent=SHARED), {}, ("normal", 0, 2000, False)),
        ("12", guaranteed("c", 2000), {"prefer_isolated_cpus": True}, ("normal", 2, 0, False)),
        ("12, isolated", guaranteed("c", 2000, intent=ISOLATED), {}, ("normal", 2, 0, True)),
    ],
)
def test_classification(
    rule: str, asked: Ask, values: dict[str, Any], expected: tuple[str, int, int, bool]
) -> None:
    found = request_of(Setting.of(described("n4c16"), config(**values), {}), asked)
    assert (found.kind, found.full, found.millis, found.isolate) == expected, rule


def wants(**values: Any) -> TenantIntent:
    return TenantIntent(**values)


@pytest.mark.parametrize(
    ("machine", "intent", "types", "cold"),
    [
        ("n6-hbm-cxl", wants(), "DRAM,PMEM", False),
        ("n6-hbm-cxl", wants(memory_types=frozenset({"HBM"})), "HBM", False),
        ("n4c16", wants(memory_types=frozenset({"HBM"})), "DRAM", False),
        ("n4c16", wants(cold_start_seconds=9.0), "DRAM", False),
        ("c4pmem4", wants(cold_start_seconds=9.0), "PMEM", True),
        ("c4pmem4", wants(preserve_memory=True), "", False),
    ],
)
def test_memory_types(machine: str, intent: TenantIntent, types: str, cold: bool) -> None:
    setting = Setting.of(described(machine), config(), {})
    found = request_of(setting, guaranteed("c", 100, intent=intent))
    assert (",".join(sorted(found.memory_types)), found.cold) == (types, cold)


def test_memory_to_book_is_the_request_and_else_the_limit() -> None:
    setting = Setting.of(described("n4c16"), config(), {})
    amounts = [
        request_of(setting, burstable("c", 100, memory=one, memory_limit=2 * GIB)).amount
        for one in (GIB, 0)
    ]
    assert amounts == [GIB, 2 * GIB]


def test_priorities_are_obeyed_for_guaranteed_ones_and_a_default_for_all() -> None:
    setting = Setting.of(described("n4c16"), config(default_cpu_priority="low"), {})
    high = TenantIntent(cpu_priority="high")
    asks = (guaranteed("c", 100, intent=high), burstable("c", 100, intent=high), best_effort("c"))
    assert [request_of(setting, each).priority for each in asks] == ["high", "low", "low"]


def test_a_request_says_why_it_is_what_it_is() -> None:
    node = Node("n4c16")
    node.create(guaranteed("c", 2500), ask("s", GUARANTEED, cpu=100, namespace="kube-system"))
    reasons = [node.placed[name].decision.reason for name in "cs"]
    assert reasons[0].startswith("2500m is not a whole number of CPUs; NUMA node #1 before")
    assert reasons[1] == "namespace kube-system has the reserved CPUs"
