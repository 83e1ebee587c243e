# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a runtime can set for a container beside its cpuset: weight, classes, scheduler.

Names of policies, flags and I/O classes are those of nri-plugins' scheduling classes ("fifo",
"reset-on-fork", "be"). Out of scope: which runtime carries what, and its numbers (``runtime``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Scheduler:
    """sched_setattr(2): *runtime*, *deadline*, *period* are nanoseconds; 0 is "not given"."""

    policy: str
    nice: int = 0
    priority: int = 0
    flags: tuple[str, ...] = ()
    runtime: int = 0
    deadline: int = 0
    period: int = 0


@dataclass(frozen=True)
class IoPriority:
    """ioprio_set(2): a class ("none", "rt", "be", "idle") and a priority within it."""

    io_class: str
    priority: int = 0


@dataclass(frozen=True)
class Settings:
    """None and "" are left alone; *scheduler* and *io_priority* can be set at creation only.

    *shares* is the cgroup v1 CPU weight, which runtimes convert for cgroup v2.
    """

    shares: Optional[int] = None
    rdt_class: str = ""
    blockio_class: str = ""
    scheduler: Optional[Scheduler] = None
    io_priority: Optional[IoPriority] = None


NO_SETTINGS = Settings()
