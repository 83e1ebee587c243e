# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service manager's protocol, with a real datagram socket in the manager's place."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Optional

import pytest

from homenode.daemon.notify import notify, watchdog_seconds


@pytest.mark.parametrize("abstract", [False, True], ids=["a path", "an abstract name"])
def test_a_message_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    name = f"@homenode-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify("READY=1\nSTATUS=waiting")
        assert manager.recv(100) == b"READY=1\nSTATUS=waiting"


@pytest.mark.parametrize("address", [None, "", "/nowhere/notify", "x" * 300])
def test_no_manager_is_no_problem(monkeypatch: pytest.MonkeyPatch, address: Optional[str]) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")


PERIODS = {"30000000": 30.0, "500000": 0.5, "0": None, "": None, "soon": None, "-5": None}


@pytest.mark.parametrize("text", PERIODS)
def test_how_often_the_manager_wants_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", text)
    assert watchdog_seconds() == PERIODS[text]


def test_no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_seconds() is None
