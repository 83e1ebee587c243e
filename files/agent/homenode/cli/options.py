# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the agent's files are, as options that several verbs share."""

from __future__ import annotations

import argparse

STATE_DIR = "/var/lib/homenode"
PID_FILE = "/run/homenode/homenode.pid"
NRI_SOCKET = "/var/run/nri/nri.sock"
CONFIG_FILE = "/etc/homenode/homenode.json"


def add(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the named options to a verb's parser."""
    known = {
        "--host-root": ("/", "the machine's root folder"),
        "--config-file": (CONFIG_FILE, "the configuration (and its drop-ins in FILE.d)"),
        "--nri-socket": (NRI_SOCKET, "the runtime's NRI socket"),
        "--state-dir": (STATE_DIR, "what must outlive a restart"),
        "--pid-file": (PID_FILE, "the running agent's pid; its status lies beside it"),
    }
    for name in names:
        default, text = known[name]
        metavar = name.rsplit("-", 1)[-1].upper()
        parser.add_argument(name, default=default, metavar=metavar, help=f"{text} ({default})")
