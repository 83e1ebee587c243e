# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test of the agent leaves behind: threads, child processes, file descriptors, temp files.

`Traces.now()` before and after; what is only in the second is a leak. Linux only, like the agent.
"""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from dataclasses import dataclass

PATIENCE_S = 2.0
"""How long a closing thread or a dying child may take before it counts as left behind."""


@dataclass(frozen=True)
class Traces:
    """What this process holds at one moment; each set of lines that a person can read."""

    threads: frozenset[str]
    children: frozenset[str]
    descriptors: frozenset[str]
    temporary_files: frozenset[str]

    @classmethod
    def now(cls) -> Traces:
        return cls(_threads(), _children(), _descriptors(), _temporary_files())

    def since(self, before: Traces) -> list[str]:
        """The leaks, one line each."""
        return [
            *(f"thread {line}" for line in sorted(self.threads - before.threads)),
            *(f"child process {line}" for line in sorted(self.children - before.children)),
            *(f"file descriptor {line}" for line in sorted(self.descriptors - before.descriptors)),
            *(f"file {line}" for line in sorted(self.temporary_files - before.temporary_files)),
        ]


def left_since(before: Traces, *, patience_s: float = PATIENCE_S) -> list[str]:
    """The leaks that are still there after *patience_s*; none costs no waiting."""
    deadline = time.monotonic() + patience_s
    leaks = Traces.now().since(before)
    while leaks and time.monotonic() < deadline:
        gc.collect()  # a socket in a reference cycle is closed by the collector only
        time.sleep(0.02)
        leaks = Traces.now().since(before)
    return leaks


def _threads() -> frozenset[str]:
    return frozenset(f"{thread.name} ({thread.ident})" for thread in threading.enumerate())


def _children() -> frozenset[str]:
    """Children of any thread, zombies too: an unreaped child is a leak."""
    found: set[str] = set()
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as children:
                found.update(children.read().split())
        except OSError:  # the thread has ended meanwhile
            continue
    return frozenset(found)


def _descriptors() -> frozenset[str]:
    found: set[str] = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:  # the one that listed the folder
            continue
        found.add(f"{descriptor} -> {target}")
    return frozenset(found)


def _temporary_files() -> frozenset[str]:
    folder = tempfile.gettempdir()
    return frozenset(os.path.join(folder, name) for name in os.listdir(folder))
