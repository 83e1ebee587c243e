# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plugin against the fake runtime: handshake, events, answers, and what a handler may do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_runtime import CreationFailed, FakeRuntime
from fake_runtime.in_process import Served
from fake_runtime.trunk import RpcError
from homenode.runtime.notice import CONNECTED, PROBLEM, UNDELIVERED
from homenode.runtime.nri_messages import EMPTY_ANSWERS, EVENT_MASK
from model.cpuset import CpuSet, NodeSet
from model.events import (
    NO_CHANGE,
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdate,
    ContainerUpdating,
    Event,
    PodRemoved,
    PodStarted,
    Reply,
    Synchronized,
)
from model.problem import Problem
from model.workload import Placement

HOME = Placement(CpuSet([2, 3]), NodeSet([1]))
VERSIONS = pytest.mark.parametrize("nri", [(0, 6), (0, 8), (0, 12)])


@pytest.fixture
def runtime(nri_socket: Path) -> Iterator[FakeRuntime]:
    with FakeRuntime(nri_socket) as one:
        yield one


def pin_created(event: Event, deadline: float) -> Reply:
    return Reply(HOME) if isinstance(event, ContainerCreating) else NO_CHANGE


@VERSIONS
def test_a_pods_life_comes_as_events(
    nri_socket: Path, served: Served, nri: tuple[int, int]
) -> None:
    served.decide = pin_created
    with FakeRuntime(nri_socket, nri=nri) as runtime:
        runtime.wait_for_plugins()
        pod = runtime.run_pod("web")
        container = runtime.create_container(pod, "app", cpu=2)
        runtime.update_container(container, cpu=3)
        runtime.remove_pod(pod)
    assert container.placement == ("2-3", "1")
    assert [type(event) for event in served.events] == [
        Synchronized,
        PodStarted,
        ContainerCreating,
        ContainerStarted,
        ContainerUpdating,
        ContainerStopped,
        ContainerRemoved,
        PodRemoved,
    ]
    creating = served.events[2]
    assert isinstance(creating, ContainerCreating)
    assert (creating.pod.full_name, creating.container.resources.quota) == ("default/web", 200_000)


@VERSIONS
def test_a_refused_creation_fails_with_its_reason_and_the_connection_stays(
    nri_socket: Path, served: Served, nri: tuple[int, int]
) -> None:
    why = Problem("require-isolated-cpus", "true", "has no isolated CPU", "ask for fewer")

    def refuse_a(event: Event, deadline: float) -> Reply:
        named = isinstance(event, ContainerCreating) and event.container.name == "a"
        return Reply(HOME, refusal=why) if named else pin_created(event, deadline)

    served.decide = refuse_a
    with FakeRuntime(nri_socket, nri=nri) as runtime:
        [plugin] = runtime.wait_for_plugins()
        pod = runtime.run_pod("web")
        with pytest.raises(CreationFailed, match="has no isolated CPU; ask for fewer"):
            runtime.create_container(pod, "a")
        assert runtime.create_container(pod, "b").placement == ("2-3", "1")
        assert runtime.plugins == [plugin]
    assert [notice.kind for notice in served.notices if notice.kind == UNDELIVERED] == []


def test_the_mask_asks_for_seven_events(runtime: FakeRuntime, served: Served) -> None:
    [plugin] = runtime.wait_for_plugins()
    assert plugin.events == EVENT_MASK == 0x6CD


def test_connected_tells_which_runtime(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    notice = served.wait_for(CONNECTED)
    assert (notice.runtime_name, notice.runtime_version) == ("fake", "0.12")
    assert served.plugin.connected


def test_updates_travel_with_the_answer(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    pod = runtime.run_pod("web")
    others = [runtime.create_container(pod, f"c{number}") for number in range(200)]
    updates = tuple(ContainerUpdate(other.id, HOME) for other in others)
    served.decide = lambda event, deadline: Reply(None, updates)
    runtime.create_container(pod, "last", start=False)
    assert {other.placement for other in others} == {("2-3", "1")}


def test_stop_gives_back_to_others(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    pod = runtime.run_pod("web")
    one, other = runtime.create_container(pod, "one"), runtime.create_container(pod, "other")
    served.decide = lambda event, deadline: (
        Reply(None, (ContainerUpdate(other.id, HOME),))
        if isinstance(event, ContainerStopped)
        else NO_CHANGE
    )
    runtime.stop_container(one)
    assert other.placement == ("2-3", "1")


def test_an_update_is_overridden(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    container = runtime.create_container(runtime.run_pod("web"), "app")
    served.decide = lambda event, deadline: Reply(None, (ContainerUpdate(container.id, HOME),))
    runtime.update_container(container, cpu=4, cpus="0-3")
    assert container.placement == ("2-3", "1")


@pytest.mark.parametrize("pods_per_message", [0, 1, 7])
def test_synchronize_lists_all_however_it_is_cut(nri_socket: Path, pods_per_message: int) -> None:
    with FakeRuntime(nri_socket, pods_per_message=pods_per_message) as runtime:
        pod = runtime.run_pod("web")
        ids = [runtime.create_container(pod, f"c{number}").id for number in range(20)]
        served = Served(nri_socket)
        served.decide = lambda event, deadline: Reply(None, (ContainerUpdate(ids[7], HOME),))
        with served:
            runtime.wait_for_plugins()
            assert runtime.containers[ids[7]].placement == ("2-3", "1")
    [event] = served.events
    assert isinstance(event, Synchronized)
    assert [container.id for container in event.containers] == ids
    assert [one.id for one in event.pods] == [pod.id]


def test_a_synchronize_of_more_than_four_mebibytes(nri_socket: Path) -> None:
    """As containerd 1.7 sends it, in one message."""
    with FakeRuntime(nri_socket, nri=(0, 6)) as runtime:
        pod = runtime.run_pod("web")
        for number in range(50):
            runtime.create_container(pod, f"c{number}", env=["X=" + "x" * 100_000], start=False)
        with Served(nri_socket) as served:
            runtime.wait_for_plugins()
            served.wait_for(CONNECTED)
    assert isinstance(served.events[0], Synchronized)
    assert len(served.events[0].containers) == 50


def test_a_handler_that_raises_changes_nothing(runtime: FakeRuntime, served: Served) -> None:
    def fail(event: Event, deadline: float) -> Reply:
        raise ValueError("boom")

    runtime.wait_for_plugins()
    pod = runtime.run_pod("web")
    served.decide = fail
    container = runtime.create_container(pod, "app", start=False)
    assert container.placement == ("", "")
    notice = served.wait_for(UNDELIVERED)
    assert "ValueError: boom" in notice.detail
    assert isinstance(notice.event, ContainerCreating)
    assert runtime.failures == []


def test_a_handler_that_is_late_changes_nothing_and_hears_of_it(nri_socket: Path) -> None:
    """Before the next event, so that what it granted can be taken back."""
    order: list[str] = []

    def late(event: Event, deadline: float) -> Reply:
        order.append(type(event).__name__)
        if isinstance(event, ContainerCreating):
            time.sleep(1.0)
        return Reply(HOME)

    with FakeRuntime(nri_socket) as runtime, Served(nri_socket, answer_budget_s=0.1) as served:
        runtime.wait_for_plugins()
        pod = runtime.run_pod("web")
        served.decide = late
        served.plugin._told = lambda notice: order.append(notice.kind)
        container = runtime.create_container(pod, "app", start=False)
        runtime.start_container(container)
    assert container.placement == ("", "")
    assert 0.1 <= container.latency_s < 0.9
    assert order[:3] == ["ContainerCreating", UNDELIVERED, "ContainerStarted"]
    assert (served.plugin.counts.late, runtime.failures) == (1, [])


def test_a_handler_that_gives_up_at_its_deadline_is_late(nri_socket: Path) -> None:
    """It waited for a lock until then: "no change" is no decision, and must be told apart."""

    def give_up(event: Event, deadline: float) -> Reply:
        if isinstance(event, ContainerCreating):
            time.sleep(max(0.0, deadline - time.monotonic()))
        return NO_CHANGE

    with FakeRuntime(nri_socket) as runtime, Served(nri_socket, answer_budget_s=0.05) as served:
        runtime.wait_for_plugins()
        served.decide = give_up
        pod = runtime.run_pod("web")
        for number in range(10):
            runtime.create_container(pod, f"c{number}", start=False)
        served.wait_for(UNDELIVERED, 10)
    assert served.plugin.counts.late == 10


def test_the_deadline_is_within_what_the_runtime_waits(nri_socket: Path) -> None:
    left: list[float] = []

    def note(event: Event, deadline: float) -> Reply:
        left.append(deadline - time.monotonic())
        return NO_CHANGE

    with FakeRuntime(nri_socket, request_timeout_s=0.4) as runtime, Served(nri_socket) as served:
        served.decide = note
        runtime.wait_for_plugins()
        runtime.run_pod("web")
    assert 0 < left[0] <= 0.3, "Synchronize: three quarters"
    assert 0 < left[1] <= 0.2, "an event: half"


def test_updates_from_another_thread(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    container = runtime.create_container(runtime.run_pod("web"), "app")
    served.wait_for(CONNECTED)
    assert served.plugin.update([ContainerUpdate(container.id, HOME)]) == {}
    assert container.placement == ("2-3", "1")
    assert served.plugin.update([ContainerUpdate("unknown", HOME)]) == {}


def test_updates_and_creations_at_the_same_time(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    pod = runtime.run_pod("web")
    container = runtime.create_container(pod, "app")
    served.wait_for(CONNECTED)
    failed: list[object] = []

    def update() -> None:
        for _time in range(50):
            failed.append(served.plugin.update([ContainerUpdate(container.id, HOME)]))

    thread = threading.Thread(target=update)
    thread.start()
    for number in range(50):
        runtime.create_container(pod, f"c{number}")
    thread.join()
    assert failed == [{}] * 50
    assert runtime.failures == []


def test_an_update_inside_a_handler_is_refused(runtime: FakeRuntime, served: Served) -> None:
    """It would wait for the runtime, which waits for the handler."""

    def update(event: Event, deadline: float) -> Reply:
        served.plugin.update([ContainerUpdate("c", HOME)])
        return NO_CHANGE

    runtime.wait_for_plugins()
    served.wait_for(CONNECTED)
    served.decide = update
    runtime.run_pod("web")
    assert "inside a handler" in served.wait_for(UNDELIVERED).detail


def test_an_update_without_a_runtime_fails_by_name(served: Served) -> None:
    failed = served.plugin.update([ContainerUpdate("c1", HOME)])
    assert "no runtime is connected" in failed["c1"].why


def test_an_update_that_the_runtime_refuses_says_why(runtime: FakeRuntime, served: Served) -> None:
    runtime.wait_for_plugins()
    served.wait_for(CONNECTED)
    runtime.refuse_updates = "no such cgroup"
    failed = served.plugin.update([ContainerUpdate("c1", HOME)])
    assert "no such cgroup" in failed["c1"].why


def test_an_update_whose_runtime_dies_fails_at_once(runtime: FakeRuntime, served: Served) -> None:
    [plugin] = runtime.wait_for_plugins()
    served.wait_for(CONNECTED)
    failed: dict[str, object] = {}
    with runtime.busy():  # holds the lock that an update waits for
        thread = threading.Thread(
            target=lambda: failed.update(served.plugin.update([ContainerUpdate("c1", HOME)]))
        )
        thread.start()
        time.sleep(0.1)
        began = time.monotonic()
        plugin.trunk.close()
        thread.join()
    assert time.monotonic() - began < 1.5
    assert "c1" in failed


def test_a_malformed_event_is_answered_and_reported(runtime: FakeRuntime, served: Served) -> None:
    """An error would make the container's creation fail."""
    [plugin] = runtime.wait_for_plugins()
    assert plugin.trunk.call("CreateContainer", b"\xff\xff\xff", 1) == b""
    notice = served.wait_for(PROBLEM)
    assert notice.problem is not None
    assert served.plugin.counts.malformed == 1
    assert runtime.create_container(runtime.run_pod("web"), "app").state == "running"


def test_declared_methods_are_answered_and_others_are_unimplemented(
    runtime: FakeRuntime, served: Served
) -> None:
    [plugin] = runtime.wait_for_plugins()
    for method in EMPTY_ANSWERS:
        assert plugin.trunk.call(method, b"", 1) == b""
    with pytest.raises(RpcError, match="12"):
        plugin.trunk.call("MethodOfTheFuture", b"", 1)
    assert runtime.plugins == [plugin]


def test_a_refused_registration_is_reported_once_and_tried_again(
    runtime: FakeRuntime, nri_socket: Path
) -> None:
    runtime.refuse_registration = "invalid name"
    with Served(nri_socket) as served:
        notice = served.wait_for(PROBLEM)
        time.sleep(0.3)
        runtime.refuse_registration = ""
        served.wait_for(CONNECTED)
    assert "invalid name" in notice.detail
    assert served.kinds().count(PROBLEM) == 1
    assert served.plugin.counts.refused > 1


def test_two_plugins_that_set_the_same_are_a_conflict(
    runtime: FakeRuntime, served: Served, nri_socket: Path
) -> None:
    """The runtime fails the creation and tells no plugin; we must stay connected."""
    served.decide = pin_created
    with Served(nri_socket, plugin_index="91", plugin_name="other") as other:
        other.decide = pin_created
        runtime.wait_for_plugins(2)
        with pytest.raises(CreationFailed, match="both tried to set cpus"):
            runtime.create_container(runtime.run_pod("web"), "app")
    assert served.plugin.connected
