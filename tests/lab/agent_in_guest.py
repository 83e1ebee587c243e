# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as the role installs it, in a guest and without Ansible: archive, real unit, NRI on.

What a container has is read here too: from its cgroup and from its process, never from the agent.
Out of scope: the roles themselves (molecule).
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from lab.cri import RunningPod
from lab.guest import Guest
from lab.problem import LabProblem

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles/agent"

ARCHIVE = "/usr/lib/homenode/current/homenode.pyz"
STATE = "/var/lib/homenode"
METRICS = "/run/homenode/metrics.sock"
UNIT_DROP_INS = "/run/systemd/system/homenode.service.d"
NRI_DROP_IN = "/etc/containerd/conf.d/nri.toml"

NRI_SECTION = """version = 2
[plugins."io.containerd.nri.v1.nri"]
  disable = false
  plugin_registration_timeout = "30s"
  plugin_request_timeout = "5s"
"""
"""On, and patient with an emulated guest; not so patient that a frozen agent costs a minute."""

Status = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A container's cpuset: as set in its cgroup, as effective there, as its process has it."""

    cpus: str
    mems: str
    effective: tuple[str, str]
    process: tuple[str, str]
    pid: str


def seen(guest: Guest, *pods: RunningPod) -> list[Seen]:
    """What the first containers of running pods have now."""
    return seen_in(guest, [pod.cgroup_path for pod in pods])


def seen_in(guest: Guest, folders: Sequence[str]) -> list[Seen]:
    """What the containers with these cgroup folders have now; a process is slow in a guest, so
    the shell reads, and one grep for all."""
    files = ["cpuset.cpus", "cpuset.mems", "cpuset.cpus.effective", "cpuset.mems.effective"]
    text = guest.run(
        f"statuses=; for group in {' '.join(folders)}; do"
        f" for file in {' '.join(files)} cgroup.procs; do"
        ' read -r value < $group/$file; echo "$value"; done;'
        ' statuses="$statuses /proc/$value/status"; done;'
        " grep -h s_allowed_list: $statuses"
    )
    lines = text.splitlines()
    own, allowed = lines[: 5 * len(folders)], lines[5 * len(folders) :]
    lists = [line.split("\t")[1] for line in allowed]
    groups = [own[at : at + 5] for at in range(0, len(own), 5)]
    return [
        Seen(one[0], one[1], (one[2], one[3]), (cpus, mems), one[4])
        for one, cpus, mems in zip(groups, lists[::2], lists[1::2])
    ]


class Agent:
    """The agent in one guest. Its verbs return when their effect is there."""

    def __init__(self, guest: Guest, archive: Path) -> None:
        self.guest = guest
        guest.run(f"mkdir -p {os.path.dirname(ARCHIVE)} {UNIT_DROP_INS} /etc/homenode")
        guest.put(archive, ARCHIVE)
        guest.put(Path(__file__).with_name("second_plugin.py"), "/root/second_plugin.py")
        self._write(NRI_DROP_IN, NRI_SECTION)
        self._write("/etc/systemd/system/homenode.service", service_unit())
        guest.run("systemctl daemon-reload && systemctl restart containerd")
        self.configure()

    def configure(self, **pinning: Any) -> None:
        """Write the configuration and restart the agent, which waits until it is connected."""
        config = {
            "pinning": pinning,
            "nri": {"answer_budget_ms": 1900},
            "metrics": {"listen": f"unix:{METRICS}"},
        }
        self._write("/etc/homenode/homenode.json", json.dumps(config))
        self.stop()
        self.start()

    def start(self) -> None:
        """Start it and wait until decisions reach the runtime."""
        self.guest.run("systemctl start homenode")
        self.wait_for_connection()

    def stop(self) -> None:
        """Stop it where it runs."""
        self.guest.run("systemctl stop homenode")

    def signal(self, name: str) -> None:
        """Send its process a signal, e.g. `KILL`."""
        self.guest.run(f"systemctl kill --kill-whom=main --signal={name} homenode")

    def kill(self) -> None:
        """SIGKILL; systemd is told not to start it again."""
        self.signal("KILL")
        self.stop()

    def kill_and_spoil(self, command: str) -> None:
        """SIGKILL, this command before systemd has started it again, and its new connection."""
        pid = self.stored_status()["agent"]["pid"]
        self.guest.run(f"kill -KILL {pid}; {command}")
        self.wait_for_connection(other_than=pid)

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.guest.run(f"systemctl show homenode --value --property={name}").strip()

    def stored_status(self) -> Status:
        """The status file of the running agent, {} where there is none yet."""
        text = self.guest.run("cat /run/homenode/status.json 2>/dev/null || true")
        status: Status = json.loads(text) if text else {}
        return status

    def stored_grants(self) -> list[dict[str, Any]]:
        """What its ledger on disk says is granted."""
        body = json.loads(self.guest.run(f"cat {STATE}/ledger.json"))["body"]
        grants: list[dict[str, Any]] = json.loads(body)["grants"]
        return grants

    def status(self) -> Status:
        """What `homenode status --json` says, asked by a user without any privilege."""
        status: Status = json.loads(self.ask("status --json"))
        return status

    def ask(self, words: str) -> str:
        """The output of a verb, run by nobody."""
        run = "setpriv --reuid=65534 --regid=65534 --clear-groups"
        return self.guest.run(f"{run} python3 -I {ARCHIVE} {words}")

    def wait(self, wanted: Callable[[Status], bool], timeout_s: float = 60) -> Status:
        """The first stored status for which *wanted* is true."""
        deadline, status = time.monotonic() + timeout_s, {}
        while time.monotonic() < deadline:
            status = self.stored_status()
            if status and wanted(status):
                return status
            time.sleep(0.2)
        log = self.guest.run("journalctl -u homenode -n 20 --no-pager -o cat", check=False)
        raise LabProblem(f"not in the status: {json.dumps(status)[-3000:]}\n{log}")

    def wait_for_connection(self, *, other_than: int = 0) -> Status:
        """Until the agent, and not the one of that pid, is connected."""
        return self.wait(
            lambda status: status["agent"]["connected"] and status["agent"]["pid"] != other_than
        )

    def metrics(self) -> str:
        """A scrape of the metrics socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(self.guest.forward(METRICS)))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            with client.makefile("rb") as answer:
                return answer.read().decode().partition("\r\n\r\n")[2]

    def limit(self, *lines: str) -> None:
        """Run on with these lines in the unit's section [Service]; with none, as before."""
        path = f"{UNIT_DROP_INS}/limits.conf"
        if lines:
            self._write(path, "\n".join(["[Service]", *lines, ""]))
        else:
            self.guest.run(f"rm -f {path}")
        self.stop()
        self.guest.run("systemctl daemon-reload")
        self.start()

    @contextmanager
    def second_plugin(self, verb: str, value: str) -> Iterator[None]:
        """Run tests/lab/second_plugin.py meanwhile."""
        unit = f"{verb}-plugin"
        command = f"python3 /root/second_plugin.py {verb} {value}"
        self.guest.run(
            f"systemd-run --quiet --collect --unit={unit} --setenv=PYTHONPATH={ARCHIVE} {command}"
        )
        try:
            self.guest.run(
                f"until journalctl -u {unit} -o cat | grep -qx connected; do sleep 0.3; done",
                timeout=60,
            )
            yield
        finally:
            self.guest.run(f"systemctl stop {unit}")

    @contextmanager
    def never_changing(self, pods: Iterable[RunningPod]) -> Iterator[None]:
        """Look at these pods' cpusets all the time, and fail if one of them ever changes."""
        folders = " ".join(pod.cgroup_path for pod in pods)
        look = f"for f in {folders}; do cat $f/cpuset.cpus $f/cpuset.mems; done | tr '\\n' ' '"
        self.guest.run(
            "systemd-run --quiet --collect --unit=looking sh -c"
            f''' "while :; do ({look}; echo) >> /run/looks; sleep 0.1; done"'''
        )
        try:
            yield
        finally:
            looks = self.guest.run("systemctl stop looking; sort -u /run/looks; rm /run/looks")
        different = looks.splitlines()
        assert len(different) == 1, different

    def _write(self, path: str, text: str) -> None:
        self.guest.run(f"cat > {path}", stdin=text)


def service_unit() -> str:
    """The unit as the role's template makes it; its watchdog leaves time for frozen agents."""
    variables: dict[str, Any] = {
        "ansible_managed": "tests/lab",
        "agent_node": {"python": {"path": "/usr/bin/python3"}},
    }
    for name in ("defaults", "vars"):
        variables.update(yaml.safe_load((ROLE / name / "main.yml").read_text(encoding="utf-8")))
    variables["agent_metrics_listen"] = f"unix:{METRICS}"
    variables["agent_watchdog_seconds"] = 120
    environment = jinja2.Environment(
        trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["dirname"] = os.path.dirname
    source = (ROLE / "templates/homenode.service.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(variables)
