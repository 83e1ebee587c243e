# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode config check|show``: what the agent would read, before it reads it."""

from __future__ import annotations

import argparse
import json

from homenode.daemon.config_files import merged_config, read_config

from . import options


def configure(parser: argparse.ArgumentParser) -> None:
    """The action, and the file."""
    parser.add_argument("action", choices=("check", "show"), help="validate, or print merged")
    options.add(parser, "--config-file")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 with field, value and remedy where the configuration is wrong."""
    read_config(arguments.config_file)
    if arguments.action == "show":
        print(json.dumps(merged_config(arguments.config_file), indent=2, sort_keys=True))
    else:
        print(f"{arguments.config_file}: ok")
    return 0
