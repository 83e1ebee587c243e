# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: one file per verb, imported only when it is asked for.

A verb's module has ``configure(parser)`` and ``run(arguments) -> exit code``. Problems are
rendered here, at one door: exit 1 and one line that names field, value and remedy.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Optional

import homenode
from model.problem import HomenodeProblem

VERBS = {
    "facts": "show or record this machine's NUMA topology",
    "probe": "try what this machine's kernel and runtime can do for the agent",
    "status": "show every container, where it runs and why",
    "explain": "tell why a pod runs where it runs",
    "simulate": "tell what a policy would do on a described machine, step by step",
    "plan": "propose moves to places that suit better, or make them",
    "intent": "tell how the annotations in manifests would be understood",
    "config": "check or show the configuration",
    "run": "run the agent (the service does)",
    "kubelet-boot": "before the kubelet starts: take away state that the boot made useless",
    "undo": "give back every cpuset that the agent changed (after it was stopped)",
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one verb; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    verb = next((word for word in words if not word.startswith("-")), "")
    parser = argparse.ArgumentParser(prog="homenode", description=homenode.__doc__)
    parser.add_argument("--version", action="version", version=f"homenode {homenode.__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        sub = verbs.add_parser(name, help=text, description=text)
        if name == verb:
            module = importlib.import_module(f"homenode.cli.{name.replace('-', '_')}")
            module.configure(sub)
    parsed = parser.parse_args(words)
    try:
        code = int(module.run(parsed))
        sys.stdout.flush()
        return code
    except HomenodeProblem as error:
        print(f"homenode: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader left, as `| head` does
        return 0
