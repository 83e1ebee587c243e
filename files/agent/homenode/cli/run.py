# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode run``: the agent in the foreground, anywhere, without root if need be."""

from __future__ import annotations

import argparse

from . import options


def configure(parser: argparse.ArgumentParser) -> None:
    """The five paths; nothing else is on the command line."""
    options.add(parser, "--host-root", "--config-file", "--nri-socket", "--state-dir", "--pid-file")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    from homenode.daemon.config_files import read_config
    from homenode.daemon.service import Paths
    from homenode.daemon.service import run as serve

    serve(
        lambda: read_config(arguments.config_file),
        Paths(arguments.host_root, arguments.nri_socket, arguments.state_dir, arguments.pid_file),
    )
    return 0
