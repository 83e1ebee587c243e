# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubelet under a systemd, and its cluster, as far as a rollout notices them.

Three programs on a PATH of their own: ``systemctl``, ``journalctl`` and ``kubectl``, which are one
script. The kubelet that it "starts" keeps state files and refuses those of another policy, with the
words of the real one; it refuses everything while the file ``refuse`` is there. Every call is noted
in order. Out of scope: whether a real kubelet takes the settings (``tests/judge``).
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

MODEL = Path(__file__).resolve().parents[2] / "plugins/module_utils"
SCRIPT = r"""#!@python@ -I
import json, re, signal, subprocess, sys, time, os
from pathlib import Path

sys.path.insert(0, "@model@")
from model.kubelet.checksums import checksum

HERE, KUBELET, DROPINS = Path("@here@"), Path("@kubelet@"), Path("@dropins@")
PROGRAM, WORDS = Path(sys.argv[0]).name, [word for word in sys.argv[1:] if word[0] != "-"]
STATE = HERE / "state.json"
state = json.loads(STATE.read_text())


def note(text):
    with (HERE / "calls").open("a") as file:
        file.write(text + "\n")


def end(status=0):
    STATE.write_text(json.dumps(state))
    sys.exit(status)


def fail(words):
    with (HERE / "journal").open("a") as journal:
        journal.write(
            'Nov 22 10:00:00 node kubelet[%d]: E1122 10:00:00.000000 %d run.go:72] "command failed"'
            ' err="failed to run Kubelet: %s"\n' % (state["tries"], state["tries"], words)
        )
    state["pid"], state["active"] = 0, "failed"


def policies():
    text = "".join(path.read_text() for path in sorted(DROPINS.glob("*.conf")))
    for name, key, usual in (
        ("cpu_manager_state", "cpuManagerPolicy", "none"),
        ("memory_manager_state", "memoryManagerPolicy", "None"),
    ):
        found = re.findall(r'^%s: "?(\w+)' % key, text, re.M)
        yield name, found[-1] if found else usual


def machine_state(policy):
    # What the Memory Manager notes of each NUMA node: this machine has no huge pages.
    text = "".join(path.read_text() for path in sorted(DROPINS.glob("*.conf")))
    shares = re.findall(r'memory: "(\d+)Mi"\n  numaNode: (\d+)', text)
    shares = {node: int(mib) << 20 for mib, node in shares}
    found = {}
    for folder in Path("/sys/devices/system/node").glob("node[0-9]*"):
        node = folder.name[4:]
        total = int(re.search(r"MemTotal: *(\d+)", (folder / "meminfo").read_text())[1]) << 10
        sizes = [int(path.name[10:-2]) >> 10 for path in folder.glob("hugepages/hugepages-*")]
        texts = ["%dGi" % (mib >> 10) if mib >> 10 else "%dMi" % mib for mib in sizes]
        kinds = ["hugepages-" + text for text in texts]
        tables = {kind: table(0, 0) for kind in kinds}
        tables["memory"] = table(total, shares.get(node, 0))
        found[node] = {"numberOfAssignments": 0, "memoryMap": tables, "cells": [int(node)]}
    return found if policy == "Static" else {}


def table(total, kept):
    left = total - kept
    return dict(total=total, systemReserved=kept, allocatable=left, reserved=0, free=left)


def content_of(name, policy):
    content = {"policyName": policy, "defaultCpuSet": ""}
    if name == "cpu_manager_state" and policy == "static":
        content["defaultCpuSet"] = Path("/sys/devices/system/cpu/online").read_text().strip()
    if name == "memory_manager_state":
        content = {"policyName": policy, "machineState": machine_state(policy)}
    return {**content, "checksum": checksum(name, content)}


def start():
    if state["pid"]:
        return
    state["tries"] += 1
    if (HERE / "refuse").exists() and (HERE / "refuse").read_text() in "".join(
        path.read_text() for path in DROPINS.glob("*.conf")
    ):
        return fail("it does not want to")
    for name, policy in policies():
        path = KUBELET / name
        if path.exists() and json.loads(path.read_text())["policyName"] != policy:
            return fail('configured policy \\"%s\\" differs from state checkpoint policy' % policy)
        if not path.exists():
            path.write_text(json.dumps(content_of(name, policy)))
    process = subprocess.Popen(
        ["sleep", "300"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    state["pid"], state["active"] = process.pid, "active"


def stop():
    if state["pid"]:
        os.kill(state["pid"], signal.SIGKILL)
    state["pid"], state["active"] = 0, "inactive"


if PROGRAM == "journalctl":
    path = HERE / "journal"
    print(path.read_text() if path.exists() else "", end="")
    end()
if PROGRAM == "systemctl":
    if WORDS[0] == "show":
        loaded = "not-found" if state["active"] == "missing" else "loaded"
        sub = {"active": "running", "failed": "failed"}.get(state["active"], "dead")
        print("Id=kubelet.service\nLoadState=%s\nUnitFileState=enabled\nNRestarts=0" % loaded)
        print("ActiveState=%s\nSubState=%s\nMainPID=%d" % (state["active"], sub, state["pid"]))
        end()
    if WORDS[0] in ("start", "stop", "daemon-reload"):
        note("systemctl " + WORDS[0])
    if WORDS[0] == "start":
        start()
    if WORDS[0] == "stop":
        stop()
    end()
if WORDS[0] == "get" and WORDS[1] == "node":
    if WORDS[2] != state["node"]:
        print('Error from server (NotFound): nodes "%s" not found' % WORDS[2], file=sys.stderr)
        end(1)
    print(json.dumps({"spec": {"unschedulable": state["cordoned"]}}))
    end()
if WORDS[0] == "get" and WORDS[1] == "pod":
    print(json.dumps({"status": state["probe"]}))
    end()
if WORDS[0] == "get":
    print("Error from server (Forbidden)", file=sys.stderr)
    end(1)
note("kubectl " + " ".join(WORDS[:2]))
if WORDS[0] in ("cordon", "uncordon"):
    state["cordoned"] = WORDS[0] == "cordon"
if WORDS[0] == "drain" and state["stubborn"]:
    print("error when evicting pods: Cannot evict pod as it would violate the pod's disruption"
          " budget", file=sys.stderr)
    end(1)
if WORDS[0] == "wait" and not state["pid"]:
    print("error: timed out waiting for the condition", file=sys.stderr)
    end(1)
end()
"""


class FakeKubelet:
    """The node's kubelet, its systemd and its cluster, below *folder*."""

    def __init__(self, folder: Path, kubelet: Path, dropins: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        text = SCRIPT
        for name, value in (
            ("python", sys.executable),
            ("here", str(folder)),
            ("kubelet", str(kubelet)),
            ("dropins", str(dropins)),
            ("model", str(MODEL)),
        ):
            text = text.replace(f"@{name}@", value)
        for name in ("systemctl", "journalctl", "kubectl"):
            path = self.programs / name
            path.write_text(text)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self._write(
            {
                "pid": 0,
                "active": "missing",
                "tries": 100,
                "node": "localhost",
                "cordoned": False,
                "stubborn": False,
                "probe": {"phase": "Running"},
            }
        )

    @property
    def path(self) -> str:
        """A PATH on which these programs come first."""
        return f"{self.programs}:{os.environ['PATH']}"

    def set(self, **values: object) -> None:
        """Change what the cluster says: node, cordoned, stubborn, probe."""
        self._write({**self.state(), **values})

    def state(self) -> dict[str, Any]:
        """What is so now, such as whether it is "cordoned" and "active"."""
        found: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return found

    def start(self) -> None:
        """As at boot; from now on there is a service."""
        subprocess.run([str(self.programs / "systemctl"), "start"], check=True)
        self.calls()

    def refuse(self, words: str) -> None:
        """From now on the kubelet does not start if a drop-in has these words."""
        (self.folder / "refuse").write_text(words)

    def calls(self) -> list[str]:
        """What was called since the last time."""
        path = self.folder / "calls"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def end(self) -> None:
        """No process stays."""
        pid = self.state()["pid"]
        if pid:
            os.kill(pid, signal.SIGKILL)

    def _write(self, state: dict[str, Any]) -> None:
        (self.folder / "state.json").write_text(json.dumps(state))
