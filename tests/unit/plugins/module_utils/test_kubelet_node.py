# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at a node: flags, versions, processes, drop-ins of units."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils import kubelet_node
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_host import Host


def put(folder: Path, path: str, text: str) -> None:
    place = folder / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_flags_are_joined_with_their_values() -> None:
    words = ["--config", "/c.yaml", "--v=2", "--fail-swap-on", "--node-ip", "10.0.0.1", "-h", "x"]
    assert kubelet_node.joined(words) == [
        "--config=/c.yaml",
        "--v=2",
        "--fail-swap-on",
        "--node-ip=10.0.0.1",
    ]


def test_flags_in_environment_files(tmp_path: Path) -> None:
    put(tmp_path, "/a", 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1 --pause=p:3"\n')
    put(tmp_path, "/b", "# a comment\nKUBELET_EXTRA_ARGS=--config-dir=/d\nOTHER_ARGS=--x\n")
    put(tmp_path, "/c", "export KUBELET_EXTRA_ARGS=--y=1\n")
    files = ["/a", "/missing", "/b", "/c"]
    assert kubelet_node.flags_in(Host(str(tmp_path)), files) == [
        "--node-ip=10.0.0.1",
        "--pause=p:3",
        "--config-dir=/d",
        "--y=1",
    ]


def test_drop_ins_come_in_the_order_of_the_kubelet(tmp_path: Path) -> None:
    for name in ("90-z.conf", "10-a.conf", "20-b.conf.d/1.conf", "20-b.conf", "50-c.yaml"):
        put(tmp_path, f"/d/{name}", name)
    host = Host(str(tmp_path))
    assert [file["content"] for file in kubelet_node.texts_below(host, "/d")] == [
        "10-a.conf",
        "20-b.conf",
        "20-b.conf.d/1.conf",
        "90-z.conf",
    ]
    assert kubelet_node.texts_below(host, "/missing") == []
    assert host.problems == []


def test_a_kubelet_in_a_known_service_is_the_nodes(tmp_path: Path) -> None:
    for pid, group in ((70, "/docker/0123/kubelet"), (90, "/system.slice/kubelet.service")):
        put(tmp_path, f"/proc/{pid}/comm", "kubelet\n")
        put(tmp_path, f"/proc/{pid}/cgroup", f"12:cpu:/x\n1:name=systemd:{group}\n")
    found = kubelet_node.process_of(Host(str(tmp_path)))
    assert found == kubelet_node.Process(90, "kubelet", "kubelet")
    put(tmp_path, "/proc/90/comm", "other\n")
    assert kubelet_node.process_of(Host(str(tmp_path))) == kubelet_node.Process(70, "kubelet", "")


def test_a_kubelet_in_another_pid_namespace_is_somebody_elses(tmp_path: Path) -> None:
    put(tmp_path, "/proc/70/comm", "kubelet\n")
    for name, space in (("self", "pid:[1]"), ("70", "pid:[2]")):
        folder = tmp_path / "proc" / name / "ns"
        folder.mkdir(parents=True)
        (folder / "pid").symlink_to(space)
    assert kubelet_node.process_of(Host(str(tmp_path))) is None


def test_the_administrators_drop_in_of_a_name_wins(tmp_path: Path) -> None:
    put(tmp_path, "/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/b/kubelet\n")
    for folder, words in (("/usr/lib", "vendor"), ("/etc", "own"), ("/run", "now")):
        text = f"[Service]\nExecStart=\nExecStart=/b/kubelet --v={words}\n"
        put(tmp_path, f"{folder}/systemd/system/kubelet.service.d/10-a.conf", text)
    found = kubelet_node.service_of(Host(str(tmp_path)), "kubelet")
    assert found.arguments == ["--v=own"]
    link = tmp_path / "etc/systemd/system/kubelet.service.d/10-a.conf"
    link.unlink()
    link.symlink_to("/dev/null")
    host = Host(str(tmp_path))
    assert kubelet_node.service_of(host, "kubelet").arguments == []
    assert host.problems == []


def test_a_masked_service_is_none(tmp_path: Path) -> None:
    put(tmp_path, "/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/b/kubelet\n")
    masked = tmp_path / "etc/systemd/system/kubelet.service"
    masked.parent.mkdir(parents=True)
    masked.symlink_to("/dev/null")
    host = Host(str(tmp_path))
    assert kubelet_node.signs_of(host, None).units == frozenset()
    assert kubelet_node.service_of(host, "kubelet").command is None


def test_a_version_in_a_path_asks_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "proc/9"
    folder.mkdir(parents=True)
    (folder / "exe").symlink_to("/var/lib/rancher/rke2/data/v1.31.4-rke2r1-0123456/bin/kubelet")
    process = kubelet_node.Process(9, "kubelet", "rke2-server")
    service = kubelet_node.Service("rke2-server")
    found = kubelet_node.version_of(Host(str(tmp_path)), process, service, lambda _words: "")
    assert found == "1.31.4+rke2r1"


@pytest.mark.parametrize(
    ("process", "command", "program", "said", "version"),
    [
        (
            kubelet_node.Process(1, "kubelet", "kubelet"),
            "/usr/bin/kubelet $A",
            "/proc/1/exe",
            "Kubernetes v1.35.4\n",
            "1.35.4",
        ),
        (None, "/usr/bin/kubelet $A", "/usr/bin/kubelet", "Kubernetes v1.30.0-rc.1", "1.30.0-rc.1"),
        (None, None, "kubelet", "", ""),
        (
            kubelet_node.Process(1, "k3s-server", "k3s"),
            "/usr/local/bin/k3s server",
            "/usr/local/bin/k3s",
            "k3s version v1.31.4+k3s1 (a562d090)\ngo version go1.22.9\n",
            "1.31.4+k3s1",
        ),
    ],
)
def test_the_program_is_asked_once(
    process: kubelet_node.Process, command: str, program: str, said: str, version: str
) -> None:
    asked = []

    def ask(words: list[str]) -> str:
        asked.append(words)
        return said

    service = kubelet_node.Service("kubelet", command)
    assert kubelet_node.version_of(Host(), process, service, ask) == version
    assert asked == [[program, "--version"]]


def test_memory_is_in_bytes(tmp_path: Path) -> None:
    host = Host(str(tmp_path))
    assert kubelet_node.memory_total(host) is None
    put(tmp_path, "/proc/meminfo", "MemTotal:       65842132 kB\nMemFree: 1 kB\n")
    assert kubelet_node.memory_total(host) == 65842132 * 1024
