# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real API server over a real etcd on this host's loopback, for as long as a `with` lasts.

It authorizes as a cluster of kubeadm does (Node, RBAC) and reaches the kubelets in guests through
their ssh connections. There is no scheduler and no controller manager: who makes a pod names its
node, and nobody replaces it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.commands import TAIL
from lab.kubelet_pki import Authority, Pair
from lab.kubelet_programs import program
from lab.kubelet_way import WayToKubelets
from lab.problem import LabProblem

READY_LIMIT = 90.0  # seconds until an API server answers, on a busy host
STOP_LIMIT = 10.0
ADMINS = "system:masters"
SERVICES = "10.96.0.0/16"


class ControlPlane:
    """The running servers, and what one needs to talk to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "pki")
        self.port, self._store, self._peers = free_ports(3)
        self.way = WayToKubelets(folder / "way.sock")
        admin = self.authority.client("kubernetes-admin", ADMINS)
        self.admin_conf = folder / "admin.conf"
        self.admin_conf.write_text(self.kubeconfig(admin), encoding="ascii")
        self._programs: list[subprocess.Popen[bytes]] = []

    def kubeconfig(self, user: Pair, port: int = 0) -> str:
        """A kubeconfig for this user; *port* is where the API server is, seen from them."""
        paths = {
            "certificate-authority": self.authority.certificate,
            "client-certificate": user.certificate,
            "client-key": user.key,
        }
        return kubeconfig(f"https://127.0.0.1:{port or self.port}", paths)

    def kubectl(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """The output of kubectl as administrator.

        Raises LabProblem with what it says where it fails, unless `check` is false.
        """
        done = subprocess.run(
            [program("kubectl"), f"--kubeconfig={self.admin_conf}", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode != 0:
            raise LabProblem(f"kubectl {' '.join(words)}: {done.stderr.strip()[-TAIL:]}")
        return done.stdout

    def get(self, *words: str) -> Any:
        """The object that `kubectl get` shows."""
        return json.loads(self.kubectl("get", "-o", "json", *words))

    def make(self, manifest: Mapping[str, Any]) -> Any:
        """Create one object."""
        text = json.dumps(manifest)
        return json.loads(self.kubectl("create", "-o", "json", "-f", "-", stdin=text))

    def start(self) -> None:
        """Start both servers and wait until the upper one is ready."""
        self.way.start()
        store, peers = (f"http://127.0.0.1:{port}" for port in (self._store, self._peers))
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peers}",
        )
        self._run("kube-apiserver", f"--etcd-servers={store}", *self._server_flags())
        self._wait_until_ready()

    def _server_flags(self) -> list[str]:
        """As kubeadm starts it, but for addresses and for what only other components need."""
        serving = self.authority.server("kube-apiserver", ["127.0.0.1", "10.96.0.1"])
        to_kubelets = self.authority.client("kube-apiserver-kubelet-client", ADMINS)
        signing = self.authority.signing_key("sa")
        return [
            *("--bind-address=127.0.0.1", f"--secure-port={self.port}"),
            *("--advertise-address=10.96.255.1", "--endpoint-reconciler-type=none"),
            *("--allow-privileged=true", f"--service-cluster-ip-range={SERVICES}"),
            *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
            "--disable-admission-plugins=ServiceAccount",  # its controller is not here
            f"--client-ca-file={self.authority.certificate}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--kubelet-client-certificate={to_kubelets.certificate}",
            f"--kubelet-client-key={to_kubelets.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--egress-selector-config-file={self.way.configuration()}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={signing}",
            f"--service-account-signing-key-file={signing}",
        ]

    def _run(self, name: str, *flags: str) -> None:
        """Start a program that ends with this process, however this process ends."""
        bound = ["setpriv", "--pdeathsig", "KILL", str(program(name)), *flags]
        with open(self._log(name), "wb") as log:
            started = subprocess.Popen(
                bound, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        self._programs.append(started)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_LIMIT
        while not self._ready():
            ended = [child for child in self._programs if child.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = [self._log(name).read_text()[-TAIL:] for name in ("etcd", "kube-apiserver")]
                raise LabProblem("the API server did not get ready:\n" + "\n".join(logs))
            time.sleep(0.1)

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        url = f"https://127.0.0.1:{self.port}/readyz"
        try:
            with urllib.request.urlopen(url, context=context, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """End both, the upper one first."""
        for child in reversed(self._programs):
            child.terminate()
            try:
                child.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._programs.clear()
        self.way.stop()


def kubeconfig(server: str, paths: Mapping[str, Path | str]) -> str:
    """A kubeconfig that names its files by path."""
    user = {key: str(path) for key, path in paths.items() if key.startswith("client-")}
    cluster = {key: str(path) for key, path in paths.items() if key not in user}
    names = {"cluster": "lab", "user": "lab"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "lab", "user": user}],
            "contexts": [{"name": "lab", "context": names}],
            "current-context": "lab",
        },
        indent=1,
    )


def free_ports(count: int) -> list[int]:
    """So many different free ports of the loopback."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _number in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextlib.contextmanager
def running() -> Iterator[ControlPlane]:
    """A control plane in a folder of its own; afterwards nothing is left of it."""
    with tempfile.TemporaryDirectory(prefix="homenode-lab-") as folder:
        os.chmod(folder, 0o700)  # keys lie in it
        plane = ControlPlane(Path(folder))
        try:
            plane.start()
            yield plane
        finally:
            plane.stop()
