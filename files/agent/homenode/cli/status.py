# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode status``: every container, its cpuset as granted and as the cgroup shows it now."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from homenode.daemon.live import live_reader
from homenode.daemon.pid_file import holder
from homenode.linux.cgroup import CgroupTree
from homenode.report.status import table, with_live
from model.problem import HomenodeProblem

from . import options

MAX_BYTES = 64 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """JSON or a table, and where to look."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    options.add(parser, "--pid-file", "--host-root")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 where no agent runs."""
    current = current_status(arguments.pid_file, arguments.host_root)
    print(json.dumps(current, indent=2) if arguments.json else table(current), end="")
    if arguments.json:
        print()
    return 0


def current_status(pid_file: str, host_root: str) -> dict[str, Any]:
    """The agent's status with live readings. Raises HomenodeProblem where there is none."""
    path = os.path.join(os.path.dirname(pid_file), "status.json")
    if holder(pid_file) is None:
        raise HomenodeProblem(
            "pid file", pid_file, "no agent runs here", "start it: systemctl start homenode"
        )
    try:
        with open(path, encoding="utf-8") as file:
            stored = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError) as error:
        raise HomenodeProblem(
            "status", path, str(error), "wait a second, or look at the agent's journal"
        ) from error
    return with_live(stored, live_reader(CgroupTree(host_root)))
