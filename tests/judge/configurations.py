# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations by chance: mostly sensible, sometimes not, so that either answer is common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from judge import scenarios
from judge.court import Case
from judge.topology import Topology

SHAPES = scenarios.shapes()
NAMES = ("2n", "1n", "ht", "gaps", "2n-ten-huge-pages", "memory-only", "without-memory", "9n")
MEMORY = ("100Mi", "200Mi", "0", "104857600", "100M", "1Gi", "0.5Gi", "1e8", "50Mi")
CPUS = ("500m", "1", "1500m", "0", "2", "0.5")
SIGNALS = ("memory.available", "nodefs.available", "imagefs.available")
THRESHOLDS = ("100Mi", "200Mi", "5%", "10%", "0%", "100%", "1Gi", "2.5%")
LISTED = ("0", "0-1", "1", "0,2", "2", "9", "3-1", "")
SWAPS = ("NoSwap", "LimitedSwap", "UnlimitedSwap", "")
ENFORCED = (["none"], ["pods"], ["none", "none"], ["kube-reserved"], ["nodes"])
TOPOLOGY_OPTIONS = (
    {"max-allowable-numa-nodes": "9"},
    {"max-allowable-numa-nodes": "7"},
    {"prefer-closest-numa-nodes": "true"},
    {"prefer-near": "true"},
)
EDITS: tuple[Mapping[str, Mapping[str, Any]], ...] = (
    {},
    {},
    {"cpu_manager_state": {"gone": True}},
    {"memory_manager_state": {"gone": True}},
    {"memory_manager_state": {"cut": 90}},
    {"cpu_manager_state": {"set": {"checksum": 1}}},
    {"cpu_manager_state": {"set": {"entries": {"pod": {"c": "1"}}, "defaultCpuSet": "0,2-3"}}},
    {"cpu_manager_state": {"set": {"entries": {"pod": {"c": "1,9"}}, "defaultCpuSet": "0,2-8"}}},
    {"cpu_manager_state": {"set": {"defaultCpuSet": "0-2"}}},
)
"""What is done to state files between two runs."""
CPU_CHANGES: tuple[dict[str, Any], ...] = (
    {"reservedSystemCPUs": "0-1"},
    {"reservedSystemCPUs": "1"},
    {"kubeReserved": {"cpu": "1500m", "memory": "200Mi"}},
    {"cpuManagerPolicyOptions": {"strict-cpu-reservation": "true"}},
    {"cpuManagerPolicyOptions": {}},
)
"""Between two runs: the CPUs that are kept back, and how strictly."""
POLICIES: Mapping[str, tuple[str, ...]] = {
    "cpuManagerPolicy": ("static", "static", "none", "Static", ""),
    "topologyManagerPolicy": ("single-numa-node", "restricted", "best-effort", "none", "numa", ""),
    "topologyManagerScope": ("pod", "container", "node"),
}
OPTIONS = (
    "full-pcpus-only",
    "distribute-cpus-across-numa",
    "strict-cpu-reservation",
    "align-by-socket",
    "distribute-cpus-across-cores",
    "prefer-align-cpus-by-uncorecache",
)


@dataclass(frozen=True)
class Made:
    """A case, and what comes after it.

    *again*: it runs twice, the second time with *changed* settings and *edits* to its state files;
    one of three such runs is on the machine *moved*.
    *fitted*: reservedMemory becomes what the filter says is the need, so that it may start.
    """

    case: Case
    fitted: bool
    again: bool
    changed: Mapping[str, Any]
    edits: Mapping[str, Mapping[str, Any]]
    moved: Topology


def _quantity() -> st.SearchStrategy[str]:
    """Known ones, and any number with any suffix."""
    suffixes = st.sampled_from(("", "Ki", "Mi", "k", "M", "m", "e3", "Gi", "MB"))
    digits = st.integers(1, 400).map(str)
    point = st.builds("{}.{}".format, st.integers(0, 99), st.integers(0, 999))
    number = st.one_of(digits, digits, point)
    known = st.sampled_from(MEMORY)
    return st.one_of(known, known, st.builds("{}{}".format, number, suffixes))


def _threshold() -> st.SearchStrategy[str]:
    """Known ones, amounts, and any percentage."""
    percent = st.builds("{}.{}%".format, st.integers(-1, 101), st.integers(0, 99999))
    return st.one_of(st.sampled_from(THRESHOLDS), percent, _quantity())


def _amounts() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({}, optional={"memory": _quantity(), "cpu": st.sampled_from(CPUS)})


def _thresholds() -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(SIGNALS), _threshold(), max_size=2)


def _options() -> st.SearchStrategy[dict[str, str]]:
    values = st.sampled_from(("true", "false", "true", "yes"))
    return st.dictionaries(st.sampled_from(OPTIONS), values, min_size=1, max_size=2)


def _reserved() -> st.SearchStrategy[list[dict[str, Any]]]:
    entry = st.builds(
        lambda node, kind, amount: {"numaNode": node, "limits": {kind: amount}},
        st.sampled_from((0, 0, 0, 1, 3)),
        st.sampled_from(("memory", "memory", "memory", "memory", "hugepages-2Mi", "cpu")),
        _quantity(),
    )
    return st.lists(entry, max_size=2)


def _settings(nulls: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Keys of one file; *nulls* as drop-ins have them."""
    keys: dict[str, st.SearchStrategy[Any]] = {
        "kubeReserved": _amounts(),
        "systemReserved": _amounts(),
        "evictionHard": _thresholds(),
        "reservedMemory": _reserved(),
        "memoryManagerPolicy": st.sampled_from(("Static", "Static", "Static", "None", "static")),
        "cpuManagerPolicyOptions": _options(),
        "reservedSystemCPUs": st.sampled_from(LISTED),
        "mergeDefaultEvictionSettings": st.booleans(),
        "featureGates": st.just({"CPUManagerPolicyAlphaOptions": True}),
        "maxPods": st.just(50),
        "memorySwap": st.sampled_from(SWAPS).map(lambda text: {"swapBehavior": text}),
        "enforceNodeAllocatable": st.sampled_from(ENFORCED),
        "topologyManagerPolicyOptions": st.sampled_from(TOPOLOGY_OPTIONS),
        "kubeReservedCgroup": st.sampled_from(("/runtime", "")),
    }
    keys.update({key: st.sampled_from(values) for key, values in POLICIES.items()})
    rare = (
        "cpuManagerPolicyOptions",
        "reservedSystemCPUs",
        "featureGates",
        "memorySwap",
        "enforceNodeAllocatable",
        "topologyManagerPolicyOptions",
        "kubeReservedCgroup",
    )
    if nulls:
        keys = {key: st.one_of(value, value, value, st.none()) for key, value in keys.items()}
    common = {key: value for key, value in keys.items() if key not in rare}
    few = st.fixed_dictionaries({}, optional=common)
    more = st.fixed_dictionaries({}, optional=keys)
    return st.one_of(few, few, more)


def _sensible(nulls: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Keys of one file that nothing refuses at once: what counts is how they add up."""
    memory = st.sampled_from(("100Mi", "200Mi", "1Gi", "104857600", "100M", "1e8", "123457k"))
    amounts: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {}, optional={"memory": memory, "cpu": st.sampled_from(("500m", "1", "1500m", "100m"))}
    )
    percent = st.builds("{}.{}%".format, st.integers(0, 9), st.integers(1, 99999))
    threshold = st.one_of(percent, st.sampled_from(("100Mi", "5%", "10%", "0%", "333Mi", "1e8")))
    thresholds: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {}, optional={"memory.available": threshold, "nodefs.available": st.just("10%")}
    )
    keys: dict[str, st.SearchStrategy[Any]] = {
        "kubeReserved": amounts,
        "systemReserved": amounts,
        "evictionHard": thresholds,
        "mergeDefaultEvictionSettings": st.booleans(),
        "topologyManagerPolicy": st.sampled_from(("restricted", "best-effort", "none")),
        "cpuManagerPolicyOptions": st.sampled_from(
            ({"full-pcpus-only": "true"}, {}, {"strict-cpu-reservation": "true"})
        ),
        "reservedSystemCPUs": st.sampled_from(("0", "0-1", "1", "")),
        "maxPods": st.just(50),
    }
    if nulls:
        keys = {key: st.one_of(value, value, value, st.none()) for key, value in keys.items()}
    return st.fixed_dictionaries({}, optional=keys)


def _sensible_case() -> st.SearchStrategy[Case]:
    start = {
        "memoryManagerPolicy": "Static",
        "cpuManagerPolicy": "static",
        "kubeReserved": {"cpu": "500m", "memory": "200Mi"},
    }
    return st.builds(
        Case,
        topology=st.sampled_from(NAMES[:-1]).map(SHAPES.__getitem__),
        base=_sensible(nulls=False).map(lambda settings: {**start, **settings}),
        dropins=st.dictionaries(
            st.sampled_from(("10-a.conf", "90-b.conf")), _sensible(nulls=True), max_size=2
        ),
        flags=st.sampled_from(
            ((), (), (), ("kube-reserved=cpu=1",), ("eviction-hard=memory.available<7%",))
        ),
    )


def _flags() -> st.SearchStrategy[tuple[str, ...]]:
    one = st.one_of(
        st.builds("kube-reserved=memory={}".format, st.sampled_from(MEMORY)),
        st.builds("kube-reserved=cpu={}".format, st.sampled_from(CPUS)),
        st.builds("system-reserved=cpu=1,memory={}".format, st.sampled_from(MEMORY)),
        st.builds("eviction-hard=memory.available<{}".format, st.sampled_from(THRESHOLDS)),
        st.just("eviction-hard=nodefs.available<10%"),
        st.builds("reserved-memory=0:memory={}".format, st.sampled_from(MEMORY)),
        st.builds("memory-manager-policy={}".format, st.sampled_from(("Static", "None", ""))),
        st.builds("cpu-manager-policy={}".format, st.sampled_from(("static", "none"))),
        st.builds("reserved-cpus={}".format, st.sampled_from(LISTED)),
        st.builds("topology-manager-policy={}".format, st.sampled_from(("restricted", "none"))),
    )
    return st.lists(one, max_size=2).map(tuple)


def _case() -> st.SearchStrategy[Case]:
    start = {"memoryManagerPolicy": "Static", "kubeReserved": {"cpu": "500m", "memory": "200Mi"}}
    base = st.one_of(
        _settings(nulls=False).map(lambda settings: {**start, **settings}),
        _settings(nulls=False),
        st.none(),
    )
    dropins = st.dictionaries(
        st.sampled_from(("10-a.conf", "90-b.conf")), _settings(nulls=True), max_size=2
    )
    return st.builds(
        Case,
        topology=st.sampled_from(NAMES).map(SHAPES.__getitem__),
        base=base,
        dropins=dropins,
        flags=_flags(),
    )


def made() -> st.SearchStrategy[Made]:
    """Any of them: every second one is sensible, and most of these start."""
    return st.one_of(
        _made(_sensible_case(), st.one_of(_sensible(nulls=False), st.sampled_from(CPU_CHANGES))),
        _made(_case(), _settings(nulls=False)),
    )


def _made(
    case: st.SearchStrategy[Case], changed: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[Made]:
    return st.builds(
        Made,
        case=case,
        fitted=st.sampled_from((True, True, True, False)),
        again=st.booleans(),
        changed=st.one_of(st.just({}), changed),
        edits=st.sampled_from(EDITS),
        moved=st.sampled_from(NAMES).map(SHAPES.__getitem__),
    )
