# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kubelet_up looks at: the kubelet's own answer, and its process below a service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.modules import kubelet_up


class Healthz(BaseHTTPRequestHandler):
    """Healthy at /healthz, and nowhere else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 500)
        self.end_headers()

    def log_message(self, format: str, *_values: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Healthz)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_kubelet_says_that_it_is_healthy(url: str) -> None:
    assert kubelet_up.healthy(f"{url}/healthz")
    assert not kubelet_up.healthy(f"{url}/broken")


def test_nobody_answers() -> None:
    assert not kubelet_up.healthy("http://127.0.0.1:1/healthz")
    assert not kubelet_up.healthy("no url")
    assert kubelet_up.healthy("")


def process(folder: Path, number: int, name: str, cgroup: str) -> None:
    here = folder / str(number)
    here.mkdir()
    (here / "comm").write_text(f"{name}\n")
    (here / "cgroup").write_text(f"0::{cgroup}\n")


def test_the_kubelet_below_a_service(tmp_path: Path) -> None:
    process(tmp_path, 10, "rke2", "/system.slice/rke2-server.service")
    process(tmp_path, 11, "kubelet", "/system.slice/other.service")
    (tmp_path / "12").mkdir()
    assert kubelet_up.kubelet_process("rke2-server", tmp_path) == 0
    process(tmp_path, 13, "kubelet", "/system.slice/rke2-server.service")
    assert kubelet_up.kubelet_process("rke2-server", tmp_path) == 13
