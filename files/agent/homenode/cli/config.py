# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode config check|show``: what the agent would read, before it reads it.

``check`` also asks the running agent, if there is one, who would move and who is in the way, and
says which settings are read and not obeyed.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
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
    parser.add_argument("--json", action="store_true", help="print what check finds as JSON")
    options.add(parser, "--config-file", "--pid-file")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 with field, value and remedy where the configuration is wrong or in the way."""
    path = arguments.file or arguments.config_file
    config, merged = read_config(path), merged_config(path)
    if arguments.action == "show":
        print(json.dumps(merged, indent=2, sort_keys=True))
        return 0
    found = {"file": path, **_found(arguments.pid_file, merged.get("pinning", {}))}
    found["notes"] = [note.as_dict() for note in config.pinning.notes] if config.pinning else []
    print(json.dumps(found, indent=2) if arguments.json else printable(_shown(found)))
    return 1 if found["obstacles"] else 0


def _found(pid_file: str, pinning: object) -> dict[str, Any]:
    """What the running agent says; *moves* is None where nobody runs who could know."""
    if holder(pid_file) is None:
        return {"obstacles": [], "moves": None}
    place = os.path.join(os.path.dirname(pid_file), "control.sock")
    answer: dict[str, Any] = control.ask(place, {"verb": "check", "pinning": pinning})
    return answer


def _shown(found: Mapping[str, Any]) -> str:
    return "\n".join([_verdict(found), *_details(found), *_told("note:", found["notes"])])


def _verdict(found: Mapping[str, Any]) -> str:
    path, moves = found["file"], found["moves"]
    if found["obstacles"]:
        return f"{path}: cannot be applied as long as these run:"
    if moves is None:
        return f"{path}: ok"
    return f"{path}: ok, {len(moves)} would move:" if moves else f"{path}: ok, nobody would move"


def _details(found: Mapping[str, Any]) -> list[str]:
    if found["obstacles"]:
        return _told("!", found["obstacles"])
    return [f"{move['container']}: {_change(move)}" for move in found["moves"] or ()]


def _told(mark: str, problems: list[dict[str, str]]) -> list[str]:
    return [
        f"{mark} {one['field']} {one['value']!a}: {one['why']}; {one['remedy']}" for one in problems
    ]


def _change(move: dict[str, Any]) -> str:
    before, after = move["from"], move["to"]
    return ", ".join(
        f"{part} {before.get(part, 'as inherited')} -> {after[part]}"
        for part in after
        if after[part] != before.get(part)
    )
