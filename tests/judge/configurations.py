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

SHAPES = scenarios.shapes()
NAMES = ("2n", "1n", "ht", "gaps", "2n-ten-huge-pages", "memory-only", "without-memory", "9n")
MEMORY = ("100Mi", "200Mi", "0", "104857600", "100M", "1Gi", "0.5Gi", "1e8", "50Mi")
CPUS = ("500m", "1", "1500m", "0", "2", "0.5")
SIGNALS = ("memory.available", "nodefs.available", "imagefs.available")
THRESHOLDS = ("100Mi", "200Mi", "5%", "10%", "0%", "100%", "1Gi", "2.5%")
LISTED = ("0", "0-1", "1", "0,2", "2", "9", "3-1", "")
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
    """A case, the one before it whose state files it starts with, and a way to match its need.

    *fitted*: reservedMemory becomes what the filter says is the need, so that it may start.
    """

    case: Case
    fitted: bool
    again: bool
    changed: Mapping[str, Any]


def _amounts() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {}, optional={"memory": st.sampled_from(MEMORY), "cpu": st.sampled_from(CPUS)}
    )


def _thresholds() -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(SIGNALS), st.sampled_from(THRESHOLDS), max_size=2)


def _options() -> st.SearchStrategy[dict[str, str]]:
    values = st.sampled_from(("true", "false", "true", "yes"))
    return st.dictionaries(st.sampled_from(OPTIONS), values, min_size=1, max_size=2)


def _reserved() -> st.SearchStrategy[list[dict[str, Any]]]:
    entry = st.builds(
        lambda node, memory: {"numaNode": node, "limits": {"memory": memory}},
        st.sampled_from((0, 0, 0, 1, 3)),
        st.sampled_from(MEMORY),
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
    }
    keys.update({key: st.sampled_from(values) for key, values in POLICIES.items()})
    rare = ("cpuManagerPolicyOptions", "reservedSystemCPUs", "featureGates")
    if nulls:
        keys = {key: st.one_of(value, value, value, st.none()) for key, value in keys.items()}
    common = {key: value for key, value in keys.items() if key not in rare}
    few = st.fixed_dictionaries({}, optional=common)
    more = st.fixed_dictionaries({}, optional=keys)
    return st.one_of(few, few, more)


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
    """Any of them."""
    return st.builds(
        Made,
        case=_case(),
        fitted=st.sampled_from((True, True, False)),
        again=st.sampled_from((False, False, True)),
        changed=_settings(nulls=False),
    )
