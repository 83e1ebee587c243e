# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of plugins, under their full names, from a checkout at any path.

`ansible-test units` brings the package `ansible_collections` itself; plain pytest gets a stand-in
whose path is this checkout.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "ansible_collections.homenode.numa"


def _known(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _stand_in() -> None:
    parts = COLLECTION.split(".")
    for depth in range(1, len(parts) + 1):
        package = types.ModuleType(".".join(parts[:depth]))
        package.__path__ = [str(ROOT)] if depth == len(parts) else []
        sys.modules[package.__name__] = package


if not _known(COLLECTION):
    _stand_in()
