# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the runtime that the configuration names: its NRI, or its cgroups in bypass.

Out of scope: what is said on the way.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Optional, Protocol

from homenode.enforce.knobs import cpuset
from homenode.intent.config import BYPASS, Config
from homenode.linux.cgroup import CgroupTree
from homenode.runtime import cri
from homenode.runtime.notice import RuntimeCounts
from homenode.runtime.plugin import NriPlugin
from homenode.runtime.session import Handle, Report
from homenode.runtime.settings import NriSettings
from host_files import open_host
from model.events import ContainerUpdate
from model.problem import Problem


class Front(Protocol):
    """What the service needs of either way."""

    counts: RuntimeCounts

    @property
    def busy_since(self) -> Optional[float]:
        """When the event in hand came (monotonic seconds), None between events."""

    def run(self, stop: threading.Event) -> None:
        """Serve until *stop* is set."""

    def interrupt(self) -> None:
        """Make ``run`` look at its stop."""

    def update(self, updates: Sequence[ContainerUpdate]) -> dict[str, Problem]:
        """Apply these now; what failed, by container id."""


def make_front(
    config: Config,
    host_root: str,
    nri_socket: str,
    tree: CgroupTree,
    handle: Handle,
    report: Report,
) -> Front:
    """The way that *config* names."""
    if config.runtime.mode == BYPASS:
        from homenode.bypass.bypass import Bypass, Hands  # only who needs it pays for it
        from homenode.bypass.identity import Identities

        identities = Identities(open_host(host_root), cri_socket(config, host_root))
        hands = Hands(lambda path, wanted: cpuset.hold(tree, path, wanted), tree.placement)
        return Bypass(tree.folder, identities, hands, handle, report)
    settings = NriSettings(
        socket_path=nri_socket,
        plugin_name=config.nri.plugin_name,
        plugin_index=config.nri.plugin_index,
        answer_budget_s=config.nri.answer_budget_ms / 1000,
    )
    return NriPlugin(settings, handle, report)


def cri_socket(config: Config, host_root: str) -> str:
    """Where the runtime answers CRI: as told, else the first usual place that is there, else ""."""
    if config.runtime.cri_socket:
        return config.runtime.cri_socket
    places = (host_root.rstrip("/") + path for path in cri.SOCKETS)
    return next((path for path in places if os.path.exists(path)), "")
