# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a kubelet or a pod runs on this machine, from ``/proc`` and the cgroups.

Both are asked: with ``hidepid`` a process can be hidden, a cgroup cannot. What runs in a container
of its own, such as a whole Kubernetes node, counts too: nobody can tell it apart for sure.
"""

from __future__ import annotations

import re

from model.files import Files

KUBELETS = ("kubelet", "k3s", "k3s-server", "k3s-agent", "hyperkube", "kubelite")
CGROUPS = "/sys/fs/cgroup"
SHOWN = 3

_POPULATED = re.compile(r"^populated 1$", re.MULTILINE)


def running(files: Files) -> tuple[str, ...]:
    """What runs, in words; empty where nothing does."""
    kubelets, pods = [], []
    for pid in files.list("/proc"):
        if not pid.isdigit():
            continue
        if "kubepods" in (files.read(f"/proc/{pid}/cgroup") or ""):
            pods.append(pid)
        elif (files.read(f"/proc/{pid}/comm") or "").strip() in KUBELETS:
            kubelets.append(pid)
    found = [f"kubelet (process {pid})" for pid in kubelets[:SHOWN]]
    if pods:
        more = ", …" if len(pods) > SHOWN else ""
        found.append(f"pods (processes {', '.join(pods[:SHOWN])}{more})")
    elif populated := _populated(files):
        found.append(f"pods (cgroup {populated})")
    return tuple(found)


def _populated(files: Files) -> str:
    """A cgroup of pods that has processes in it, or below; "" where there is none.

    A kubelet with ``cgroupRoot`` has its pods one level down. Only cgroup v2 tells.
    """
    folders = [CGROUPS, *(f"{CGROUPS}/{name}" for name in files.list(CGROUPS))]
    for folder in folders:
        for name in files.list(folder):
            path = f"{folder}/{name}"
            if name.startswith("kubepods") and _POPULATED.search(
                files.read(f"{path}/cgroup.events") or ""
            ):
                return path
    return ""
