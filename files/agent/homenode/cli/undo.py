# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode undo``: give back every cpuset that the agent changed, and show that it is so."""

from __future__ import annotations

import argparse
import os

from homenode.daemon.pid_file import holder
from homenode.daemon.service import Paths
from homenode.daemon.undo import undo
from model.problem import HomenodeProblem

from . import options


def configure(parser: argparse.ArgumentParser) -> None:
    """Where the agent kept its before-values, and how to reach the runtime."""
    options.add(parser, "--host-root", "--nri-socket", "--state-dir", "--pid-file")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 where something could not be given back; 0 where nothing was left to do."""
    pid = holder(arguments.pid_file)
    if pid is not None:
        raise HomenodeProblem(
            "pid file", arguments.pid_file, f"the agent runs as pid {pid}", "stop it first"
        )
    paths = Paths(
        os.path.abspath(arguments.host_root),
        arguments.nri_socket,
        arguments.state_dir,
        arguments.pid_file,
    )
    failures = undo(paths, print)
    return 1 if failures else 0
