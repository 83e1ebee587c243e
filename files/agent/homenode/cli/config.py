# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode config check|show``: what the agent would read, before it reads it.

``check`` also asks the running agent, if there is one, who would move and who is in the way.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from homenode.daemon import control
from homenode.daemon.config_files import merged_config, read_config
from homenode.daemon.pid_file import holder
from homenode.report.columns import printable

from . import options


def configure(parser: argparse.ArgumentParser) -> None:
    """The action, and the file."""
    parser.add_argument("action", choices=("check", "show"), help="validate, or print merged")
    parser.add_argument("file", nargs="?", metavar="FILE", help="instead of --config-file")
    options.add(parser, "--config-file", "--pid-file")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 with field, value and remedy where the configuration is wrong or in the way."""
    path = arguments.file or arguments.config_file
    read_config(path)
    merged = merged_config(path)
    if arguments.action == "show":
        print(json.dumps(merged, indent=2, sort_keys=True))
        return 0
    if holder(arguments.pid_file) is None:
        print(f"{path}: ok")
        return 0
    place = os.path.join(os.path.dirname(arguments.pid_file), "control.sock")
    found = control.ask(place, {"verb": "check", "pinning": merged.get("pinning", {})})
    print(printable(_shown(path, found)), end="")
    return 1 if found["obstacles"] else 0


def _shown(path: str, found: dict[str, Any]) -> str:
    obstacles, moves = found["obstacles"], found["moves"]
    if obstacles:
        lines = [f"{path}: cannot be applied as long as these run:"]
        lines += [
            f"! {one['field']} {one['value']!a}: {one['why']}; {one['remedy']}" for one in obstacles
        ]
        return "\n".join(lines) + "\n"
    if not moves:
        return f"{path}: ok, nobody would move\n"
    lines = [f"{path}: ok, {len(moves)} would move:"]
    lines += [f"{move['container']}: {_change(move)}" for move in moves]
    return "\n".join(lines) + "\n"


def _change(move: dict[str, Any]) -> str:
    before, after = move["from"], move["to"]
    return ", ".join(
        f"{part} {before.get(part, 'as inherited')} -> {after[part]}"
        for part in after
        if after[part] != before.get(part)
    )
