# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of `python3 -m lab`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from lab import fleet, host, image
from lab.guest import VERSIONS, Guest
from lab.places import places
from lab.problem import LabProblem
from lab.progress import say, step
from lab.snapshot import FIRST_BOOT
from lab.topology import NAMED


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 1 when the lab cannot do it."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options) or 0)
    except LabProblem as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description="Multi-NUMA-node guests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: object, summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(command=command)
        return sub

    add("prerequisites", lambda _options: host.prerequisites(), "install the host's packages")
    add("image", _image, "build the guests' disk image only")
    up = add("up", _up, "create a guest")
    up.add_argument("name")
    up.add_argument(
        "--topology", default="2n", help=f"{', '.join(NAMED)}, or a .json file (default: 2n)"
    )
    up.add_argument("--containerd", default="1.7", choices=VERSIONS)
    ssh = add("ssh", _ssh, "open a shell in a guest, or run a command there")
    ssh.add_argument("name")
    ssh.add_argument("words", nargs=argparse.REMAINDER, metavar="command")
    down = add("down", _down, "destroy guests")
    down.add_argument("names", nargs="*", metavar="NAME")
    down.add_argument("--all", action="store_true")
    add("list", _list, "show the guests")
    rollback = add("rollback", _rollback, "put a guest back to the moment after its creation")
    rollback.add_argument("name")
    inventory = add("inventory", _inventory, "print an Ansible inventory (JSON, which is YAML)")
    inventory.add_argument("names", nargs="*", metavar="NAME", help="default: all guests")
    add("clean", lambda _options: fleet.clean(), "destroy all guests and all that the lab made")
    return parser


def _image(_options: argparse.Namespace) -> None:
    print(image.ensure(places()).folder)


def _up(options: argparse.Namespace) -> None:
    fleet.create(options.name, options.topology, options.containerd)
    say(f"python3 -m lab ssh {options.name}")


def _ssh(options: argparse.Namespace) -> None:
    command = fleet.find(options.name).ssh
    os.execvp(command[0], [*command, *options.words])


def _down(options: argparse.Namespace) -> None:
    for guest in _chosen(options.names, options.all):
        guest.down()
        say(f"guest {guest.name} destroyed")


def _list(_options: argparse.Namespace) -> None:
    for guest in fleet.existing():
        state, who = "running" if guest.alive else "dead", guest.identity
        print(
            f"{who.name}  {who.topology}  containerd {who.containerd}  {who.accelerator}"
            f"  port {who.port}  {state}"
        )


def _rollback(options: argparse.Namespace) -> None:
    with step(f"rolling back {options.name}"):
        fleet.find(options.name).rollback()


def _inventory(options: argparse.Namespace) -> None:
    chosen = _chosen(options.names, not options.names)
    usable = [guest for guest in chosen if not guest.name.startswith(FIRST_BOOT)]
    print(json.dumps(fleet.inventory(usable), indent=2))


def _chosen(names: list[str], everything: bool) -> list[Guest]:
    if everything:
        return fleet.existing()
    return [fleet.find(name) for name in names]
