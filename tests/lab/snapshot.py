# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Booted machines on disk: containerd runs, its images are there, and a guest starts from it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import machine as qemu
from lab.guest import SAVED, Guest, Identity, launch, load
from lab.image import Image
from lab.machine import Machine
from lab.places import Places
from lab.problem import LabProblem
from lab.progress import say, step

FIRST_BOOT = "first-boot-"  # how the names of guests begin that are to become snapshots
ATTEMPTS = 3  # boots of an emulated machine before giving up


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot is made of; its name says which of all snapshots it is."""

    machine: Machine
    topology: str  # the name of the machine's topology
    containerd: str

    @property
    def name(self) -> str:
        """Image, topology and containerd version in words, the rest as a hash."""
        fixed = [*self.machine.arguments, str(qemu.qemu_version())]
        if self.machine.accelerator == "kvm":
            fixed.append(_host_cpu())
        digest = hashlib.sha256("\0".join(fixed).encode()).hexdigest()[:8]
        return f"{self.machine.image.key}-{Path(self.topology).stem}-{self.containerd}-{digest}"


def _host_cpu() -> str:
    """The host's CPU: a state saved under KVM may not load on another one."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith("model name")), "")


def ensure(places: Places, snapshot: Snapshot) -> Path:
    """The snapshot's disk, made by a first boot when it is not there."""
    folder = places.snapshots / snapshot.name
    if not folder.exists():
        with places.locked("snapshot"):
            if not folder.exists():
                _make(places, snapshot, folder)
    return folder / "disk.qcow2"


def _make(places: Places, snapshot: Snapshot, folder: Path) -> None:
    accelerator = snapshot.machine.accelerator
    what = f"first boot of {snapshot.topology} with containerd {snapshot.containerd}"
    with step(f"{what} ({'KVM' if accelerator == 'kvm' else 'emulated'})"):
        guest = _boot(places, snapshot)
        try:
            with step("starting containerd and importing its images"):
                _prepare(guest, snapshot.containerd)
            guest.disconnect()
            with step("saving the machine"), qemu.monitor(guest.sockets) as monitor:
                monitor.human("stop")
                monitor.human(f"savevm {SAVED}")
            qemu.stop(guest.disk)
            places.snapshots.mkdir(parents=True, exist_ok=True)
            half = Path(tempfile.mkdtemp(prefix="build-", dir=places.root))
            guest.disk.rename(half / guest.disk.name)
            half.rename(folder)
        finally:
            guest.down()
    say(f"snapshot takes {(folder / 'disk.qcow2').stat().st_blocks // 2048} MB")


def _boot(places: Places, snapshot: Snapshot) -> Guest:
    """Boot without a snapshot; emulation makes a kernel die now and then, so try again."""
    identity = _identity(snapshot)
    leftover = places.guests / identity.name
    if leftover.exists():  # of a process that was killed: we hold the lock
        load(places, leftover).down()
    for attempt in range(1, ATTEMPTS + 1):
        guest = launch(places, snapshot.machine, identity, None, "-no-reboot")
        try:
            guest.wait()
            return guest
        except LabProblem as problem:
            guest.down()
            if attempt == ATTEMPTS:
                raise
            say(f"boot {attempt} of {ATTEMPTS} failed, trying again: {problem.what}")
    raise AssertionError("unreachable")


def _identity(snapshot: Snapshot) -> Identity:
    return Identity(
        name=f"{FIRST_BOOT}{snapshot.name}",
        image=snapshot.machine.image.key,
        topology=snapshot.topology,
        containerd=snapshot.containerd,
        accelerator=snapshot.machine.accelerator,
    )


def _prepare(guest: Guest, containerd: str) -> None:
    """What every guest of this snapshot has; dropping caches keeps the saved memory small."""
    guest.run(f"lab-containerd {containerd}")
    for path in guest.image.container_images:
        guest.put(path, "/tmp/image.tar")
        guest.run("ctr -n k8s.io images import /tmp/image.tar && rm /tmp/image.tar")
    guest.run("sync; echo 3 > /proc/sys/vm/drop_caches")


def prune(places: Places, image: Image, in_use: set[str]) -> None:
    """Remove images and their snapshots that no guest uses and no new guest would use."""
    for folder in (*_folders(places.images), *_folders(places.snapshots)):
        key = folder.name.partition("-")[0]
        if key != image.key and key not in in_use:
            say(f"removing outdated {folder.parent.name[:-1]} {folder.name}")
            shutil.rmtree(folder, ignore_errors=True)


def _folders(parent: Path) -> list[Path]:
    return sorted(parent.iterdir()) if parent.exists() else []
