# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting QEMU: the whole command line, emulation or KVM, and a watch over the process."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.commands import call
from lab.image import Image
from lab.monitor import Monitor
from lab.places import Places
from lab.problem import LabProblem
from lab.progress import say
from lab.topology import Topology, qemu_arguments

QEMU = "qemu-system-x86_64"
ACCELERATORS = {"kvm": "kvm", "tcg": "tcg,thread=multi,tb-size=512"}
KERNEL_LINE = (
    "console=ttyS0 quiet panic=-1 net.ifnames=0 tsc=reliable no_timer_check mitigations=off"
    " audit=0 selinux=0 apparmor=0"
)
PID = "pid"  # the file, beside the disk, in which QEMU writes its process id
KVM_TRIAL = 10.0  # seconds; a working KVM needs one or two
BOOTS = "lab: this machine boots"  # what our init says on the trial


@dataclass(frozen=True)
class Machine:
    """What is fixed of a QEMU process: a snapshot fits only the machine that it was made on."""

    image: Image
    topology: Topology
    accelerator: str

    @property
    def arguments(self) -> list[str]:
        """The command line without what differs from guest to guest."""
        cpu = cpu_model(self.topology, self.accelerator, qemu_version())
        return [
            *("-accel", ACCELERATORS[self.accelerator], "-cpu", cpu),
            *qemu_arguments(self.topology),
            *("-nodefaults", "-display", "none", "-append", KERNEL_LINE),
            *("-device", "virtio-blk-pci,drive=disk"),
            *("-device", "virtio-net-pci,netdev=net,romfile="),
            *("-device", "virtio-rng-pci"),
        ]


def cpu_model(topology: Topology, accelerator: str, version: tuple[int, ...]) -> str:
    """The CPU: an Intel one, since QEMU's own `max` shows wrong cache ids and no dies.

    Emulated cmpxchg16b is off: with it, QEMU 7.2's guests now and then die of a double fault
    in the kernel's allocator. QEMU 10 aborts on an Intel CPU with dies.
    """
    if topology.dies > 1 and version >= (10,):
        return "max,la57=off"
    return "Skylake-Server-v1" + (",cx16=off" if accelerator == "tcg" else "")


@cache
def qemu_version() -> tuple[int, ...]:
    """The version of the host's QEMU."""
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", call([QEMU, "--version"]))
    return tuple(int(part) for part in match.groups()) if match else ()


def start(machine: Machine, disk: Path, sockets: Path, port: int, *options: str) -> None:
    """Start a guest in the background.

    Host port `port` leads to the guest's ssh; the guest reaches nothing outside. `sockets` is a
    folder with a short path.
    """
    image, log, pid_file = machine.image, disk.with_name("console.log"), disk.with_name(PID)
    drive = f"if=none,id=disk,file={disk},format=qcow2,cache=unsafe,discard=unmap"
    network = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
    monitor = f"unix:{sockets / 'monitor'},server=on,wait=off"
    call(
        [
            *(QEMU, *machine.arguments, "-name", disk.parent.name),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
            *("-drive", drive, "-netdev", network, "-qmp", monitor),
            *("-serial", f"file:{log}", "-pidfile", str(pid_file), "-daemonize", *options),
        ],
        timeout=120,
        remedy="see the guest's console.log",
    )


def process_id(disk: Path) -> int:
    """The process id of the QEMU of that disk; 0 when it is gone, its id used anew or not."""
    try:
        pid = int(disk.with_name(PID).read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if os.fsencode(disk) in command else 0


def alive(disk: Path) -> bool:
    """Whether the QEMU of that disk runs."""
    return process_id(disk) != 0


def stop(disk: Path) -> None:
    """End a guest at once, without a shutdown; its disk is not kept."""
    signals = itertools.chain([signal.SIGTERM], itertools.repeat(0, 200), [signal.SIGKILL])
    while pid := process_id(disk):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, next(signals, 0))
        time.sleep(0.05)


def monitor(sockets: Path) -> Monitor:
    """The monitor of the guest with these sockets."""
    return Monitor(sockets / "monitor")


def accelerator(places: Places, image: Image) -> str:
    """`kvm` when a guest really boots with it on this host, else `tcg`; tried once per boot."""
    if forced := os.environ.get("HOMENODE_LAB_ACCELERATOR"):
        if forced not in ACCELERATORS:
            raise LabProblem(f"HOMENODE_LAB_ACCELERATOR: {forced!r}", "use kvm or tcg")
        return forced
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    verdict = places.root / "accelerator"
    question = f"{boot} {qemu_version()} "
    if verdict.exists() and verdict.read_text(encoding="ascii").startswith(question):
        return verdict.read_text(encoding="ascii").split()[-1]
    answer = "kvm" if _kvm_boots(image) else "tcg"
    say("guests run under KVM" if answer == "kvm" else "KVM boots no guest: guests are emulated")
    verdict.write_text(question + answer, encoding="ascii")
    return answer


def _kvm_boots(image: Image) -> bool:
    """Boot only kernel and initrd; /dev/kvm may exist and yet not work (nested, restricted)."""
    command = [QEMU, "-accel", "kvm", "-cpu", "Skylake-Server-v1", "-smp", "2", "-m", "512M"]
    command += ["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"]
    command += ["-kernel", str(image.kernel), "-initrd", str(image.initrd)]
    command += ["-append", f"{KERNEL_LINE} lab.probe"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=KVM_TRIAL, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return BOOTS.encode() in done.stdout
