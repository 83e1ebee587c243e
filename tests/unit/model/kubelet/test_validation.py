# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: rows that real kubelets 1.31.0 and 1.35.4 have answered, by the judge's own ids."""

from __future__ import annotations

from typing import Any

import pytest

from model.kubelet.effective import Layer, Sources, effective
from model.kubelet.hardware import Hardware, hardware
from model.kubelet.validation import Verdict, verdict

KIB = 1024


def machine(nodes: int = 2, *, cpuless: tuple[int, ...] = ()) -> Hardware:
    """The judge's machine: two nodes, four CPUs, MemTotal 4021988 kB."""
    return hardware(
        {
            "nodes": [
                {
                    "id": number,
                    "cpus": "" if number in cpuless else f"{2 * number}-{2 * number + 1}",
                    "memory": {"total_bytes": 2010994 * KIB, "hugepages": {}},
                }
                for number in range(nodes)
            ],
            "cpus": {"online": f"0-{2 * nodes - 1}"},
            "memory_total_bytes": 4021988 * KIB,
        }
    )


BASE: dict[str, Any] = {
    "memoryManagerPolicy": "Static",
    "topologyManagerPolicy": "single-numa-node",
    "cpuManagerPolicy": "static",
    "kubeReserved": {"cpu": "500m", "memory": "200Mi"},
    "systemReserved": {"cpu": "500m", "memory": "100Mi"},
    "reservedMemory": [{"numaNode": 0, "limits": {"memory": "400Mi"}}],
}


def judged(
    keys: dict[str, Any],
    on: Hardware,
    flags: tuple[str, ...] = (),
    version: str = "1.35.4",
) -> Verdict:
    base = {key: value for key, value in {**BASE, **keys}.items() if value != "DELETE"}
    sources = Sources(Layer("config.yaml", base), flags=flags, version=version)
    return verdict(effective(sources), on)


def listed(**shares: str) -> dict[str, Any]:
    """reservedMemory by node: listed(n0="200Mi", n1="200Mi")."""
    entries = [{"numaNode": int(n[1:]), "limits": {"memory": q}} for n, q in shares.items()]
    return {"reservedMemory": entries}


def mismatch(have: str, want: str, kind: str = "memory") -> str:
    return (
        f'the total amount "{have}" of type "{kind}" is not equal to the value "{want}"'
        " determined by Node Allocatable feature"
    )


STARTS: dict[str, dict[str, Any]] = {
    "a on one node": {},
    "a on both": listed(n0="200Mi", n1="200Mi"),
    "a uneven": listed(n0="399Mi", n1="1Mi"),
    "a all on the second": listed(n1="400Mi"),
    "the same in bytes": listed(n0="419430400"),
    "x a bare number in a limit": {
        "reservedMemory": [{"numaNode": 0, "limits": {"memory": 419430400}}]
    },
    "x no numaNode is node 0": {"reservedMemory": [{"limits": {"memory": "400Mi"}}]},
    "none of it": {"memoryManagerPolicy": "None", "reservedMemory": "DELETE"},
    "x all CPUs listed": {"reservedSystemCPUs": "0-3"},
    "n closest nodes": {"topologyManagerPolicyOptions": {"prefer-closest-numa-nodes": "true"}},
    "n full cores": {"cpuManagerPolicyOptions": {"full-pcpus-only": "true"}},
    "n strict": {"cpuManagerPolicyOptions": {"strict-cpu-reservation": "true"}},
    "n an alpha option behind its gate": {
        "cpuManagerPolicyOptions": {"distribute-cpus-across-cores": "true"},
        "featureGates": {"CPUManagerPolicyAlphaOptions": True},
    },
}

_CONFIG = "invalid configuration: "
_CPU = "new static policy error: "
_UNABLE = "[cpumanager] unable to "
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "b a MiB less": (listed(n0="399Mi"), mismatch("399Mi", "400Mi")),
    "b2 a byte less": (listed(n0="419430399"), mismatch("419430399", "400Mi")),
    "c no list": ({"reservedMemory": "DELETE"}, mismatch("0", "400Mi")),
    "c2 no list and no need": (
        {
            "reservedMemory": "DELETE",
            "kubeReserved": {"cpu": "1"},
            "systemReserved": "DELETE",
            "evictionHard": {},
        },
        "[memorymanager] you should specify the system reserved memory",
    ),
    "d the hidden eviction": (listed(n0="300Mi"), mismatch("300Mi", "400Mi")),
    "g no CPU reserved": (
        {"kubeReserved": {"memory": "200Mi"}, "systemReserved": {"memory": "100Mi"}},
        f"{_UNABLE}determine reserved CPU resources for static policy",
    ),
    "g3 a capital": ({"cpuManagerPolicy": "Static"}, 'unknown policy: "Static"'),
    "g4 no capital": ({"memoryManagerPolicy": "static"}, 'unknown policy: "static"'),
    "g5 Windows' policy": (
        {"memoryManagerPolicy": "BestEffort"},
        'policy "BestEffort" is not available for platform "linux"',
    ),
    "g6 a CPU that is not there": (
        {"reservedSystemCPUs": "9"},
        "reserved-cpus: 9 is not a subset of online-cpus: 0-3",
    ),
    "g7 listed CPUs and cgroups": (
        {"reservedSystemCPUs": "0", "kubeReservedCgroup": "/runtime"},
        f"{_CONFIG}can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup"
        " (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)",
    ),
    "j a node that is not there": (
        listed(n0="200Mi", n2="200Mi"),
        "the reserved memory configuration references a NUMA node 2"
        " that does not exist on this machine",
    ),
    "j5 more than the machine": (
        {
            "kubeReserved": {"cpu": "1", "memory": "8000Mi"},
            "reservedMemory": [{"numaNode": 0, "limits": {"memory": "8200Mi"}}],
            "systemReserved": {"memory": "200Mi"},
            "evictionHard": {},
        },
        'invalid Node Allocatable configuration. Resource "memory" has a reservation of'
        " {{8598323200 0} {<nil>}  BinarySI} but capacity of {{4118515712 0} {<nil>}  BinarySI}."
        " Expected capacity >= reservation.",
    ),
    "j6 a zero": (
        listed(n0="400Mi", n1="0"),
        f'{_CONFIG}reserved memory may not be zero for NUMA node 1 and resource "memory"',
    ),
    "j7 a node twice": (
        {"reservedMemory": [{"numaNode": 0, "limits": {"memory": "200Mi"}}] * 2},
        f'{_CONFIG}the reserved memory has a duplicate value for NUMA node 0 and resource "memory"',
    ),
    "j8 a type that is none": (
        {"reservedMemory": [{"numaNode": 0, "limits": {"memory": "400Mi", "cpu": "1"}}]},
        f'{_CONFIG}the limit type "cpu" for NUMA node 0 is not supported,'
        " only [memory hugepages-<HugePageSize>] is accepted",
    ),
    "j9 fractions that add up": (
        {
            "kubeReserved": {"cpu": "1", "memory": "1.5Gi"},
            "systemReserved": "DELETE",
            "evictionHard": {},
            **listed(n0="0.75Gi", n1="0.75Gi"),
        },
        "could not covert a variable of type Quantity to int64",
    ),
    "x milli-bytes": (
        listed(n0="419430400000m"),
        "could not covert a variable of type Quantity to int64",
    ),
    "m huge pages": (
        {
            "reservedMemory": [
                {"numaNode": 0, "limits": {"memory": "400Mi", "hugepages-2Mi": "10Mi"}}
            ]
        },
        mismatch("10Mi", "0", "hugepages-2Mi"),
    ),
    "m huge pages elsewhere": (
        {"kubeReserved": {"cpu": "1", "memory": "200Mi", "hugepages-2Mi": "10Mi"}},
        '--kube-reserved value failed to parse: cannot reserve "hugepages-2Mi" resource',
    ),
    "n an unknown topology option": (
        {"topologyManagerPolicyOptions": {"foo": "true"}},
        'unknown Topology Manager Policy option: "foo"',
    ),
    "n no truth": (
        {"topologyManagerPolicyOptions": {"prefer-closest-numa-nodes": "maybe"}},
        'bad value for option "prefer-closest-numa-nodes":'
        ' strconv.ParseBool: parsing "maybe": invalid syntax',
    ),
    "n too few nodes allowed": (
        {"topologyManagerPolicyOptions": {"max-allowable-numa-nodes": "7"}},
        'the minimum value of "max-allowable-numa-nodes" should not be less than 8',
    ),
    "n an alpha option": (
        {"cpuManagerPolicyOptions": {"align-by-socket": "true"}},
        f"{_CPU}CPU Manager Policy Alpha-level Options not enabled,"
        ' but option "align-by-socket" provided',
    ),
    "n options without the policy": (
        {"cpuManagerPolicy": "none", "cpuManagerPolicyOptions": {"full-pcpus-only": "true"}},
        "new none policy error: None policy: received unsupported"
        " options=map[full-pcpus-only:true]",
    ),
    "n two options at odds": (
        {
            "cpuManagerPolicyOptions": {
                "full-pcpus-only": "true",
                "distribute-cpus-across-cores": "true",
            },
            "featureGates": {"CPUManagerPolicyAlphaOptions": True},
        },
        f"{_CPU}static policy options full-pcpus-only and distribute-cpus-across-cores"
        " can not be used at the same time",
    ),
    "x an unknown signal": (
        {"evictionHard": {"memory.available": "100Mi", "memory.free": "1Gi"}},
        "unsupported eviction signal memory.free",
    ),
    "x more CPUs than there are": (
        {"kubeReserved": {"cpu": "4", "memory": "200Mi"}},
        f"{_CPU}{_UNABLE}reserve the required amount of CPUs (size of  did not equal 5)",
    ),
    "more CPUs than there are, for any policy": (
        {"kubeReserved": {"cpu": "6", "memory": "200Mi"}, "cpuManagerPolicy": "none"},
        'invalid Node Allocatable configuration. Resource "cpu" has a reservation of'
        " {{6500 -3} {<nil>}  DecimalSI} but capacity of {{4000 -3} {<nil>}  DecimalSI}."
        " Expected capacity >= reservation.",
    ),
    "a list of CPUs that is none": (
        {"reservedSystemCPUs": "0-"},
        f"{_CONFIG}unable to parse reservedSystemCPUs (--reserved-cpus) 0-,"
        ' error: strconv.Atoi: parsing "": invalid syntax',
    ),
    "a list of CPUs backwards": (
        {"reservedSystemCPUs": "3-0"},
        f"{_CONFIG}unable to parse reservedSystemCPUs (--reserved-cpus) 3-0,"
        ' error: invalid range "3-0" (3 > 0)',
    ),
    "a bad option comes before too many CPUs": (
        {
            "kubeReserved": {"cpu": "4", "memory": "200Mi"},
            "cpuManagerPolicyOptions": {"full-pcpus-only": "maybe"},
        },
        f'{_CPU}bad value for option "full-pcpus-only":'
        ' strconv.ParseBool: parsing "maybe": invalid syntax',
    ),
    "a limit that is none stops everything": (
        listed(n0="400MB"),
        "quantities must match the regular expression "
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ),
    "an unknown topology policy": (
        {"topologyManagerPolicy": "strict"},
        f'{_CONFIG}topologyManagerPolicy (--topology-manager-policy) "strict" must be one of:'
        ' ["none" "best-effort" "restricted" "single-numa-node"]',
    ),
    "an unknown scope": (
        {"topologyManagerScope": "node"},
        f'{_CONFIG}topologyManagerScope (--topology-manager-scope) "node" must be one of:'
        ' "container", or "pod"',
    ),
    "enforcement without its cgroup": (
        {"enforceNodeAllocatable": ["pods", "kube-reserved"]},
        f"{_CONFIG}kubeReservedCgroup (--kube-reserved-cgroup) must be specified when"
        ' "kube-reserved" or "kube-reserved-compressible" included in'
        " enforceNodeAllocatable (--enforce-node-allocatable)",
    ),
    "pods without their cgroups": (
        {"cgroupsPerQOS": False},
        f'{_CONFIG}cgroupsPerQOS (--cgroups-per-qos) must be set to true when "pods"'
        " contained in enforceNodeAllocatable (--enforce-node-allocatable)",
    ),
}


@pytest.mark.parametrize("keys", STARTS.values(), ids=STARTS.keys())
def test_a_kubelet_starts(keys: dict[str, Any]) -> None:
    found = judged(keys, machine())
    assert [problem.why for problem in found.refusals] == []
    assert found.starts
    assert found.hazards == ()


@pytest.mark.parametrize(("keys", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_kubelet_refuses_in_these_words(keys: dict[str, Any], words: str) -> None:
    found = judged(keys, machine())
    assert found.refusals[0].why == words
    assert found.refusals[0].remedy


OLD = {
    "n strict is unknown": (
        {"cpuManagerPolicyOptions": {"strict-cpu-reservation": "true"}},
        f'{_CPU}unknown CPU Manager Policy option: "strict-cpu-reservation"',
    ),
    "n across nodes is alpha": (
        {"cpuManagerPolicyOptions": {"distribute-cpus-across-numa": "true"}},
        f"{_CPU}CPU Manager Policy Alpha-level Options not enabled,"
        ' but option "distribute-cpus-across-numa" provided',
    ),
    "g5 Windows' policy is unknown": (
        {"memoryManagerPolicy": "BestEffort"},
        'unknown policy: "BestEffort"',
    ),
}


@pytest.mark.parametrize(("keys", "words"), OLD.values(), ids=OLD.keys())
def test_an_older_kubelet_refuses_in_these_words(keys: dict[str, Any], words: str) -> None:
    assert judged(keys, machine(), version="1.31.0").refusals[0].why == words


def test_n_more_than_eight_nodes_need_an_option_or_no_policy() -> None:
    words = "unsupported on machines with more than 8 NUMA Nodes"
    allowed = {"topologyManagerPolicyOptions": {"max-allowable-numa-nodes": "9"}}
    assert judged({}, machine(9)).refusals[0].why == words
    assert judged(allowed, machine(9)).starts
    assert judged({"topologyManagerPolicy": "none"}, machine(9)).starts


def test_a_flag_that_cannot_be_parsed_comes_first() -> None:
    found = judged(listed(n0="1Mi"), machine(), ("--kube-reserved=cpu",))
    assert found.refusals[0].why.startswith("failed to parse kubelet flag: invalid argument")


HAZARDS = {
    "j4 more than its node": (
        {"evictionHard": {"memory.available": "2300Mi"}, **listed(n0="2600Mi")},
        "0",
    ),
    "j10 a negative share": (listed(n0="500Mi", n1="-100Mi"), "1"),
}


@pytest.mark.parametrize(("keys", "numa_node"), HAZARDS.values(), ids=HAZARDS.keys())
def test_what_a_kubelet_takes_and_should_not(keys: dict[str, Any], numa_node: str) -> None:
    found = judged(keys, machine())
    assert found.starts
    assert [hazard.field for hazard in found.hazards] == [
        f"reservedMemory of NUMA node {numa_node}"
    ]


WARNINGS: dict[str, tuple[dict[str, Any], Hardware, str, str]] = {
    "a share of a total that changes": (
        {"evictionHard": {"memory.available": "5%"}},
        machine(),
        "1.35",
        "evictionHard.memory.available",
    ),
    "alignment without CPUs": (
        {"cpuManagerPolicy": "none"},
        machine(),
        "1.35",
        "topologyManagerPolicy",
    ),
    "a node without CPUs": ({}, machine(3, cpuless=(2,)), "1.35", "NUMA nodes without CPUs"),
    "a key that old kubelets ignore": (
        {"mergeDefaultEvictionSettings": True},
        machine(),
        "1.31",
        "mergeDefaultEvictionSettings",
    ),
}


@pytest.mark.parametrize(("keys", "on", "version", "field"), WARNINGS.values(), ids=WARNINGS.keys())
def test_what_works_and_surprises(
    keys: dict[str, Any], on: Hardware, version: str, field: str
) -> None:
    assert [warning.field for warning in judged(keys, on, version=version).warnings] == [field]


def test_without_a_total_a_share_cannot_be_judged() -> None:
    found = judged({"evictionHard": {"memory.available": "5%"}}, hardware(["2Gi", "2Gi"]))
    assert found.need is None
    assert "give MemTotal" in found.refusals[-1].remedy
