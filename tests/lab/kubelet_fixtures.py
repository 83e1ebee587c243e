# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pytest fixtures: a cluster for a module, of as many guests as it wants."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from lab import control_plane, fleet
from lab.control_plane import ControlPlane
from lab.kubelet_in_guest import KubeNode

_numbers = itertools.count(1)


class Cluster:
    """A control plane, and nodes that go with it."""

    def __init__(self, plane: ControlPlane, ending: ExitStack) -> None:
        self.plane, self._ending = plane, ending

    def join(self, *kinds: str) -> list[KubeNode]:
        """New nodes, one per kind, such as `"2n 2.x"`: its topology and containerd."""
        nodes = []
        for kind in kinds:
            name = f"kube-{os.getpid()}-{next(_numbers)}"
            guest = self._ending.enter_context(fleet.create(name, *kind.split()))
            nodes.append(KubeNode(guest, self.plane))
        with ThreadPoolExecutor() as threads:
            list(threads.map(KubeNode.join, nodes))
        return nodes


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster without nodes."""
    with ExitStack() as ending:
        yield Cluster(ending.enter_context(control_plane.running()), ending)


@pytest.fixture(scope="module")
def kube_node(cluster: Cluster) -> KubeNode:
    """A node of a cluster for all tests of a module."""
    [only] = cluster.join("2n 1.7")
    return only
