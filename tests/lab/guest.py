# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest: created from a snapshot in seconds, reached by ssh, rolled back, destroyed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab import machine as qemu
from lab.commands import TAIL, call
from lab.image import HOST_ALIAS, Image
from lab.machine import Machine
from lab.places import Places
from lab.problem import LabProblem

if TYPE_CHECKING:
    from lab.cri import Cri

RECORD = "guest.json"
SAVED = "ready"  # the saved state's name inside a snapshot's disk
BOOT_LIMIT = 300.0  # seconds until ssh answers, on a busy host
VERSIONS = ("1.7", "2.x")


@dataclass(frozen=True)
class Identity:
    """What is written down of a guest, so that another process can use it."""

    name: str
    image: str
    topology: str
    containerd: str
    accelerator: str
    port: int = 0
    sockets: str = ""


class Guest:
    """A running guest. Commands run as root."""

    def __init__(self, folder: Path, image: Image, identity: Identity) -> None:
        self.folder = folder
        self.image = image
        self.identity = identity
        self.name = identity.name
        self.sockets = Path(identity.sockets)
        self.disk = folder / "disk.qcow2"

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *error: object) -> None:
        self.down()

    @property
    def alive(self) -> bool:
        """Whether its QEMU runs."""
        return qemu.alive(self.disk)

    @property
    def ssh_options(self) -> list[str]:
        """Options of ssh and scp except the port; connections are shared."""
        options = {
            "IdentityFile": self.image.ssh_key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.image.known_hosts,
            "HostKeyAlias": HOST_ALIAS,
            "StrictHostKeyChecking": "yes",
            "ControlMaster": "auto",
            "ControlPath": self.sockets / "ssh",
            "ControlPersist": "yes",
            "LogLevel": "ERROR",
            "ConnectTimeout": "60",
        }
        return ["-F", "/dev/null", *(f"-o{key}={value}" for key, value in options.items())]

    @property
    def ssh(self) -> list[str]:
        """The ssh command line up to, not including, the remote command."""
        return ["ssh", *self.ssh_options, "-p", str(self.identity.port), "root@127.0.0.1"]

    def run(
        self, command: str, *, check: bool = True, stdin: str = "", timeout: float = 300
    ) -> str:
        """Run a shell command and return its standard output.

        Raises LabProblem on an exit status other than 0, unless `check` is false.
        """
        try:
            done = subprocess.run(
                [*self.ssh, command],
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LabProblem(f"{self.name}: no end after {timeout:g} s: {command}") from None
        if check and done.returncode != 0:
            output = (done.stderr.strip() or done.stdout.strip())[-TAIL:]
            raise LabProblem(f"{self.name}: exit status {done.returncode}: {command}\n{output}")
        return done.stdout

    def put(self, local: Path | str, remote: str) -> None:
        """Copy a file or folder into the guest."""
        call([*self._scp, str(local), f"root@127.0.0.1:{remote}"])

    def get(self, remote: str, local: Path | str) -> None:
        """Copy a file or folder out of the guest."""
        call([*self._scp, f"root@127.0.0.1:{remote}", str(local)])

    @property
    def _scp(self) -> list[str]:
        return ["scp", "-q", "-r", *self.ssh_options, "-P", str(self.identity.port)]

    def forward(self, remote: str) -> Path:
        """A socket on the host that leads to the unix socket `remote` of the guest."""
        local = self.sockets / remote.strip("/").replace("/", "-")
        if not local.exists():
            options = ["-oStreamLocalBindUnlink=yes", "-O", "forward", "-L", f"{local}:{remote}"]
            self.run("true")  # there must be a connection that carries it
            call([*self.ssh[:-1], *options, self.ssh[-1]])
        return local

    def cri(self) -> Cri:
        """A client of the guest's container runtime; needs grpcio and protobuf."""
        from lab.cri import Cri  # only tests of containers need these libraries

        return Cri(self)

    def disconnect(self) -> None:
        """Close the shared ssh connection and what it forwards."""
        if (self.sockets / "ssh").exists():
            subprocess.run(
                [*self.ssh[:-1], "-O", "exit", self.ssh[-1]], capture_output=True, check=False
            )
        for path in self.sockets.iterdir():
            if path.name != "monitor":
                path.unlink(missing_ok=True)

    def rollback(self) -> None:
        """Back to the moment after creation, in place."""
        self.disconnect()
        with qemu.monitor(self.sockets) as monitor:
            monitor.human("stop")
            monitor.human(f"loadvm {SAVED}")
            monitor.human("cont")
        self.settle()

    def reboot(self) -> None:
        """Restart the guest's system and wait for it."""
        before = self.run("cat /proc/sys/kernel/random/boot_id")
        self.run("systemctl reboot", check=False)
        self.disconnect()
        deadline = time.monotonic() + BOOT_LIMIT
        while self.run("cat /proc/sys/kernel/random/boot_id", check=False) in ("", before):
            self._give_up(deadline)
        self.settle()

    def settle(self) -> None:
        """Give a restored guest the time of day and its own name."""
        now, name = time.time(), self.name
        self.run(f"date -u -s @{now:.3f}; hostname {name}; echo {name} > /etc/hostname")

    def wait(self) -> None:
        """Wait until ssh answers. Raises LabProblem when the guest dies or takes too long."""
        deadline = time.monotonic() + BOOT_LIMIT
        while not self._answers():
            self._give_up(deadline)

    def _give_up(self, deadline: float) -> None:
        """Wait a little, or raise when there is nothing left to wait for."""
        if not self.alive:
            console = (self.folder / "console.log").read_text(errors="replace")[-TAIL:]
            raise LabProblem(f"{self.name}: the guest died; the end of its console:\n{console}")
        if time.monotonic() > deadline:
            raise LabProblem(f"{self.name}: no ssh after {BOOT_LIMIT:g} s")
        time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.identity.port), 2) as connection:
                connection.settimeout(3)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def down(self) -> None:
        """Destroy the guest and all that belongs to it."""
        if self.sockets.exists():
            self.disconnect()
        qemu.stop(self.disk)
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def launch(
    places: Places, machine: Machine, identity: Identity, disk: Path | None, *options: str
) -> Guest:
    """Start a guest on a copy of `disk`, or without one on an empty layer over the image."""
    folder = places.guests / identity.name
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        remedy = f"python3 -m lab down {identity.name}"
        raise LabProblem(f"a guest {identity.name!r} exists already", remedy) from None
    sockets = Path(tempfile.mkdtemp(prefix="homenode-lab-", dir="/tmp"))
    identity = replace(identity, port=_free_port(), sockets=str(sockets))
    guest = Guest(folder, machine.image, identity)
    try:
        (folder / RECORD).write_text(json.dumps(asdict(identity)), encoding="utf-8")
        if disk:
            call(["cp", "--reflink=auto", "--sparse=always", str(disk), str(guest.disk)])
        else:
            below = f"../../images/{machine.image.key}/{machine.image.disk.name}"
            layer = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", below, "-F", "raw"]
            call([*layer, str(guest.disk)])
        qemu.start(machine, guest.disk, sockets, identity.port, *options)
    except BaseException:
        guest.down()
        raise
    return guest


def load(places: Places, folder: Path) -> Guest:
    """The guest that was written down in this folder."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    identity = Identity(**{key.name: record[key.name] for key in fields(Identity)})
    return Guest(folder, Image(places.images / identity.image), identity)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
