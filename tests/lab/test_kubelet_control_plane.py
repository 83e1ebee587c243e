# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's control plane: it answers, it authorizes as a real one, and it leaves nothing."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import psutil
import pytest

from lab import control_plane
from lab.kubelet_way import WayToKubelets


@pytest.mark.lab
def test_nothing_is_left() -> None:
    before = children()
    with control_plane.running() as plane:
        assert plane.kubectl("get", "--raw", "/readyz") == "ok"
        started = sorted(name.partition("-v")[0] for name in children() - before)
        assert started == ["etcd", "kube-apiserver"]
        folder, port = plane.folder, plane.port
    assert children() == before
    assert not folder.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.lab
def test_a_node_may_do_what_nodes_may() -> None:
    """The Node authorizer decides, as on a cluster of kubeadm: its own node, no other secrets."""
    with control_plane.running() as plane:
        user = plane.authority.client("system:node:one", "system:nodes")
        conf = plane.folder / "node.conf"
        conf.write_text(plane.kubeconfig(user))
        may = [
            plane.kubectl(f"--kubeconfig={conf}", "auth", "can-i", verb, what, check=False).split()[
                0
            ]
            for verb, what in (("create", "nodes"), ("delete", "namespaces"), ("list", "secrets"))
        ]
    assert may == ["yes", "no", "no"]


def test_the_way_leads_to_the_kubelet_that_was_named() -> None:
    with tempfile.TemporaryDirectory(prefix="homenode-lab-") as folder:
        way = WayToKubelets(Path(folder) / "way.sock")
        with socket.socket(socket.AF_UNIX) as kubelet, socket.socket(socket.AF_UNIX) as caller:
            kubelet.bind(f"{folder}/kubelet")
            kubelet.listen()
            address = way.add(Path(folder) / "kubelet")
            way.start()
            try:
                caller.connect(str(way.path))
                caller.sendall(f"CONNECT {address}:10250 HTTP/1.1\r\n\r\n".encode())
                node, _from = kubelet.accept()
                with node:
                    assert caller.recv(100).startswith(b"HTTP/1.1 200 ")
                    caller.sendall(b"question")
                    assert node.recv(100) == b"question"
                    node.sendall(b"answer")
                    assert caller.recv(100) == b"answer"
            finally:
                way.stop()


def children() -> set[str]:
    """The names of this process's children."""
    return {child.name() for child in psutil.Process().children()}
