# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that is a node of a cluster: a real kubelet beside its containerd, laid out by kubeadm.

What pods have is read from their cgroups, never from the kubelet. Out of scope: pod networks.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lab import machine as qemu
from lab.commands import TAIL, call
from lab.control_plane import ControlPlane, kubeconfig
from lab.guest import Guest
from lab.kubelet_files import CLIENT, CONF, KUBELET, MANIFESTS, PKI, PROGRAMS, node_files
from lab.kubelet_programs import program
from lab.machine import Machine
from lab.problem import LabProblem
from lab.snapshot import ATTEMPTS
from lab.topology import topology

SERVER_PORT = 6443  # of the API server, seen from the guest
KUBELET_PORT = 10250
# A shutdown gives pods 90 s that ignore its signal. This one leaves disks as clean.
AT_ONCE = "systemctl stop kubelet; sync; for key in s u; do echo $key > /proc/sysrq-trigger; done"
AT_ONCE += "; sleep 1; echo o > /proc/sysrq-trigger"
LIMIT = 120.0  # seconds for what a kubelet does on an emulated machine


class KubeNode:
    """A node. Its verbs return when their effect is there."""

    def __init__(self, guest: Guest, plane: ControlPlane) -> None:
        self.guest, self.plane, self.name = guest, plane, guest.name
        self.address = plane.way.add(guest.sockets / "kubelet")

    def join(self) -> None:
        """Install the kubelet, start it, and wait until the node is ready."""
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "node.tar"
            self._pack(Path(folder), archive)
            self._unpack(archive)
        self.connect()
        self.guest.run(f"mkdir -p {MANIFESTS} && systemctl daemon-reload")
        self.guest.run("systemctl enable --now lab-node-address kubelet")
        self.wait_until_ready()

    def _pack(self, folder: Path, archive: Path) -> None:
        """One archive of all files: emulated, each copy of its own costs half a second."""
        user = self.plane.authority.client(f"system:node:{self.name}", "system:nodes")
        client = user.certificate.read_text() + user.key.read_text()
        paths = {"certificate-authority": f"{PKI}/ca.crt"}
        paths |= dict.fromkeys(("client-certificate", "client-key"), CLIENT)
        texts = node_files(self.name, self.address) | {
            f"{PKI}/ca.crt": self.plane.authority.certificate.read_text(),
            CONF: kubeconfig(f"https://127.0.0.1:{SERVER_PORT}", paths),
            CLIENT: client,
        }
        for path, text in texts.items():
            target = folder / "root" / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        with tarfile.open(archive, "w") as packed:
            packed.add(program("kubelet"), KUBELET, filter=_by_root)
            for path in texts:
                packed.add(folder / "root" / path.lstrip("/"), path, filter=_by_root)

    def _unpack(self, archive: Path) -> None:
        """Packed on the way: ciphers are what an emulated CPU is worst at."""
        packed = gzip.compress(archive.read_bytes(), 1)
        subprocess.run([*self.guest.ssh, "tar -C / -xz"], input=packed, check=True, timeout=300)

    def connect(self) -> None:
        """Lay the ways to and from the API server; they end with the guest's connection."""
        own = self.plane.way.sockets[self.address]
        self.guest.run("true")  # there must be a connection that carries them
        for way in (
            ["-R", f"127.0.0.1:{SERVER_PORT}:127.0.0.1:{self.plane.port}"],
            ["-oStreamLocalBindUnlink=yes", "-L", f"{own}:127.0.0.1:{KUBELET_PORT}"],
        ):
            call([*self.guest.ssh[:-1], "-O", "forward", *way, self.guest.ssh[-1]])

    def boot_with(self, memory: tuple[int, ...]) -> None:
        """Shut the machine down, and start it with so much memory (MiB) in each of its nodes."""
        guest = self.guest
        usual = topology(guest.identity.topology)
        pairs = zip(usual.nodes, memory, strict=True)
        nodes = tuple(replace(one, memory=size) for one, size in pairs)
        machine = Machine(guest.image, replace(usual, nodes=nodes), guest.identity.accelerator)
        guest.run(AT_ONCE, check=False)
        guest.disconnect()
        self.until(lambda: not guest.alive, "still running")
        for attempt in range(1, ATTEMPTS + 1):
            qemu.start(machine, guest.disk, guest.sockets, guest.identity.port)
            try:
                guest.wait()
                break
            except LabProblem:  # emulation makes a kernel die now and then
                if attempt == ATTEMPTS:
                    raise
                qemu.stop(guest.disk)
        guest.settle()
        self.connect()

    def wait_until_ready(self) -> None:
        """Until the API server has heard from this very kubelet that it is ready."""
        since = time.time()
        self.until(lambda: self._ready_since() > 0 and self._renewed() > since, "node not ready")

    def _ready_since(self) -> float:
        for one in self.plane.get("nodes")["items"]:
            if one["metadata"]["name"] == self.name:
                return float(any(_is_ready(c) for c in one["status"].get("conditions", ())))
        return 0

    def _renewed(self) -> float:
        for lease in self.plane.get("leases", "-n", "kube-node-lease")["items"]:
            if lease["metadata"]["name"] == self.name:
                return _seconds(lease["spec"]["renewTime"])
        return 0

    def until(self, wanted: Callable[[], bool], what: str, limit_s: float = LIMIT) -> None:
        """Wait for it. Raises LabProblem with the end of the kubelet's journal."""
        deadline = time.monotonic() + limit_s
        while not wanted():
            if time.monotonic() > deadline:
                raise LabProblem(f"{self.name}: {what} after {limit_s:g} s:\n{self._last_words()}")
            time.sleep(0.3)

    def _last_words(self) -> str:
        """The journal's, or those of a machine that died and cannot be asked."""
        if journal := self.journal():
            return journal
        console = (self.guest.folder / "console.log").read_text(errors="replace")
        return f"{'' if self.guest.alive else 'QEMU has ended; '}console: {console[-TAIL:]}"

    def journal(self, lines: int = 15) -> str:
        """The end of what the kubelet logged."""
        command = f"journalctl -u kubelet -n {lines} --no-pager -o cat"
        return self.guest.run(command, check=False)[-TAIL * 2 :]

    def text(self, path: str) -> str:
        """A file's content; empty where it is not there."""
        return self.guest.run(f"cat {path} 2>/dev/null || true")

    def state(self, name: str) -> dict[str, Any]:
        """A state file of the kubelet; {} where it is not there."""
        text = self.text(f"/var/lib/kubelet/{name}")
        return dict(json.loads(text)) if text else {}

    def configz(self) -> dict[str, Any]:
        """The configuration that the running kubelet says it has, through the API server."""
        answer = self.plane.kubectl("get", "--raw", f"/api/v1/nodes/{self.name}/proxy/configz")
        return dict(json.loads(answer)["kubeletconfig"])


def _by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if f"/{entry.name}" in PROGRAMS else 0o600
    return entry


def _is_ready(condition: Mapping[str, Any]) -> bool:
    return bool(condition["type"] == "Ready" and condition["status"] == "True")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
