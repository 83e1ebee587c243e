# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo``: a two-NUMA-node guest, ``ansible-playbook site.yml`` against it, then pods.

Every placement that is printed was read from the pod's cgroup in the guest. Out of scope: how
the guest is made (``lab``) and what the playbook does (the roles).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo import report
from lab import fleet, host
from lab.cri import single_container
from lab.guest import Guest
from lab.problem import LabProblem
from lab.progress import step

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "demo"
NAME = "demo"

PODS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("one-cpu", "Guaranteed", {"cpu": "1", "memory": "64Mi"}),
    ("two-cpus", "Guaranteed", {"cpu": "2", "memory": "64Mi"}),
    ("burstable", "Burstable", {"cpu": "500m", "memory": "32Mi"}),
    ("best-effort", "BestEffort", {}),
)
"""Name, QoS class and request of each pod; 64Mi of memory for those that have a limit."""


def main(words: Sequence[str]) -> int:
    """``up`` (default) or ``down``; exit 1 with the reason where something failed."""
    verb = words[0] if words else "up"
    if verb not in ("up", "down"):
        print("usage: demo.py [up|down]", file=sys.stderr)
        return 2
    try:
        return up() if verb == "up" else down()
    except LabProblem as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1


def down() -> int:
    """Destroy every guest and remove the lab and the demo's files."""
    fleet.clean()
    shutil.rmtree(BUILD, ignore_errors=True)
    print("nothing of the demo is left (.venv and the apt packages stay; see make clean)")
    return 0


def up() -> int:
    """The whole demonstration; 0 where every pod runs where the agent said."""
    started = time.monotonic()
    host.prerequisites()
    guest = _guest()
    print(report.headline(guest.identity.accelerator, guest.identity.containerd))
    inventory = _inventory(guest)
    collections = _install_collection()
    _playbook(inventory, collections)
    good = _pods(guest)
    facts = json.loads(guest.run("homenode facts --json"))
    print(report.topology(facts))
    print(report.reserved_memory(facts))
    print(report.next_steps(inventory.relative_to(ROOT), time.monotonic() - started))
    return 0 if good else 1


def _guest() -> Guest:
    """A fresh guest: the one of an earlier demonstration goes."""
    for guest in fleet.existing():
        if guest.name == NAME:
            guest.down()
    return fleet.create(NAME, "2n", os.environ.get("HOMENODE_DEMO_CONTAINERD", "1.7"))


def _inventory(guest: Guest) -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / "inventory.json"
    path.write_text(json.dumps(fleet.inventory([guest]), indent=2) + "\n", encoding="utf-8")
    return path


def _install_collection() -> Path:
    """Build the collection and install the artifact, offline, as a user would."""
    target = BUILD / "collections"
    with step("building and installing the collection"):
        shutil.rmtree(BUILD / "dist", ignore_errors=True)
        dist = str(BUILD / "dist")
        _run(["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", dist], {})
        artifact = next((BUILD / "dist").glob("*.tar.gz"))
        install = ["ansible-galaxy", "collection", "install", "--offline", "--force"]
        _run([*install, str(artifact), "-p", str(target)], {})
    return target


def _playbook(inventory: Path, collections: Path) -> None:
    """``ansible-playbook -i INVENTORY site.yml``; its output is the user's to see."""
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_FORCE_COLOR": "1" if sys.stdout.isatty() else "0",
    }
    words = ["ansible-playbook", "-i", str(inventory), "site.yml"]
    print(f"\n$ ansible-playbook -i {inventory.relative_to(ROOT)} site.yml", flush=True)
    with step("ansible-playbook site.yml"):
        _run(words, environment, show=True)


def _pods(guest: Guest) -> bool:
    """Create the pods through the runtime's CRI, print what each got and why."""
    rows = []
    with guest.cri() as cri:
        with step("creating pods through containerd's CRI"):
            running = [
                (cri.create_pod(name, containers=[single_container(qos, **asked)]), asked)
                for name, qos, asked in PODS
            ]
        time.sleep(2)  # the agent reads each cgroup back a second after the last change
        status = json.loads(guest.run("homenode status --json"))
        for pod, asked in running:
            folder = pod.cgroup_path
            seen = guest.run(
                f"cat {folder}/cpuset.cpus.effective {folder}/cpuset.mems.effective"
            ).split("\n")
            rows.append(report.pod_row(pod.pod.name, pod.pod.qos, asked, seen, status))
    print(report.pods(rows))
    print("$ homenode explain two-cpus\n" + guest.run("homenode explain two-cpus"))
    return all(row.as_granted for row in rows)


def _run(words: Sequence[str], extra: dict[str, str], *, show: bool = False) -> None:
    """Run a program of the virtual environment from the checkout; raises LabProblem."""
    environment: dict[str, Any] = {**os.environ, **extra}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        list(words), cwd=ROOT, env=environment, capture_output=not show, text=True, check=False
    )
    if done.returncode:
        tail = "" if show else (done.stdout + done.stderr)[-2000:]
        raise LabProblem(f"{words[0]} ended with {done.returncode}\n{tail}", "see above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
