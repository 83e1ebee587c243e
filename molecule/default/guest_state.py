# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guest is like: its files, and its pods with their cpusets and processes.

Run as a program it starts two pods, of which the agent will know nothing until it is installed, and
writes the state down. The tests read it again later and compare.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lab import fleet
from lab.guest import Guest

NAME = "molecule"

FILES = (
    "find /etc /usr/local /usr/lib/systemd /usr/lib/homenode /opt /var/lib/homenode /run/homenode"
    " /run/nri -xdev \\( -type f -exec sha256sum {} + , -printf '%M %u:%g %p %l\\n' \\) 2>/dev/null"
    " | sort -k 2"
)
"""Content, mode and owner of all that an installation may touch; a socket counts too."""

CPUSETS = (
    "cd /sys/fs/cgroup/kubepods.slice && find . -name 'cri-containerd-*.scope' | sort"
    " | while read -r path; do"
    ' echo "$path $(cat $path/cpuset.cpus.effective) $(cat $path/cpuset.mems.effective)'
    ' $(tr "\\n" " " < $path/cgroup.procs)"; done'
)
"""Per container: its cgroup, the CPUs and the memory nodes that it really has, its processes."""


def guest() -> Guest:
    """The guest that create.yml has made."""
    return fleet.find(NAME)


def read_state() -> dict[str, Any]:
    """Files and containers, as they are now."""
    host = guest()
    return {
        "files": host.run(FILES).splitlines(),
        "containers": host.run(CPUSETS).splitlines(),
    }


def recorded() -> dict[str, Any]:
    """Files and containers, as they were before anything was installed."""
    state: dict[str, Any] = json.loads(_file().read_text(encoding="utf-8"))
    return state


def processes_of_before(state: dict[str, Any]) -> dict[str, list[str]]:
    """By cgroup, what runs in *state* of the containers that ran before anything was installed."""
    before = {line.split()[0] for line in recorded()["containers"]}
    found = {line.split()[0]: line.split()[3:] for line in state["containers"]}
    return {path: found[path] for path in before}


def _file() -> Path:
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "before.json"


def main() -> None:
    """Start the pods, write the state down."""
    with guest().cri() as cri:
        cri.create_pod("early", cpu="1", memory="32Mi")
        cri.create_pod("bystander", qos="Burstable", cpu="100m", memory="16Mi")
    _file().write_text(json.dumps(read_state(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
