# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A runtime's side of NRI, small enough to read and strict enough to judge a plugin by.

``FakeRuntime`` listens on a unix socket, takes any plugin through Register, Configure and
Synchronize, and then has the verbs of a node: run_pod, create_container, start, update, stop,
remove. Its book of containers remembers what plugins asked for, so that the next Synchronize
tells it. ``PluginProcess`` runs an agent as a process: ours or any other that takes the same five
flags. Out of scope: processes in containers, CRI, cgroups (it can write files that look so).

Read in this order: schema, trunk, kubelet, book, runtime, process.
"""

from __future__ import annotations

from .book import FakeContainer, FakePod
from .process import PluginProcess, homenode_command
from .runtime import CreationFailed, FakeRuntime

__all__ = [
    "CreationFailed",
    "FakeContainer",
    "FakePod",
    "FakeRuntime",
    "PluginProcess",
    "homenode_command",
]
