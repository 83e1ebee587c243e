# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode explain POD[/CONTAINER]``: asked, decided, granted, and who lost by which rule.

A creation that failed is explained too, by its reason and remedy.
"""

from __future__ import annotations

import argparse

from homenode.report.explain import explain, explain_failed, find, find_failed
from model.problem import HomenodeProblem

from . import options
from .status import current_status


def configure(parser: argparse.ArgumentParser) -> None:
    """The pod, and where to look."""
    parser.add_argument("pod", metavar="POD[/CONTAINER]", help="may start with NAMESPACE/")
    options.add(parser, "--pid-file", "--host-root")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 where no such container is known."""
    current = current_status(arguments.pid_file, arguments.host_root)
    texts = [explain(one) for one in find(current, arguments.pod)]
    texts += [explain_failed(one) for one in find_failed(current, arguments.pod)]
    if not texts:
        names = ", ".join(item["name"] for item in current["containers"][:8]) or "none"
        raise HomenodeProblem(
            "POD", arguments.pod, "is not among the running containers", f"known: {names}"
        )
    print("\n".join(texts), end="")
    return 0
