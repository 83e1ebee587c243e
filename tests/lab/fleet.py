# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests that exist: create one, find one by name, remove all of them."""

from __future__ import annotations

import re
import shutil
from typing import Any

from lab import guest as guests
from lab import image as images
from lab import snapshot as snapshots
from lab.commands import call
from lab.guest import VERSIONS, Guest, Identity
from lab.machine import Machine, accelerator
from lab.places import Places, places
from lab.problem import LabProblem
from lab.progress import say, step
from lab.snapshot import Snapshot
from lab.topology import topology as topology_of


def create(name: str, topology: str = "2n", containerd: str = "1.7") -> Guest:
    """A new running guest with containerd started and the images `pause` and `busybox`.

    The first guest of a kind takes a boot (and the very first an image build); later ones take
    seconds. `topology` is a name or the path of a machine description, `containerd` 1.7 or 2.x.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
        raise LabProblem(f"{name!r} is no name for a guest", "use lower case letters and digits")
    if containerd not in VERSIONS:
        raise LabProblem(f"no containerd {containerd!r}", f"use {' or '.join(VERSIONS)}")
    machine_topology, where = topology_of(topology), places()
    image = images.ensure(where)
    machine = Machine(image, machine_topology, accelerator(where, image))
    snapshot = Snapshot(machine, topology, containerd)
    disk = snapshots.ensure(where, snapshot)
    snapshots.prune(where, image, {guest.identity.image for guest in existing(where)})
    identity = Identity(name, image.key, topology, containerd, machine.accelerator)
    how = "under KVM" if machine.accelerator == "kvm" else "emulated"
    with step(f"guest {name} ({topology}, containerd {containerd}, {how})"):
        guest = guests.launch(where, machine, identity, disk, "-loadvm", guests.SAVED)
        try:
            guest.settle()
        except BaseException:
            guest.down()
            raise
    return guest


def existing(where: Places | None = None) -> list[Guest]:
    """All guests that were created and not destroyed, dead ones included."""
    where = where or places()
    folders = sorted(where.guests.iterdir()) if where.guests.exists() else []
    return [guests.load(where, folder) for folder in folders if (folder / guests.RECORD).exists()]


def find(name: str) -> Guest:
    """The guest of that name."""
    for guest in existing():
        if guest.name == name:
            return guest
    raise LabProblem(f"there is no guest {name!r}", f"python3 -m lab up {name}")


def clean() -> None:
    """Destroy all guests and remove the lab folder: afterwards nothing of the lab is left."""
    where = places()
    for guest in existing(where):
        guest.down()
        say(f"guest {guest.name} destroyed")
    if where.root.exists():
        owner = where.root.stat().st_uid
        leftovers = [p for p in where.root.glob("build-*/root") if p.stat().st_uid != owner]
        for path in leftovers:  # of a build that was killed
            call(["rm", "-rf", "--one-file-system", str(path)], root=True)
        shutil.rmtree(where.root)
    say(f"{where.root} removed")


def inventory(chosen: list[Guest]) -> dict[str, Any]:
    """An Ansible inventory of these guests; its connections are the ones the lab itself uses."""
    hosts = {
        guest.name: {
            "ansible_host": "127.0.0.1",
            "ansible_port": guest.identity.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(guest.image.ssh_key),
            "ansible_ssh_args": " ".join(guest.ssh_options),
            "ansible_ssh_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
            "lab_topology": guest.identity.topology,
            "lab_containerd": guest.identity.containerd,
        }
        for guest in chosen
    }
    return {"all": {"hosts": hosts}}
