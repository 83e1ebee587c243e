# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages to events and replies to messages, told by the fake runtime's own messages."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from fake_runtime import kubelet
from fake_runtime.schema import MESSAGES
from homenode.runtime import nri
from homenode.runtime.wire import WireProblem
from model.cpuset import CpuSet, NodeSet
from model.events import (
    NO_CHANGE,
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdate,
    ContainerUpdating,
    PodRemoved,
    PodStarted,
    Reply,
)
from model.settings import IoPriority, Scheduler, Settings
from model.workload import Container, Device, Placement, Pod, Resources, whole_cpus

POD = {
    "id": "p1",
    "name": "web-0",
    "uid": "u1",
    "namespace": "shop",
    "labels": {"app": "web"},
    "annotations": {"a": "b"},
    "linux": {"cgroup_parent": kubelet.cgroup_parent("Burstable", "u1")},
}
CONTAINER = {
    "id": "c1",
    "pod_sandbox_id": "p1",
    "name": "app",
    "state": 3,
    "pid": 77,
    "created_at": 1700000000123456789,
    "linux": {
        "oom_score_adj": {"value": 937},
        "cgroups_path": "slice:cri:c1",
        "resources": {
            "cpu": {
                "shares": {"value": 2048},
                "quota": {"value": 200000},
                "period": {"value": 100000},
                "cpus": "0-1",
                "mems": "0",
            },
            "memory": {"limit": {"value": 1 << 30}},
        },
    },
}


def event(method: str, kind: str, **fields: Any) -> object:
    return nri.event_of(method, MESSAGES[kind](**fields).SerializeToString())


def test_create_container_tells_pod_and_container() -> None:
    told = event("CreateContainer", "ContainerRequest", pod=POD, container=CONTAINER)
    assert told == ContainerCreating(
        Pod(
            id="p1",
            name="web-0",
            namespace="shop",
            uid="u1",
            cgroup_parent="/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu1.slice",
            annotations={"a": "b"},
            labels={"app": "web"},
        ),
        Container(
            id="c1",
            pod_id="p1",
            name="app",
            state="running",
            resources=Resources(2048, 200000, 100000, 1 << 30, "0-1", "0"),
            cgroups_path="slice:cri:c1",
            pid=77,
            created_at=1700000000123456789,
            oom_score_adj=937,
        ),
    )


@pytest.mark.parametrize(("linux", "adjustment"), [({}, None), ({"oom_score_adj": {}}, 0)])
def test_no_oom_score_adj_is_not_zero(linux: dict[str, Any], adjustment: Optional[int]) -> None:
    told = event("CreateContainer", "ContainerRequest", container={"id": "c", "linux": linux})
    assert isinstance(told, ContainerCreating)
    assert told.container.oom_score_adj == adjustment


DISK = {"type": "b", "major": 259, "minor": 1}
RULES: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "no rules": ([], True),
    "a rule for it lets write": (
        [{"type": "b", "major": {"value": 259}, "minor": {"value": 1}, "access": "rw"}], False),
    "a rule for it lets read": (
        [{"type": "b", "major": {"value": 259}, "minor": {"value": 1}, "access": "r"}], True),
    "a rule for another": (
        [{"type": "b", "major": {"value": 259}, "minor": {"value": 2}, "access": "rw"}], True),
    "a rule for all": ([{"access": "rwm"}], False),
}  # fmt: skip


@pytest.mark.parametrize("row", RULES.values(), ids=RULES)
def test_a_device_is_read_only_unless_a_rule_lets_write(
    row: tuple[list[dict[str, Any]], bool],
) -> None:
    rules, read_only = row
    linux = {"devices": [DISK, {"type": "p"}], "resources": {"devices": rules}}
    told = event("CreateContainer", "ContainerRequest", container={"id": "c", "linux": linux})
    assert isinstance(told, ContainerCreating)
    assert nri.attached_to(told.container) == ([], [Device("block", 259, 1, read_only)])


def test_mounts_and_devices_of_a_container_without_any() -> None:
    assert nri.attached_to(creating().container) == ([], [])


def test_an_attachment_that_is_none_is_a_problem() -> None:
    broken = Container("c", "p", "app", undecoded=([b"\xff"], [], []))
    with pytest.raises(WireProblem):
        nri.attached_to(broken)


def test_update_container_takes_zero_for_not_given() -> None:
    asked = {"cpu": {"shares": {"value": 512}, "quota": {"value": 0}}, "memory": {"limit": {}}}
    told = event(
        "UpdateContainer",
        "UpdateContainerRequest",
        pod=POD,
        container=CONTAINER,
        linux_resources=asked,
    )
    assert isinstance(told, ContainerUpdating)
    assert told.resources == Resources(shares=512)


@pytest.mark.parametrize(
    ("number", "method", "expected"),
    [
        (1, "RunPodSandbox", PodStarted),
        (3, "RemovePodSandbox", PodRemoved),
        (7, "PostStartContainer", ContainerStarted),
        (11, "RemoveContainer", ContainerRemoved),
    ],
)
def test_dedicated_methods_and_state_change_tell_the_same(
    number: int, method: str, expected: type
) -> None:
    dedicated = event(method, "ContainerRequest", pod=POD, container=CONTAINER)
    old = event("StateChange", "StateChangeEvent", event=number, pod=POD, container=CONTAINER)
    assert isinstance(dedicated, expected)
    assert dedicated == old


def test_stop_container() -> None:
    told = event("StopContainer", "ContainerRequest", pod=POD, container=CONTAINER)
    assert told == ContainerStopped("c1")


def test_a_state_change_that_we_did_not_ask_for_is_nothing() -> None:
    assert event("StateChange", "StateChangeEvent", event=14, pod=POD) is None


@pytest.mark.parametrize("method", ["CreateContainer", "StopContainer", "RemovePodSandbox"])
def test_an_event_about_nothing_is_a_problem(method: str) -> None:
    with pytest.raises(WireProblem, match="is missing"):
        nri.event_of(method, b"")


@pytest.mark.parametrize("state", [-1, 99])
def test_a_state_of_the_future_is_unknown(state: int) -> None:
    told = event("CreateContainer", "ContainerRequest", container={"id": "c", "state": state})
    assert isinstance(told, ContainerCreating)
    assert told.container.state == "unknown"


@pytest.mark.parametrize("driver", [kubelet.SYSTEMD, kubelet.CGROUPFS])
@pytest.mark.parametrize(
    ("qos", "cpu", "exclusive"),
    [("Guaranteed", 2, 2), ("Guaranteed", 1.5, 0), ("Burstable", 2, 0), ("BestEffort", 0, 0)],
)
def test_class_and_request_come_back_from_what_the_kubelet_derives(
    driver: str, qos: str, cpu: float, exclusive: int
) -> None:
    figures = kubelet.figures(qos, cpu, 1 << 30)
    parent = kubelet.cgroup_parent(qos, "0a-1b", driver)
    cpu_message: dict[str, Any] = {"shares": {"value": figures.shares}}
    if figures.quota is not None:
        cpu_message.update(quota={"value": figures.quota}, period={"value": figures.period})
    told = event(
        "CreateContainer",
        "ContainerRequest",
        pod={"id": "p", "linux": {"cgroup_parent": parent}},
        container={"id": "c", "linux": {"resources": {"cpu": cpu_message}}},
    )
    assert isinstance(told, ContainerCreating)
    assert told.pod.qos_class == qos
    assert whole_cpus(told.container.resources, told.pod.qos_class) == exclusive


def placement(cpus: Optional[str], mems: Optional[str] = None) -> Placement:
    return Placement(
        None if cpus is None else CpuSet.parse(cpus), None if mems is None else NodeSet.parse(mems)
    )


def creating(identity: str = "c1") -> ContainerCreating:
    return ContainerCreating(Pod("p", "n", "ns", "u"), Container(identity, "p", "app"))


def test_create_container_answer() -> None:
    reply = Reply(
        placement("2-3", "1"),
        (
            ContainerUpdate("c2", placement("0-1")),
            ContainerUpdate("c3", placement(None, "0")),
            ContainerUpdate("c4", placement(None)),
        ),
    )
    wire = nri.answer("CreateContainer", creating(), reply)
    answer = MESSAGES["CreateContainerResponse"].FromString(wire)
    expected = MESSAGES["CreateContainerResponse"](
        adjust={"linux": {"resources": {"cpu": {"cpus": "2-3", "mems": "1"}}}},
        update=[
            {"container_id": "c2", "linux": {"resources": {"cpu": {"cpus": "0-1"}}}},
            {"container_id": "c3", "linux": {"resources": {"cpu": {"mems": "0"}}}},
        ],
    )
    assert answer == expected


SCHEDULER = Scheduler("fifo", -5, 42, ("reset-on-fork", "keep-policy"), 1, 2, 3)
EVERYTHING = Settings(512, "gold", "slow", SCHEDULER, IoPriority("rt", 7))


def test_weight_and_classes_go_with_a_placement_or_alone() -> None:
    both = ContainerUpdate("c2", placement("0-1"), Settings(2048))
    alone = ContainerUpdate("c3", placement(None), Settings(None, "gold", "slow"))
    wire = nri.answer("CreateContainer", creating(), Reply(None, (both, alone)))
    classes = {"rdt_class": {"value": "gold"}, "blockio_class": {"value": "slow"}}
    weighted = {"cpu": {"cpus": "0-1", "shares": {"value": 2048}}}
    assert MESSAGES["CreateContainerResponse"].FromString(wire) == MESSAGES[
        "CreateContainerResponse"
    ](
        update=[
            {"container_id": "c2", "linux": {"resources": weighted}},
            {"container_id": "c3", "linux": {"resources": classes}},
        ]
    )


def test_a_scheduler_goes_with_a_creation_alone() -> None:
    """NRI has no field for it in an update."""
    wire = nri.answer("CreateContainer", creating(), Reply(None, settings=EVERYTHING))
    adjusted = MESSAGES["CreateContainerResponse"].FromString(wire).adjust.linux
    assert adjusted.resources.cpu.shares.value == 512
    assert (adjusted.scheduler.policy, adjusted.scheduler.nice) == (2, -5)
    flags = MESSAGES["PackedFlags"].FromString(adjusted.scheduler.SerializeToString()).flags
    assert list(flags) == [0, 3]
    assert getattr(adjusted.io_priority, "class") == 1
    update = Reply(None, (ContainerUpdate("c1", placement(None), EVERYTHING),))
    wire = nri.answer("StopContainer", ContainerStopped("c2"), update)
    told = MESSAGES["UpdateList"].FromString(wire).update[0].linux
    assert told.resources.cpu.shares.value == 512


@pytest.mark.parametrize("reply", [NO_CHANGE, Reply(Placement()), Reply(placement("", ""))])
def test_nothing_to_say_is_an_empty_answer(reply: Reply) -> None:
    assert nri.answer("CreateContainer", creating(), reply) == b""


def test_the_container_being_created_is_never_among_the_updates() -> None:
    reply = Reply(None, (ContainerUpdate("c1", placement("0")),))
    assert nri.answer("CreateContainer", creating("c1"), reply) == b""


def test_two_updates_of_one_container_become_the_last() -> None:
    """A runtime takes the second for a conflict and fails the creation."""
    reply = Reply(
        None, (ContainerUpdate("c2", placement("0")), ContainerUpdate("c2", placement("1")))
    )
    answer = MESSAGES["UpdateList"].FromString(
        nri.answer("StopContainer", ContainerStopped("c1"), reply)
    )
    assert [(u.container_id, u.linux.resources.cpu.cpus) for u in answer.update] == [("c2", "1")]


def test_an_update_may_name_the_container_being_updated() -> None:
    asked = ContainerUpdating(creating().pod, creating().container, Resources())
    wire = nri.answer(
        "UpdateContainer", asked, Reply(None, (ContainerUpdate("c1", placement("2")),))
    )
    assert [u.container_id for u in MESSAGES["UpdateList"].FromString(wire).update] == ["c1"]


@pytest.mark.parametrize("more", [True, False])
def test_synchronize_repeats_more(more: bool) -> None:
    wire = MESSAGES["SynchronizeRequest"](pods=[POD], containers=[CONTAINER], more=more)
    pods, containers, told = nri.synchronized_part(wire.SerializeToString())
    assert ([p.id for p in pods], [c.id for c in containers], told) == (["p1"], ["c1"], more)
    answer = MESSAGES["SynchronizeResponse"].FromString(nri.synchronize_answer(NO_CHANGE, more))
    assert answer.more is more
