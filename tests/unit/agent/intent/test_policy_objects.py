# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy objects, key by key: what is read, what is refused in whose words, what is only noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homenode.intent.balloons_object import BALLOONS
from homenode.intent.policy_config import (
    BalloonsConfig,
    BalloonType,
    CpuAmount,
    CpuClass,
    LoadClass,
    SchedulingClass,
    TopologyAwareConfig,
)
from homenode.intent.policy_objects import (
    BALLOONS_KIND,
    MAX_NOTES,
    TOPOLOGY_AWARE_KIND,
    PolicyConfig,
    parse_policy,
    parse_spec,
)
from homenode.intent.tenant import Expression
from homenode.intent.topology_aware_object import TOPOLOGY_AWARE
from model.cpuset import CpuSet
from model.problem import HomenodeProblem

RESERVED = {"reservedResources": {"cpu": "750m"}}
HALF = CpuAmount(millis=750)


def topology_aware(**spec: Any) -> PolicyConfig:
    return parse_spec(TOPOLOGY_AWARE_KIND, {**RESERVED, **spec}, source="f")


def balloons(**spec: Any) -> PolicyConfig:
    return parse_spec(BALLOONS_KIND, {**RESERVED, **spec}, source="f")


def test_defaults_are_those_of_a_cluster() -> None:
    assert topology_aware() == TopologyAwareConfig(HALF)
    assert balloons() == BalloonsConfig(HALF)


def test_every_key_of_topology_aware() -> None:
    spec = {
        "pinCPU": False,
        "pinMemory": False,
        "preferIsolatedCPUs": False,
        "preferSharedCPUs": True,
        "colocatePods": True,
        "colocateNamespaces": True,
        "reservedPoolNamespaces": ["monitoring", "infra-*"],
        "availableResources": {"cpu": "exclude-cpuset:2-3", "memory": "1Gi"},
        "reservedResources": {"cpu": "cpuset:0,1"},
        "defaultCPUPriority": "High",
        "unlimitedBurstable": "numa",
        "schedulingClasses": [{"name": "rt", "policy": "fifo", "priority": 10}],
        "namespaceSchedulingClasses": {"db": "rt"},
        "podQoSSchedulingClasses": {"guaranteed": "rt"},
        "cpuClasses": [{"name": "c"}],
        "sharedPoolCPUClass": "c",
        "defaultExclusiveCPUClass": "c",
        "controllableInterrupts": ["nvme*"],
        "agent": {"podResourceAPI": True},
    }
    assert set(TOPOLOGY_AWARE) - set(spec) == {
        "control", "log", "instrumentation", "reservedPoolCPUClass"
    }  # fmt: skip
    assert parse_spec(TOPOLOGY_AWARE_KIND, spec, source="f") == TopologyAwareConfig(
        reserved=CpuAmount(cpus=CpuSet((0, 1))),
        available=CpuAmount(excluded=CpuSet((2, 3))),
        pin_cpu=False,
        pin_memory=False,
        reserved_namespaces=("monitoring", "infra-*"),
        scheduling_classes=(SchedulingClass("rt", "fifo", 10),),
        cpu_classes=(CpuClass("c"),),
        controllable_interrupts=("nvme*",),
        pod_resources=True,
        node_resource_topology=False,
        prefer_isolated_cpus=False,
        prefer_shared_cpus=True,
        colocate_pods=True,
        colocate_namespaces=True,
        default_cpu_priority="high",
        unlimited_burstable="numa",
        namespace_scheduling_classes=(("db", "rt"),),
        qos_scheduling_classes=(("Guaranteed", "rt"),),
        shared_cpu_class="c",
        reserved_cpu_class="c",
        default_exclusive_cpu_class="c",
    )


BALLOON: Mapping[str, tuple[Any, str, Any]] = {
    "components": ([{"balloonType": "x"}], "components", ("x",)),
    "componentCreation": ("", "component_creation", "all"),
    "namespaces": (["db-*"], "namespaces", ("db-*",)),
    "matchExpressions": (
        [{"key": "name", "operator": "Exists"}],
        "match_expressions",
        (Expression("name", "Exists"),),
    ),
    "groupBy": ("${pod/labels/x}", "group_by", "${pod/labels/x}"),
    "minCPUs": (2, "min_cpus", 2),
    "maxCPUs": (-1, "max_cpus", -1),
    "minBalloons": (1, "min_balloons", 1),
    "maxBalloons": (3, "max_balloons", 3),
    "allocatorPriority": ("Normal", "allocator_priority", "normal"),
    "preferNewBalloons": (True, "prefer_new_balloons", True),
    "preferSpreadingPods": (True, "prefer_spreading_pods", True),
    "preferPerNamespaceBalloon": (True, "prefer_per_namespace_balloon", True),
    "shareIdleCPUsInSame": ("numa", "share_idle_cpus_in_same", "numa"),
    "hideHyperthreads": (True, "hide_hyperthreads", True),
    "allocatorTopologyBalancing": (False, "allocator_topology_balancing", False),
    "preferSpreadOnPhysicalCores": (True, "prefer_spread_on_physical_cores", True),
    "preferCloseToDevices": (["/sys/x"], "prefer_close_to_devices", ("/sys/x",)),
    "preferIsolCpus": (True, "prefer_isol_cpus", True),
    "preferCoreType": ("efficient", "prefer_core_type", "efficient"),
    "memoryTypes": (["DRAM", "hbm"], "memory_types", frozenset({"DRAM", "HBM"})),
    "pinMemory": (False, "pin_memory", False),
    "cpuClass": ("c", "cpu_class", "c"),
    "schedulingClass": ("s", "scheduling_class", "s"),
    "loads": (["l"], "loads", ("l",)),
    "showContainersInNrt": (True, "show_containers_in_nrt", True),
    "irqClaim": (["nvme*", 24], "irq_claim", ("nvme*", "24")),
    "irqMode": ("sink", "irq_mode", "sink"),
}


@pytest.mark.parametrize("key", BALLOON)
def test_every_key_of_a_balloon_type(key: str) -> None:
    value, attribute, meant = BALLOON[key]
    config = balloons(balloonTypes=[{"name": "b", key: value}])
    assert isinstance(config, BalloonsConfig)
    assert config.balloon_types == (BalloonType(**{"name": "b", attribute: meant}),)


def test_every_attribute_of_a_balloon_type_has_a_key() -> None:
    known = {attribute for _value, attribute, _meant in BALLOON.values()}
    assert {field.name for field in dataclass_fields(BalloonType)} == known | {"name"}


def test_every_key_of_balloons() -> None:
    spec = {
        "idleCPUClass": "",
        "allocatorTopologyBalancing": True,
        "preferSpreadOnPhysicalCores": True,
        "balloonTypes": [],
        "preserve": {"matchExpressions": [{"key": "name", "operator": "In", "values": ["x"]}]},
        "showContainersInNrt": True,
        "loadClasses": [{"name": "l", "level": "core", "overloadsLevelInBalloon": True}],
        "turboDomain": "system",
    }
    common = set(TOPOLOGY_AWARE) & set(BALLOONS)
    assert set(spec) == set(BALLOONS) - common
    assert balloons(**spec) == BalloonsConfig(
        HALF,
        allocator_topology_balancing=True,
        prefer_spread_on_physical_cores=True,
        preserve=(Expression("name", "In", ("x",)),),
        show_containers_in_nrt=True,
        load_classes=(LoadClass("l", "core", True),),
        turbo_domain="system",
    )


AMOUNTS: dict[str, tuple[Any, CpuAmount]] = {
    "thousandths": ("750m", CpuAmount(millis=750)),
    "a number": (2, CpuAmount(millis=2000)),
    "a fraction": (0.5, CpuAmount(millis=500)),
    "less than a thousandth": ("1u", CpuAmount(millis=1)),
    "a list": ("cpuset:0,2-3", CpuAmount(cpus=CpuSet((0, 2, 3)))),
    "all but a list": ("exclude-cpuset:1", CpuAmount(excluded=CpuSet((1,)))),
}


@pytest.mark.parametrize("row", AMOUNTS.values(), ids=AMOUNTS)
def test_amounts(row: tuple[Any, CpuAmount]) -> None:
    assert topology_aware(reservedResources={"cpu": row[0]}) == TopologyAwareConfig(row[1])


FREQUENCIES = {
    "900MHz": "900000", "2.8GHz": "2800000", "2900000": "2900000", 2900000: "2900000",
    " 3.2 g ": "3200000", "800000kHz": "800000", "min": "min", "Turbo": "turbo", "": "", 0: "",
}  # fmt: skip


@pytest.mark.parametrize(("said", "khz"), FREQUENCIES.items())
def test_frequencies_are_in_khz(said: Any, khz: str) -> None:
    config = topology_aware(cpuClasses=[{"name": "c", "minFreq": said}], sharedPoolCPUClass="c")
    assert config.cpu_classes == (CpuClass("c", min_freq=khz),)


REFUSED = """
T | reservedResources: {} | reservedResources.cpu | cannot start without CPU reservation
B | reservedResources: {memory: 1G} | reservedResources.cpu | cannot start without CPU reservation
T | reservedResources: {cpu: 750x} | reservedResources.cpu | reserved CPU quantity '750x'
T | reservedResources: {cpu: 750x} | reservedResources.cpu | '750x' as resource quantity: quantities
B | availableResources: {cpu: "cpuset:0-x"} | availableResources.cpu | available CPU cpuset '0-x'
T | reservedResources: {cpu: "-1"} | reservedResources.cpu | is less than nothing
T | pinCPUs: true | pinCPUs | is not a known key
T | balloonTypes: [] | balloonTypes | is not a known key
T | pinCPU: "yes" | pinCPU | is neither true nor false
T | unlimitedBurstable: socket | unlimitedBurstable | is not a known choice
T | defaultCPUPriority: top | defaultCPUPriority | is not a known choice
T | podQoSSchedulingClasses: {Silver: x} | podQoSSchedulingClasses | invalid QoS class
T | reservedPoolNamespaces: ["["] | reservedPoolNamespaces | is no pattern
T | schedulingClasses: [{name: s, nice: 20}] | schedulingClasses[0].nice | is out of bounds
T | schedulingClasses: [{name: s, flags: [x]}] | schedulingClasses[0].flags | unknown scheduling
T | schedulingClasses: [{name: s, priority: 100}] | schedulingClasses[0].priority | out of bounds
B | controllableInterrupts: ["["] | controllableInterrupts | is no pattern
B | loadClasses: [{name: l}] | loadClasses[0].level | missing or invalid level in load class "l"
B | balloonTypes: {} | balloonTypes | is not a list
B | preserve: {namespaces: [x]} | preserve.namespaces | is not a known key
b | minCpuss: 1 | .minCpuss | is not a known key
b | matchExpressions: [{key: name, operator: Is}] | .matchExpressions[0].operator | unknown operator
b | groupBy: "${x" | .groupBy | invalid substitution
b | memoryTypes: [RAM] | .memoryTypes | invalid memory type: RAM
b | componentCreation: all | .componentCreation | "all" specified but no components
b | components: [{}] | .components[0].balloonType | missing or empty component balloonType name
b | maxCPUs: -2 | .maxCPUs | is out of bounds
b | shareIdleCPUsInSame: l3cache | .shareIdleCPUsInSame | is not a known choice
c | {name: ""} | [0].name | missing or empty name in a cpuClasses entry
c | {name: c}, {name: c} | [1].name | duplicate cpuClasses name: "c"
c | {name: c, minFreq: 3.2THz} | [0].minFreq | invalid frequency
c | {name: c, pctPriority: high, sstClosID: 0} | [0].sstClosID | sstClosID are mutually exclusive
c | {name: c, pctMinFreq: min} | [0].pctPriority | pctMinFreq/pctMaxFreq require pctPriority
c | {name: c, publishExtendedResource: true} | [0].publishExtendedResource | requires the cpuClass
c | {name: c, pctPriority: low}, {name: d, sstClosID: 1} | | mixing managed (pctPriority)
c | {name: c, pctPriority: high}, {name: d, pctPriority: high} | | =high allowed, got 2
"""
"""Kind, spec, field, why. T is topology-aware, B balloons, b one type of it, c CPU classes."""

_WHERE = {"b": "balloonTypes[0]", "c": "cpuClasses"}
_AROUND = {"b": "balloonTypes: [{{name: b, {}}}]", "c": "cpuClasses: [{}]"}


@pytest.mark.parametrize("row", REFUSED.strip().splitlines())
def test_refused(row: str) -> None:
    kind, text, field, why = (cell.strip() for cell in row.split("|"))
    spec = yaml.safe_load(_AROUND.get(kind, "{}").format(text))
    with pytest.raises(HomenodeProblem) as caught:
        (topology_aware if kind == "T" else balloons)(**spec)
    problem = caught.value.problem
    assert problem.field == _WHERE.get(kind, "") + field
    assert why in problem.why


def test_a_misspelt_key_is_guessed() -> None:
    with pytest.raises(HomenodeProblem, match=r"did you mean preferIsolatedCPUs\?"):
        topology_aware(preferIsolated=True)


def test_spellings_of_cri_rm_count_where_the_newer_is_not() -> None:
    older = {"PinCPU": False, "ReservedResources": {"CPU": 2}, "ReservedPoolNamespaces": ["x"]}
    config = parse_spec(TOPOLOGY_AWARE_KIND, {**older, "reservedPoolNamespaces": ["y"]}, source="f")
    assert config == TopologyAwareConfig(
        CpuAmount(millis=2000), pin_cpu=False, reserved_namespaces=("y",)
    )
    types = [{"Name": "b", "MinCpus": 1, "AllocatorPriority": 2}]
    (one,) = _types(balloons(BalloonTypes=types))
    assert (one.min_cpus, one.allocator_priority) == (1, "low")


def test_null_is_not_given() -> None:
    assert topology_aware(pinCPU=None, agent=None, cpuClasses=None) == TopologyAwareConfig(HALF)


def test_what_is_not_obeyed_is_noted() -> None:
    config = topology_aware(
        log={"debug": ["policy"]},
        instrumentation={"httpEndpoint": ":8891"},
        control={"rdt": {"enable": True}, "blockio": {"enable": True}, "cpu": {"classes": {}}},
    )
    assert {note.field for note in config.notes} == {
        "log", "instrumentation", "control.rdt", "control.blockio"
    }  # fmt: skip
    intel = topology_aware(
        cpuClasses=[{"name": "c", "pctPriority": "high", "uncoreMinFreq": "1GHz"}, {"name": "d"}]
    )
    assert [note.value for note in intel.notes] == ["pctPriority, uncoreMinFreq"]
    undefined = balloons(balloonTypes=[{"name": "b", "cpuClass": "x"}], idleCPUClass="y")
    assert [note.value for note in undefined.notes] == ["x", "y"]


def test_notes_are_bounded_and_the_rest_is_counted() -> None:
    classes = [{"name": f"c{number}", "sstClosID": 0} for number in range(MAX_NOTES + 3)]
    assert len(topology_aware(cpuClasses=classes[:MAX_NOTES]).notes) == MAX_NOTES
    notes = topology_aware(cpuClasses=classes).notes
    assert (len(notes), notes[-1].value) == (MAX_NOTES + 1, "3")


def test_deprecated_classes_count_where_there_is_no_newer_one() -> None:
    older = {"cpu": {"classes": {"a": {"minFreq": 800000}, "b": {"maxFreq": 900000}}}}
    config = balloons(control=older, cpuClasses=[{"name": "b"}])
    assert config.cpu_classes == (CpuClass("b"), CpuClass("a", min_freq="800000"))


OBJECT = {
    "apiVersion": "config.nri/v1alpha1",
    "kind": TOPOLOGY_AWARE_KIND,
    "metadata": {"name": "default", "namespace": "kube-system"},
    "spec": RESERVED,
    "status": {"nodes": {}},
}


def test_a_whole_object() -> None:
    assert parse_policy(OBJECT, source="f") == TopologyAwareConfig(HALF)
    assert parse_policy({**OBJECT, "kind": BALLOONS_KIND}, source="f") == BalloonsConfig(HALF)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "TemplatePolicy"},
        {"kind": None},
        {"apiVersion": "config.nri/v2"},
        {"spec": None},
        {"specs": {}},
        {"metadata": "x"},
    ],
)
def test_no_whole_object(change: dict[str, Any]) -> None:
    with pytest.raises(HomenodeProblem, match=f"f: {next(iter(change))}"):
        parse_policy({**OBJECT, **change}, source="f")


KEYS = st.sampled_from([*BALLOONS, *TOPOLOGY_AWARE, *BALLOON, "cpu", "name", "x"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JUNK, st.sampled_from([BALLOONS_KIND, TOPOLOGY_AWARE_KIND]))
def test_nothing_does_more_than_be_refused(spec: Any, kind: str) -> None:
    try:
        config = parse_spec(kind, spec, source="f")
    except HomenodeProblem as error:
        assert error.problem.source in ("f", "")
    else:
        assert config.reserved != CpuAmount()


def _types(config: PolicyConfig) -> tuple[BalloonType, ...]:
    assert isinstance(config, BalloonsConfig)
    return config.balloon_types
