# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The leak fixture sees each kind of leak, or it would prove nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading

from tools.leaks import Traces, left_since


def test_nothing_left_is_no_leak() -> None:
    assert left_since(Traces.now()) == []


def test_a_thread_that_ends_soon_is_no_leak() -> None:
    before = Traces.now()
    threading.Timer(0.1, lambda: None).start()
    assert left_since(before) == []


def test_a_running_thread_is_a_leak() -> None:
    before = Traces.now()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten")
    thread.start()
    leaks = left_since(before, patience_s=0)
    stop.set()
    thread.join()
    assert len(leaks) == 1
    assert leaks[0].startswith("thread forgotten")


def test_an_unreaped_child_is_a_leak() -> None:
    before = Traces.now()
    child = subprocess.Popen(["true"])
    leaks = left_since(before, patience_s=0)
    child.wait()
    assert leaks == [f"child process {child.pid}"]


def test_an_open_socket_is_a_leak() -> None:
    before = Traces.now()
    with socket.socket() as opened:
        leaks = left_since(before, patience_s=0)
        assert [line.split(" -> ")[0] for line in leaks] == [f"file descriptor {opened.fileno()}"]


def test_a_temporary_file_is_a_leak() -> None:
    before = Traces.now()
    handle, path = tempfile.mkstemp()
    os.close(handle)
    leaks = left_since(before, patience_s=0)
    os.unlink(path)
    assert leaks == [f"file {path}"]
