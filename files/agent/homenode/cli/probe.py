# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode probe``: what this machine, or a recorded one, can do for the agent."""

from __future__ import annotations

import argparse
import json
import os
import stat
from typing import Optional

from homenode.linux.abilities import Ability, Sockets, probe
from homenode.report.columns import aligned
from homenode.runtime import cri, podresources
from host_files import open_host

from . import options


def configure(parser: argparse.ArgumentParser) -> None:
    """JSON or a table, live or recorded."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--root", default="/", metavar="PATH", help="a recorded machine (/)")
    options.add(parser, "--nri-socket")


def run(arguments: argparse.Namespace) -> int:
    """Always 0: an ability that is missing is an answer, not a failure."""
    live = arguments.root == "/"
    sockets = Sockets(arguments.nri_socket, cri.SOCKETS, podresources.SOCKET)
    files = open_host(arguments.root)
    abilities = probe(files, sockets, *((_is_socket, _writable) if live else (_unknown, _unknown)))
    if arguments.json:
        print(json.dumps({"abilities": [vars(ability) for ability in abilities]}, indent=2))
    else:
        print("\n".join(aligned([("ABILITY", "", "FOUND", "SO"), *map(_row, abilities)])))
    return 0


def _row(ability: Ability) -> tuple[str, str, str, str]:
    sign = {True: "yes", False: "no", None: "?"}[ability.present]
    return ability.name, sign, ability.found, ability.effect


def _unknown(_path: str) -> Optional[bool]:
    return None


def _writable(path: str) -> Optional[bool]:
    return os.access(path, os.W_OK)


def _is_socket(path: str) -> Optional[bool]:
    """Looked at, not connected to: a silent connection would keep other plugins waiting."""
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
