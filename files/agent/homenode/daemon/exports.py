# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exports thread: files that tell schedulers about this node, kept up to date.

Out of scope: what stands in them (``report``), and who hands them to an API: the agent talks to
none (docs/pinning/exports.md).
"""

from __future__ import annotations

import json
import os
import threading
from typing import Callable, Optional

from homenode.intent.config import Config
from homenode.linux.swap import swap_kind
from homenode.report.nfd import features
from homenode.report.nrt import nrt
from homenode.world.world import World
from model.files import Files
from model.problem import Problem

from . import store


class Exports:
    """Writes the files that *config* names; *files* are those of the machine."""

    def __init__(self, config: Config, world: Callable[[], World], files: Files) -> None:
        self._config = config
        self._world = world
        self._files = files
        self._told: Optional[World] = None
        self._errors: dict[str, str] = {}

    @property
    def wanted(self) -> bool:
        """Whether any file is to be written at all."""
        exports = self._config.exports
        return bool(exports.node_resource_topology or exports.node_features)

    def problems(self) -> list[Problem]:
        """What could not be written, until it could."""
        remedy = "make its folder, and let the service write there (ReadWritePaths)"
        return [
            Problem(path, why, "cannot be written", remedy, "exports")
            for path, why in sorted(self._errors.items())
        ]

    def run(self, stop: threading.Event) -> None:
        """The thread's body."""
        while not stop.is_set():
            self.write()
            stop.wait(self._config.exports.interval_seconds)

    def write(self) -> None:
        """Replace each file that says something else than it should."""
        world = self._world()
        if world is self._told:
            return
        exports = self._config.exports
        if exports.node_resource_topology:
            self._replace(exports.node_resource_topology, self._topology(world))
        if exports.node_features:
            self._replace(exports.node_features, self._features(world))
        self._told = None if self._errors else world

    def _topology(self, world: World) -> str:
        name = self._config.exports.node_name or os.uname().nodename.lower()  # as the kubelet does
        return json.dumps(nrt(name, world)) + "\n"

    def _features(self, world: World) -> str:
        pinning = world.pinning
        return features(
            world.machine,
            policy=pinning.policy if pinning else "",
            mechanism=self._config.runtime.mode if pinning else "",
            swap=swap_kind(self._files),
        )

    def _replace(self, path: str, text: str) -> None:
        if _text(path) == text:
            return
        error = store.write_atomically(path, text, 0o644)
        self._errors.pop(path, None)
        if error is not None:
            self._errors[path] = str(error)


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
