# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode plan rebalance|apply``: what could lie better, and making it so when told to.

The running agent makes the plan, because it alone knows what was asked; nothing moves by itself.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from homenode.daemon import control
from homenode.report.columns import aligned, one_line, printable

from . import options

SOCKET = "control.sock"


def configure(parser: argparse.ArgumentParser) -> None:
    """Which of the two, and how to say it."""
    parser.add_argument("what", choices=("rebalance", "apply"), help="propose moves, or make them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options.add(parser, "--pid-file")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 where a move failed."""
    path = os.path.join(os.path.dirname(arguments.pid_file), SOCKET)
    plan = control.ask(path, {"verb": f"plan {arguments.what}"})
    if arguments.json:
        print(json.dumps(plan, indent=2))
    else:
        print(printable(_text(plan["moves"], applied=arguments.what == "apply")), end="")
    return 1 if any(move.get("failed") for move in plan["moves"]) else 0


def _text(moves: Sequence[Mapping[str, Any]], *, applied: bool) -> str:
    if not moves:
        return "every container lies as well as it can today\n"
    rows: list[tuple[str, ...]] = [("CONTAINER", "FROM", "TO", "BYTES TO MIGRATE", "WHY")]
    rows += [_row(move) for move in moves]
    lines = aligned(rows)
    lines += [
        f"! {one_line(move['container'])}: {move['failed']}" for move in moves if move.get("failed")
    ]
    if not applied:
        lines.append("homenode plan apply makes these moves, one after the other")
    return "\n".join(lines) + "\n"


def _row(move: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one_line(move["container"]),
        _placement(move["from"]),
        _placement(move["to"]),
        str(move["bytes_to_migrate"]),
        move["why"],
    )


def _placement(part: Mapping[str, str]) -> str:
    cpus, mems = part.get("cpus", "-"), part.get("mems", "-")
    return f"{cpus}/{mems}" + (f" ({part['place']})" if part.get("place") else "")
