# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames and messages, split and joined in every way; what is too large, garbage or cut short."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_runtime.schema import MESSAGES
from homenode.runtime import ttrpc
from homenode.runtime.mux import FIRST_FRAME_BYTES, PLUGIN_CONNECTION, Closed, Mux
from homenode.runtime.ttrpc import Reassembly, Request, Response
from homenode.runtime.wire import (
    MAX_FRAME_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_SENT_BYTES,
    WireProblem,
)


@pytest.fixture
def ends() -> Iterator[tuple[Mux, socket.socket]]:
    ours, theirs = socket.socketpair()
    mux = Mux(ours, 0.002)
    yield mux, theirs
    mux.close()
    theirs.close()


def frame(connection: int, payload: bytes) -> bytes:
    return struct.pack(">II", connection, len(payload)) + payload


def received(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += sock.recv(count - len(data))
    return data


def test_frames_come_back_however_the_stream_is_cut(ends: tuple[Mux, socket.socket]) -> None:
    mux, runtime = ends
    wire = frame(1, b"one") + frame(2, b"") + frame(2, b"two") + frame(1, b"x" * 70)
    for cut in (1, 7, 8, 11, 100):
        seen = {1: b"", 2: b""}
        for at in range(0, len(wire), cut):
            runtime.sendall(wire[at : at + cut])
            while (got := mux.read()) is not None:
                seen[got[0]] += got[1]
        assert seen == {1: b"one" + b"x" * 70, 2: b"two"}


def test_nothing_within_a_tick_is_none(ends: tuple[Mux, socket.socket]) -> None:
    mux, runtime = ends
    runtime.sendall(b"\x00\x00\x00\x01\x00")
    assert mux.read() is None


@pytest.mark.parametrize("size", [0, 1, FIRST_FRAME_BYTES, FIRST_FRAME_BYTES + 1, 300_000])
def test_send_rule_is_4096_then_the_rest(ends: tuple[Mux, socket.socket], size: int) -> None:
    mux, runtime = ends
    runtime.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    mux._trunk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    message = bytes(size)
    mux.write(PLUGIN_CONNECTION, message)
    sizes = [min(size, FIRST_FRAME_BYTES)] + ([size - 4096] if size > FIRST_FRAME_BYTES else [])
    for expected in sizes:
        connection, length = struct.unpack(">II", received(runtime, 8))
        assert (connection, length) == (PLUGIN_CONNECTION, expected)
        received(runtime, length)


def test_a_frame_beyond_the_bound_is_refused_from_its_header(
    ends: tuple[Mux, socket.socket],
) -> None:
    mux, runtime = ends
    runtime.sendall(struct.pack(">II", 1, MAX_FRAME_BYTES + 1))
    with pytest.raises(WireProblem, match="frame length"):
        mux.read()


def test_the_end_of_the_stream_is_closed(ends: tuple[Mux, socket.socket]) -> None:
    mux, runtime = ends
    runtime.sendall(b"\x00\x00\x00\x01\x00\x00\x00\x09cut")
    runtime.shutdown(socket.SHUT_WR)
    assert mux.read() == (1, b"cut")
    with pytest.raises(Closed):
        mux.read()


def test_writing_to_nobody_is_closed(ends: tuple[Mux, socket.socket]) -> None:
    mux, runtime = ends
    runtime.close()
    with pytest.raises(Closed):
        mux.write(PLUGIN_CONNECTION, b"x")


def test_interrupt_ends_a_read_and_may_come_twice(ends: tuple[Mux, socket.socket]) -> None:
    mux, _runtime = ends
    mux.interrupt()
    mux.interrupt()
    with pytest.raises(Closed):
        mux.read()


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=5),
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
@settings(deadline=None)
def test_messages_are_reassembled_from_any_cuts(payloads: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(
        ttrpc.request(2 * n + 1, "service", "Method", payload, 1.5)
        for n, payload in enumerate(payloads)
    )
    reassembly, found, at = Reassembly(), [], 0
    while at < len(wire):
        step = cuts[at % len(cuts)]
        found += reassembly.feed(wire[at : at + step])
        at += step
    assert found == [
        Request(2 * n + 1, "service", "Method", payload) for n, payload in enumerate(payloads)
    ]


def test_requests_and_responses_as_protobuf_reads_them() -> None:
    wire = ttrpc.request(7, "s", "M", b"body", 1.5)
    assert struct.unpack(">IIBB", wire[:10]) == (len(wire) - 10, 7, 1, 0)
    request = MESSAGES["TtrpcRequest"].FromString(wire[10:])
    assert (request.service, request.method, request.payload) == ("s", "M", b"body")
    assert request.timeout_nano == 1_500_000_000
    answer = MESSAGES["TtrpcResponse"].FromString(ttrpc.response(7, b"body")[10:])
    assert answer.payload == b"body"
    assert not answer.HasField("status")
    refusal = MESSAGES["TtrpcResponse"].FromString(ttrpc.refusal(7, 12, "no")[10:])
    assert (refusal.status.code, refusal.status.message) == (12, "no")


def test_a_response_of_the_runtime() -> None:
    message = MESSAGES["TtrpcResponse"](status={"code": 2, "message": "why"})
    body = message.SerializeToString()
    wire = struct.pack(">IIBB", len(body), 3, 2, 0) + body
    assert Reassembly().feed(wire) == [Response(3, 2, "why", b"")]


@pytest.mark.parametrize(
    ("header", "what"),
    [
        pytest.param((MAX_MESSAGE_BYTES + 1, 1, 1, 0), "message length", id="too large"),
        pytest.param((0, 1, 3, 0), "message type", id="streaming data"),
        pytest.param((0, 1, 0, 0), "message type", id="no such type"),
    ],
)
def test_messages_that_break_the_rules(header: tuple[int, int, int, int], what: str) -> None:
    with pytest.raises(WireProblem, match=what):
        Reassembly().feed(struct.pack(">IIBB", *header))


def test_we_never_send_more_than_the_runtime_takes() -> None:
    with pytest.raises(WireProblem, match="our message"):
        ttrpc.response(1, bytes(MAX_SENT_BYTES))
