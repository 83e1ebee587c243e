# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role kubelet_numa, run by ansible-playbook against nodes of a lab cluster, one by one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import fleet
from lab.kubelet_in_guest import KubeNode
from lab.kubelet_programs import program
from tools.staging import COLLECTIONS, stage

BIN = Path(sys.prefix) / "bin"
LIMIT = 900.0  # seconds for one playbook
COUNTED = r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)"


@dataclass(frozen=True)
class Run:
    """What a run of the playbook said; the figures are those of its recap, by host."""

    text: str
    status: int
    changed: Mapping[str, int]
    failed: Mapping[str, int]


class DryHost:
    """A host that is in the inventory only: it counts who knocks."""

    def __init__(self, name: str, listening: socket.socket) -> None:
        self.name, self._listening = name, listening
        self.port = int(listening.getsockname()[1])

    def knocks(self) -> int:
        """How often somebody has tried to reach it since the last question."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                caller, _address = self._listening.accept()
                caller.close()
                count += 1
        return count


@contextlib.contextmanager
def dry_host(name: str) -> Iterator[DryHost]:
    """One that is there while the `with` lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield DryHost(name, listening)


class Ansible:
    """Runs the role on nodes, in their order, `serial: 1`."""

    def __init__(self, folder: Path, nodes: Sequence[KubeNode], dry: DryHost | None = None) -> None:
        self.folder = folder
        inventory = fleet.inventory([one.guest for one in nodes])
        if dry:
            where = {"ansible_host": "127.0.0.1", "ansible_port": dry.port}
            inventory["all"]["hosts"][dry.name] = where
        (folder / "inventory.json").write_text(json.dumps(inventory))
        (folder / "bin").mkdir()
        (folder / "bin/kubectl").symlink_to(program("kubectl"))
        self.common = {"kubelet_numa_kubeconfig": str(nodes[0].plane.admin_conf)}
        stage()

    def role(self, limit: Sequence[KubeNode] = (), *flags: str, **variables: Any) -> Run:
        """One run of the role with these variables, each without its prefix `kubelet_numa_`."""
        prefixed = {f"kubelet_numa_{name}": value for name, value in variables.items()}
        role = {"name": "homenode.numa.kubelet_numa"}
        play = {
            "hosts": "all",
            "gather_facts": False,
            "serial": 1,
            "tasks": [{"ansible.builtin.include_role": role}],
            "vars": {**self.common, **prefixed},
        }
        path = self.folder / "play.json"
        path.write_text(json.dumps([play]))
        chosen = ["--limit", ",".join(one.name for one in limit)] if limit else []
        done = subprocess.run(
            [BIN / "ansible-playbook", "-i", self.folder / "inventory.json", path, *chosen, *flags],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        text = done.stdout + done.stderr
        counted = re.findall(COUNTED, text, re.MULTILINE)
        return Run(
            text,
            done.returncode,
            {host: int(changed) for host, changed, _away, _failed in counted},
            {host: int(away) + int(failed) for host, _changed, away, failed in counted},
        )

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{BIN}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(self.folder / "ansible-home"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        }
