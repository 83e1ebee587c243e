# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods in manifests of every kind, and what a pod says, before it exists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.intent.manifests import ManifestPod, pods_in
from homenode.intent.pod_intents import PodIntents, pod_intents
from homenode.intent.policy_objects import BALLOONS_KIND, TOPOLOGY_AWARE_KIND, parse_spec
from homenode.intent.said import said
from homenode.intent.yaml_subset import read_yaml
from model.problem import HomenodeProblem

NRI = ".resource-policy.nri.io"
SPEC = {"containers": [{"name": "c"}]}
TEMPLATE = {"metadata": {"annotations": {"a": "b"}}, "spec": SPEC}


def documents(text: str) -> list[ManifestPod]:
    return list(pods_in(read_yaml(text, field="f", limit=9999), source="f"))


KINDS: dict[str, dict[str, Any]] = {
    "Pod": {"spec": SPEC},
    "Deployment": {"spec": {"template": TEMPLATE}},
    "StatefulSet": {"spec": {"template": TEMPLATE}},
    "Job": {"spec": {"template": TEMPLATE}},
    "CronJob": {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}},
    "PodTemplate": {"template": TEMPLATE},
    "Rollout": {"spec": {"template": TEMPLATE}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind: str) -> None:
    metadata = {"name": "n", "namespace": "ns"}
    document = {"kind": kind, "metadata": metadata, **KINDS[kind]}
    (pod,) = pods_in(document, source="f")
    assert pod.full_name == "ns/n"
    assert [container.name for container in pod.containers] == ["c"]
    assert pod.annotations == ({} if kind == "Pod" else {"a": "b"})
    (listed,) = pods_in({"kind": "List", "items": [{"kind": "Service"}, document]}, source="f")
    assert listed == pod


def test_names_that_are_not_given() -> None:
    (pod,) = pods_in({"kind": "Pod", "metadata": {"generateName": "x-"}, "spec": SPEC}, source="f")
    assert pod.full_name == "default/x-*"


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"spec": SPEC}])
def test_no_manifest(document: Any) -> None:
    with pytest.raises(HomenodeProblem, match="f: "):
        list(pods_in(document, source="f"))


def test_lists_in_lists_end() -> None:
    document: dict[str, Any] = {"kind": "Pod", "spec": SPEC}
    for _depth in range(20):
        document = {"kind": "List", "items": [document]}
    assert list(pods_in(document, source="f")) == []


QOS = {
    "{limits: {cpu: 1, memory: 1G}}": "Guaranteed",
    "{requests: {cpu: 1}}": "Burstable",
    "{}": "BestEffort",
}


@pytest.mark.parametrize(("resources", "qos_class"), QOS.items())
def test_the_qos_class_is_computed(resources: str, qos_class: str) -> None:
    (pod,) = documents(
        f"{{kind: Pod, spec: {{containers: [{{name: c, resources: {resources}}}]}}}}"
    )
    assert pod.qos_class == qos_class
    (of_pod,) = documents(
        f"{{kind: Pod, spec: {{resources: {resources}, containers: [{{name: c}}]}}}}"
    )
    assert of_pod.qos_class == qos_class


STRUCTURE: dict[str, tuple[str, str]] = {
    "containers that are no list": ("{kind: Pod, spec: {containers: {}}}", "spec.containers"),
    "a container that is no mapping": (
        "{kind: Pod, spec: {containers: [x]}}",
        "spec.containers[0]",
    ),
    "a name that is none": (
        "{kind: Pod, spec: {containers: [{name: []}]}}",
        "spec.containers[0].name",
    ),
    "resources that are none": (
        "{kind: Pod, spec: {containers: [{name: c, resources: {limits: {cpu: x}}}]}}",
        "spec.containers[0].resources.limits.cpu",
    ),
    "an annotation that is no text": (
        "{kind: Pod, metadata: {annotations: {hide-hyperthreads.resource-policy.nri.io: true}},"
        " spec: {containers: [{name: c}]}}",
        "hide-hyperthreads" + NRI,
    ),
    "an annotation on the workload": (
        "{kind: Job, metadata: {annotations: {rdtclass.resource-policy.nri.io: x}},"
        " spec: {template: {spec: {containers: [{name: c}]}}}}",
        "rdtclass" + NRI,
    ),
}


@pytest.mark.parametrize("row", STRUCTURE.values(), ids=STRUCTURE)
def test_problems_of_the_manifest(row: tuple[str, str]) -> None:
    text, field = row
    (pod,) = documents(text)
    assert [problem.field for problem in pod.problems] == [field]


def test_a_boolean_is_read_as_the_text_that_was_meant() -> None:
    (pod,) = documents(STRUCTURE["an annotation that is no text"][0])
    assert said(pod_intents(pod).intents["c"]) == {"hide_hyperthreads": True}


GUARANTEED = "{limits: {cpu: 2, memory: 1G}}"
SMALL = "{limits: {cpu: 500m, memory: 1G}}"
BURSTABLE = "{requests: {cpu: 2}}"


def intents(annotations: dict[str, str], resources: str, policy: Any = None) -> PodIntents:
    one = f"{{name: c, resources: {resources}}}"
    text = f"{{kind: Pod, spec: {{containers: [{one}, {one.replace('c', 'd', 1)}]}}}}"
    document = read_yaml(text, field="f", limit=9999)
    document["metadata"] = {"annotations": annotations}
    (pod,) = pods_in(document, source="f")
    return pod_intents(pod, policy)


PROBLEMS = """
memory-type/container.x | dram | whole | names the container 'x', which the pod has not
cpu-class/container.c | x | whole |
cpu-class/container.c | x | small | CPU class ("x") invalid without exclusive CPUs
cpu-class/container.c | x | burst | CPU class ("x") invalid for non-Guaranteed QoS class (Burstable)
cpu-class/pod | x | burst |
irq-affinity/container.c | claim: [x] | small | IRQ affinity (claim: [x]) invalid without exclusive
irq-affinity/container.c | claim: [x] | burst | QoS class Burstable is not Guaranteed
require-isolated-cpus/container.c | true | burst | has no effect: QoS class Burstable is not
require-isolated-cpus/pod | true | burst |
unlimited-burstable/container.c | numa | whole | has no effect: QoS class Guaranteed is not
test.topologyhints | x | whole | counts in simulations only
memory-type | x | whole | 'x' is no type of memory
/affinity | x: [c] | whole | names the container 'x', which the pod has not
/affinity | [ | whole | line 1
"""
"""Key, value, resources, why; nothing where there is no problem."""
RESOURCES = {"whole": GUARANTEED, "small": SMALL, "burst": BURSTABLE}


@pytest.mark.parametrize("row", PROBLEMS.strip().splitlines())
def test_problems_of_the_pod(row: str) -> None:
    name, value, resources, why = (cell.strip() for cell in row.split("|"))
    word, slash, scope = name.partition("/")
    key = word + NRI + slash + scope if word else NRI[1:] + name
    found = intents({key: value}, RESOURCES[resources]).problems
    assert [problem.field for problem in found] == [key] * bool(why)
    assert all(why in problem.why for problem in found)


BALLOONS = parse_spec(
    BALLOONS_KIND,
    {
        "reservedResources": {"cpu": 1},
        "balloonTypes": [{"name": "db"}],
        "schedulingClasses": [{"name": "rt"}],
    },
    source="f",
)
TOPOLOGY = parse_spec(TOPOLOGY_AWARE_KIND, {"reservedResources": {"cpu": 1}}, source="f")
CONFIGURED: dict[str, tuple[Any, str, str, str]] = {
    "a type that is there": (BALLOONS, "balloon.balloons", "db", ""),
    "a type that is built in": (BALLOONS, "balloon.balloons", "default", ""),
    "a type that is not": (BALLOONS, "balloon.balloons", "web", 'no balloon for annotation "web"'),
    "a type elsewhere": (TOPOLOGY, "balloon.balloons", "db", "is not read by the topology-aware"),
    "a key of the other policy": (BALLOONS, "cold-start", "{}", "is not read by the balloons"),
    "a class that is there": (BALLOONS, "scheduling-class", "rt", ""),
    "a class that is not": (TOPOLOGY, "scheduling-class", "rt", 'unknown scheduling class "rt"'),
    "a CPU class that is not": (TOPOLOGY, "cpu-class", "x", 'unknown cpu class "x"'),
}


@pytest.mark.parametrize("row", CONFIGURED.values(), ids=CONFIGURED)
def test_problems_with_a_policy_at_hand(row: tuple[Any, str, str, str]) -> None:
    policy, name, value, why = row
    found = intents({name + NRI: value}, GUARANTEED, policy).problems
    assert len(found) == bool(why)
    assert all(why in problem.why for problem in found)


def test_every_unknown_key_is_told() -> None:
    assert len(intents({f"x{at}{NRI}": "1" for at in range(20)}, GUARANTEED).problems) == 20


def test_only_what_is_said_is_shown() -> None:
    annotations = {
        "memory-type" + NRI: "pmem,dram",
        "cpu-class" + NRI: "x",
        "topologyhints" + NRI: "none",
        "resource-policy.nri.io/affinity": "c: [d]",
    }
    assert said(intents(annotations, GUARANTEED).intents["c"]) == {
        "memory_types": ["DRAM", "PMEM"],
        "cpu_class": "x",
        "cpu_class_scope": "pod",
        "hints": {"sources": []},
        "affinities": [
            {
                "scope": None,
                "match": {"key": "name", "operator": "Equals", "values": ["d"]},
                "weight": 1,
            }
        ],
    }
    assert said(intents({}, GUARANTEED).intents["c"]) == {}


KEYS = ["kind", "metadata", "spec", "template", "jobTemplate", "items", "containers", "resources"]
KEYS += ["annotations", "name", "limits", "cpu", "initContainers", "memory-type" + NRI]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("Pod"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(JUNK)
def test_nothing_does_more_than_be_refused(document: Any) -> None:
    try:
        pods = list(pods_in(document, source="f"))
    except HomenodeProblem:
        return
    assert all(pod_intents(pod).pod is pod for pod in pods)
