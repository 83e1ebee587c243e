# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inside of the judge's namespaces: nothing that a kubelet does from here reaches the machine.

    unshare -m -n --propagation private python -m judge.inside FOLDER

A kubelet writes sysctls, firewall rules and folders all over its machine, so it is only ever
started here: the network is a private one, and every place that it writes is covered by something
of its own. It reads the topology whose files were last shown. Commands are JSON objects, one a
line, on standard input; each is answered by one line. End of input ends everything.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Optional

COVERED = ("/var/lib", "/var/log", "/usr/libexec", "/etc/cni", "/opt")
"""Folders that are empty here, and forgotten with the namespace."""
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets on its machine, with the values that it wants to find."""
SHOWN = (
    "sys/devices/system/node",
    "sys/devices/system/cpu",
    "sys/kernel/mm/hugepages",
    "proc/meminfo",
)
"""What a topology consists of, below its folder and below /."""
STEP_S = 0.02
MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    """mount(2). Raises OSError."""
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), None
    )
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"mount of {target}: {os.strerror(number)}")


def cover(folder: Path) -> None:
    """Put something of our own over every place that a kubelet writes."""
    for place in COVERED:
        if os.path.isdir(place):
            mount("tmpfs", place, "tmpfs")
    for name, value in SYSCTLS.items():
        if os.path.exists(f"/proc/sys/{name}"):
            stand_in = folder / "sysctls" / name.replace("/", ".")
            stand_in.parent.mkdir(exist_ok=True)
            stand_in.write_text(f"{value}\n")
            mount(str(stand_in), f"/proc/sys/{name}", flags=MS_BIND)
    # Version 2 wherever this runs, and nothing can be made in it.
    mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
    mount("", "/sys/fs/cgroup", flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


class Inside:
    """One kubelet at a time, and the topology that it sees."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._kubelet: Optional[subprocess.Popen[bytes]] = None
        self._log = Path()

    def show(self, folder: str) -> None:
        """Show the topology below *folder* in the places of a real machine."""
        for place in reversed(self._shown):
            _libc.umount2(place.encode(), MNT_DETACH)
        self._shown = []
        for name in SHOWN:
            if os.path.exists(f"/{name}"):
                mount(f"{folder}/{name}", f"/{name}", flags=MS_BIND)
                self._shown.append(f"/{name}")

    def start(self, command: list[str], log: str, env: dict[str, str]) -> int:
        """Start a kubelet; its process id."""
        self._log = Path(log)
        with self._log.open("wb") as opened:
            self._kubelet = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env},
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )
        return self._kubelet.pid

    def wait(self, pattern: str, limit_s: float) -> dict[str, object]:
        """Until the log has *pattern* or the kubelet has ended: its exit code, and which."""
        assert self._kubelet is not None
        deadline = time.monotonic() + limit_s
        wanted, seen = re.compile(pattern.encode()), b""
        with self._log.open("rb") as opened:
            while True:
                code = self._kubelet.poll()
                seen = seen[-4096:] + opened.read()
                if wanted.search(seen) or code is not None or time.monotonic() > deadline:
                    return {"code": code, "found": bool(wanted.search(seen))}
                time.sleep(STEP_S)

    def get(self, path: str, port: int = 10250) -> str:
        """What the kubelet answers at *path* of its https port."""
        context = ssl._create_unverified_context()
        url = f"https://127.0.0.1:{port}{path}"
        deadline = time.monotonic() + 10
        while True:
            try:
                with urllib.request.urlopen(url, context=context, timeout=10) as answer:
                    return str(answer.read().decode())
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(STEP_S)

    def stop(self) -> None:
        """End the kubelet at once, as a power cut would; its files are whole at any time."""
        if self._kubelet is not None:
            with contextlib.suppress(ProcessLookupError):
                self._kubelet.kill()
            self._kubelet.wait()
            self._kubelet = None


def main(folder: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    cover(Path(folder))
    inside = Inside()
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        try:
            answer = getattr(inside, command.pop("do"))(**command)
            print(json.dumps({"answer": answer}), flush=True)
        except Exception as error:  # a door: the asking side raises it again
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
    inside.stop()


if __name__ == "__main__":
    main(sys.argv[1])
