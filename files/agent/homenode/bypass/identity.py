# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a cgroup is: the runtime's bundle first, its CRI socket for what the bundle lacks.

Out of scope: cgroup names (``model.pod_cgroup``), files and calls themselves (``runtime``).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional, Union

from homenode.runtime import cri
from homenode.runtime.bundle import Bundle, read_bundle
from homenode.runtime.wire import WireProblem
from model.files import Files
from model.pod_cgroup import PodCgroup
from model.workload import Container, Pod


@dataclass(frozen=True)
class Known:
    """A container with its pod, as NRI would have told of them; *annotated* tells whether the
    pod's annotations could be read at all."""

    pod: Pod
    container: Container
    annotated: bool


class Nobody(enum.Enum):
    """Why a cgroup is no container's: it is a pod's sandbox, or no runtime shows it (yet)."""

    SANDBOX = "sandbox"
    NOT_SHOWN = "not shown"


class Identities:
    """Finds out who a container is; *cri_socket* is "" where no runtime answers CRI."""

    def __init__(self, files: Files, cri_socket: str) -> None:
        self._files = files
        self._socket = cri_socket
        self._pods: dict[str, cri.CriSandbox] = {}
        self.problem = ""

    def find(self, cgroup: PodCgroup, state: str = "created") -> Union[Known, Nobody]:
        """The container of *cgroup*, in the given *state*."""
        bundle = read_bundle(self._files, cgroup.container_id)
        if bundle is None:
            return Nobody.NOT_SHOWN
        if not bundle.sandbox_id:
            return Nobody.SANDBOX
        sandbox = self._sandbox(bundle)
        annotations = None if sandbox is None else sandbox.annotations
        if annotations is None:
            kept = read_bundle(self._files, bundle.sandbox_id)
            annotations = None if kept is None else kept.pod_annotations
        pod = Pod(
            bundle.sandbox_id,
            bundle.pod_name,
            bundle.namespace,
            bundle.pod_uid or cgroup.pod_uid,
            "/" + cgroup.path.rpartition("/")[0],
            annotations or {},
            sandbox.labels if sandbox else {},
        )
        container = Container(
            cgroup.container_id,
            pod.id,
            bundle.name,
            state,
            bundle.resources,
            "/" + cgroup.path,
        )
        return Known(pod, container, annotations is not None)

    def _sandbox(self, bundle: Bundle) -> Optional[cri.CriSandbox]:
        """The pod as CRI knows it; one call for each pod that is new."""
        if self._socket and bundle.sandbox_id not in self._pods:
            try:
                self._pods = {sandbox.id: sandbox for sandbox in cri.sandboxes(self._socket)}
                self.problem = ""
            except (OSError, WireProblem) as error:
                self.problem = str(error)
        return self._pods.get(bundle.sandbox_id)
