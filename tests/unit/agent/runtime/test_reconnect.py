# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad luck on the socket: absent, restarted, forgetful, hostile; and what is said about it."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_runtime import FakeRuntime
from fake_runtime.in_process import Served
from homenode.runtime.notice import CONNECTED, DISCONNECTED, PROBLEM, WAITING, RuntimeNotice
from homenode.runtime.wire import MAX_FRAME_BYTES
from model.events import NO_CHANGE, Event, Reply


def test_an_absent_socket_is_waited_for_and_said_once(nri_socket: Path, served: Served) -> None:
    served.wait_for(WAITING)
    time.sleep(0.4)
    assert served.kinds() == [WAITING]
    with FakeRuntime(nri_socket) as runtime:
        runtime.wait_for_plugins()
        served.wait_for(CONNECTED)
    assert served.kinds()[:2] == [WAITING, CONNECTED]


def test_a_path_too_long_for_a_socket_is_a_problem_with_a_remedy(tmp_path: Path) -> None:
    with Served(tmp_path / ("x" * 120)) as served:
        notice = served.wait_for(WAITING)
    assert notice.problem is not None
    assert "check its path" in notice.problem.remedy


def test_a_restarted_runtime_is_found_again_five_times(nri_socket: Path, served: Served) -> None:
    with FakeRuntime(nri_socket) as runtime:
        runtime.wait_for_plugins()
        pod = runtime.run_pod("web")
        for number in range(5):
            runtime.create_container(pod, f"c{number}")
            began = time.monotonic()
            runtime.restart()
            runtime.wait_for_plugins()
            assert time.monotonic() - began < 5
        served.wait_for(CONNECTED, 6)
    assert served.plugin.counts.connections == 6
    assert served.plugin.counts.failed == 0


@pytest.mark.parametrize("nri", [(0, 6), (0, 12)])
def test_a_runtime_that_forgot_us_is_connected_to_anew(
    nri_socket: Path, nri: tuple[int, int]
) -> None:
    """F4: registered, configured, and never an event."""
    with FakeRuntime(nri_socket, nri=nri, synchronizes=False) as runtime:
        with Served(nri_socket, registration_wait_s=0.2) as served:
            served.wait_for(DISCONNECTED)
            runtime.synchronizes = True
            runtime.wait_for_plugins()
            served.wait_for(CONNECTED)
        assert served.plugin.counts.forgotten >= 1
        assert runtime.registrations >= 2


def test_a_slow_synchronize_does_not_make_us_forgotten(nri_socket: Path) -> None:
    def slow(event: Event, deadline: float) -> Reply:
        time.sleep(0.6)
        return NO_CHANGE

    with FakeRuntime(nri_socket) as runtime:
        served = Served(nri_socket, registration_wait_s=0.3, synchronize_budget_s=0.2)
        served.decide = slow
        with served:
            runtime.wait_for_plugins()
            served.wait_for(CONNECTED)
        assert served.plugin.counts.forgotten == 0
        assert served.plugin.counts.late == 1


def test_a_synchronize_that_fails_is_tried_again(nri_socket: Path) -> None:
    """Without it nothing that runs is known, and the next decision could be a wrong one."""
    left = [2]

    def fail_twice(event: Event, deadline: float) -> Reply:
        left[0] -= 1
        if left[0] >= 0:
            raise ValueError("boom")
        return NO_CHANGE

    with FakeRuntime(nri_socket) as runtime, Served(nri_socket) as served:
        served.decide = fail_twice
        served.wait_for(CONNECTED)
        runtime.wait_for_plugins()
    assert served.plugin.counts.connections == 3
    assert served.kinds().count(PROBLEM) == 1
    assert [notice.detail for notice in served.notices if "boom" in notice.detail]


def frame(connection: int, payload: bytes) -> bytes:
    return struct.pack(">II", connection, len(payload)) + payload


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(struct.pack(">II", 1, MAX_FRAME_BYTES + 1), id="frame too large"),
        pytest.param(frame(1, struct.pack(">IIBB", 1 << 31, 1, 1, 0)), id="message too large"),
        pytest.param(frame(1, struct.pack(">IIBB", 3, 1, 1, 0) + b"\xff" * 3), id="no protobuf"),
        pytest.param(frame(1, struct.pack(">IIBB", 0, 1, 9, 0)), id="message type"),
        pytest.param(frame(2, struct.pack(">IIBB", 0, 1, 1, 0)), id="call on our connection"),
        pytest.param(frame(1, struct.pack(">IIBB", 0, 1, 2, 0)), id="answer on theirs"),
    ],
)
def test_garbage_drops_the_connection_and_the_next_one_works(
    nri_socket: Path, served: Served, garbage: bytes
) -> None:
    """F6."""
    with FakeRuntime(nri_socket) as runtime:
        [plugin] = runtime.wait_for_plugins()
        served.wait_for(CONNECTED)
        plugin.trunk.send_bytes(garbage)
        served.wait_for(PROBLEM)
        served.wait_for(CONNECTED, 2)
        runtime.wait_for_plugins()
        assert runtime.create_container(runtime.run_pod("web"), "app").state == "running"
    assert served.plugin.counts.failed == 0


def test_a_truncated_frame_is_the_end_of_the_connection(nri_socket: Path, served: Served) -> None:
    with FakeRuntime(nri_socket) as runtime:
        [plugin] = runtime.wait_for_plugins()
        served.wait_for(CONNECTED)
        plugin.trunk.send_bytes(struct.pack(">II", 1, 4000) + b"cut")
        plugin.trunk.close()
        served.wait_for(CONNECTED, 2)


def test_frames_for_connections_that_nobody_opened_are_dropped(
    nri_socket: Path, served: Served
) -> None:
    with FakeRuntime(nri_socket) as runtime:
        [plugin] = runtime.wait_for_plugins()
        plugin.trunk.send_bytes(frame(7, b"whatever") + frame(0, b""))
        runtime.run_pod("web")
        assert runtime.plugins == [plugin]


class NoisyListener:
    """Accepts whoever comes and sends noise at once, as no runtime would."""

    def __init__(self, path: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self.accepted = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            with sock:
                try:
                    sock.sendall(self._random.randbytes(self._random.randrange(1, 20_000)))
                    sock.settimeout(0.05)
                    sock.recv(65536)
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def noisy(nri_socket: Path) -> Iterator[NoisyListener]:
    listener = NoisyListener(nri_socket, seed=int.from_bytes(os.urandom(2), "big"))
    yield listener
    listener.close()


def test_noise_for_ever_is_survived_and_not_chattered_about(
    noisy: NoisyListener, nri_socket: Path
) -> None:
    with Served(nri_socket, retry_longest_s=0.05) as served:
        deadline = time.monotonic() + 10
        while noisy.accepted < 15 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert noisy.accepted >= 15
    assert served.plugin.counts.failed == 0
    assert len(served.notices) <= 64


def test_a_stop_is_seen_without_an_interrupt(nri_socket: Path) -> None:
    with FakeRuntime(nri_socket) as runtime, Served(nri_socket) as served:
        runtime.wait_for_plugins()
        began = time.monotonic()
        assert served.stop(interrupt=False)
        assert time.monotonic() - began < 3


def test_whoever_listens_to_notices_may_fail(nri_socket: Path) -> None:
    def broken(notice: RuntimeNotice) -> None:
        raise RuntimeError("the journal is full")

    served = Served(nri_socket)
    served.plugin._told = broken
    with served, FakeRuntime(nri_socket) as runtime:
        runtime.wait_for_plugins()
        runtime.restart()
        runtime.wait_for_plugins()
    assert served.plugin.counts.failed > 0
