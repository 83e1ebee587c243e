# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control socket as root and as others ask it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from homenode.daemon import control, listener
from model.problem import HomenodeProblem


def _echo(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request.get("text") == "bad":
        raise HomenodeProblem("text", "bad", "is bad", "send another")
    return {"said": request.get("text")}


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    place = str(tmp_path / "control.sock")
    server, stop = listener.listen(f"unix:{place}", 0o600), threading.Event()
    server.settimeout(0.05)

    def answer(client: socket.socket) -> None:
        control.answer(client, {"echo": _echo})

    thread = threading.Thread(target=listener.serve, args=(server, answer, stop))
    thread.start()
    yield place
    stop.set()
    thread.join(5)


def test_a_verb_is_answered(path: str) -> None:
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert control.ask(path, {"verb": "echo", "text": "x" * 60000}) == {"said": "x" * 60000}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"verb": "echo", "text": "bad"}, "is bad"),
        ({"verb": "nothing"}, "is not known"),
        ({"verb": ["echo"]}, "is not known"),
        ({}, "is not known"),
    ],
)
def test_a_problem_comes_back_as_one(path: str, request_: dict[str, Any], why: str) -> None:
    with pytest.raises(HomenodeProblem, match=why):
        control.ask(path, request_)


@pytest.mark.parametrize("sent", [b"", b"{", b"[1]\n", b"\xff\n", b"[" * 70000])
def test_garbage_does_not_end_it(path: str, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(path)
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        try:
            client.recv(65536)
        except ConnectionResetError:
            pass  # it hung up on what was too much
    assert control.ask(path, {"verb": "echo"}) == {"said": None}


def test_another_user_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(HomenodeProblem, match="may not control"):
        control.ask(path, {"verb": "echo"})


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(HomenodeProblem, match="start the agent"):
        control.ask(str(tmp_path / "none"), {"verb": "echo"})
