# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics page over a unix socket and a loopback port; nobody can stop the next scrape."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Union

import pytest

from homenode.daemon import listener, metrics_server

PAGE = "homenode_up 1\n"


@contextmanager
def serving(server: socket.socket, page: Callable[[], str] = lambda: PAGE) -> Iterator[None]:
    stop = threading.Event()
    server.settimeout(0.05)
    thread = threading.Thread(target=metrics_server.serve, args=(server, page, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def ask(address: Union[str, tuple[str, int]], request: bytes) -> bytes:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(5)
        client.connect(address)
        client.sendall(request)
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "metrics.sock")


def test_over_a_unix_socket(path: str) -> None:
    with serving(listener.listen(f"unix:{path}")):
        assert Path(path).stat().st_mode & 0o777 == 0o660
        head, _blank, body = ask(path, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").partition(
            b"\r\n\r\n"
        )
    assert head.startswith(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4")
    assert f"Content-Length: {len(PAGE)}".encode() in head
    assert body == PAGE.encode()


def test_over_a_loopback_port() -> None:
    server = listener.listen("127.0.0.1:0")
    address = server.getsockname()
    with serving(server):
        assert ask(address, b"GET / HTTP/1.0\r\n\r\n").endswith(PAGE.encode())


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /other HTTP/1.0",
        b"POST /metrics HTTP/1.0",
        b"GET",
        b"\x16\x03\x01\x02\x00",
        b"GET /../../etc/passwd HTTP/1.0",
        b"x" * 20000,
    ],
)
def test_a_bad_request_is_404_and_no_more(path: str, request_line: bytes) -> None:
    with serving(listener.listen(f"unix:{path}")):
        try:
            answer = ask(path, request_line + b"\r\n\r\n")
        except ConnectionResetError:  # what was not read of it is cut off
            answer = b"HTTP/1.0 404 "
        assert answer.startswith(b"HTTP/1.0 404 ")
        assert ask(path, b"GET /metrics HTTP/1.0\r\n\r\n").endswith(PAGE.encode())


def test_a_silent_client_costs_its_timeout_only(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "TIMEOUT_S", 0.1)
    with serving(listener.listen(f"unix:{path}")), socket.socket(socket.AF_UNIX) as silent:
        silent.connect(path)
        assert ask(path, b"GET /metrics HTTP/1.0\r\n\r\n").endswith(PAGE.encode())


def test_a_fault_in_the_page_is_not_the_end(path: str) -> None:
    pages = iter([PAGE])

    def page() -> str:
        return next(pages)

    with serving(listener.listen(f"unix:{path}"), page):
        assert ask(path, b"GET / HTTP/1.0\r\n\r\n")
        assert ask(path, b"GET / HTTP/1.0\r\n\r\n") == b""
        pages = iter([PAGE])
        assert ask(path, b"GET / HTTP/1.0\r\n\r\n")


def test_the_socket_of_a_killed_agent_is_replaced(path: str) -> None:
    listener.listen(f"unix:{path}").close()
    with serving(listener.listen(f"unix:{path}")):
        assert ask(path, b"GET / HTTP/1.0\r\n\r\n")


def test_a_file_that_is_no_socket_is_left_alone(path: str) -> None:
    Path(path).write_text("precious")
    with pytest.raises(OSError, match="in use"):
        listener.listen(f"unix:{path}")
    assert Path(path).read_text() == "precious"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            listener.listen(f"127.0.0.1:{other.getsockname()[1]}")
