# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a container is, by what its runtime left on disk: for bypass, where nobody tells.

containerd and CRI-O keep the OCI bundle's ``config.json`` per container, dockershim and
cri-dockerd keep Docker's two files. All hold the environment too: it is passed over at once, and
nothing but the fields below is kept. Out of scope: CRI, which knows more where its socket is there.
Sources: containerd ``pkg/cri/annotations``, CRI-O ``pkg/annotations``, dockershim ``labels``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from model.files import Files
from model.workload import Resources

OCI_FOLDERS = (
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}",
    "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{id}",
    "/run/containers/storage/overlay-containers/{id}/userdata",
    "/var/lib/containers/storage/overlay-containers/{id}/userdata",
)
DOCKER_FOLDER = "/var/lib/docker/containers/{id}"

_CRI, _CRIO, _POD = "io.kubernetes.cri.", "io.kubernetes.cri-o.", "io.kubernetes.pod."
_DOCKER_ANNOTATION = "annotation."


@dataclass(frozen=True)
class Bundle:
    """What is known of one container; *sandbox_id* is "" for a sandbox itself.

    *pod_annotations* is None where this runtime does not keep them here.
    """

    name: str
    pod_name: str
    namespace: str
    pod_uid: str
    sandbox_id: str
    resources: Resources = field(default_factory=Resources)
    pod_annotations: Optional[Mapping[str, str]] = None


def read_bundle(files: Files, container_id: str) -> Optional[Bundle]:
    """The container of this id (64 hexadecimal digits); None while no runtime shows it."""
    for folder in OCI_FOLDERS:
        config = _json(files, folder.format(id=container_id) + "/config.json")
        if config is not None:
            return _oci(config)
    folder = DOCKER_FOLDER.format(id=container_id)
    config, host = (
        _json(files, folder + "/config.v2.json"),
        _json(files, folder + "/hostconfig.json"),
    )
    return None if config is None else _docker(config, host or {})


def _oci(config: Mapping[str, Any]) -> Optional[Bundle]:
    told = _texts(config.get("annotations"))
    linux = _mapping(_mapping(config.get("linux")).get("resources"))
    cpu, memory = _mapping(linux.get("cpu")), _mapping(linux.get("memory"))
    resources = Resources(
        shares=_number(cpu.get("shares")),
        quota=_number(cpu.get("quota")),
        period=_number(cpu.get("period")),
        memory_limit_bytes=_number(memory.get("limit")),
        cpus=_text(cpu.get("cpus")),
        mems=_text(cpu.get("mems")),
    )
    if _CRI + "container-type" in told:
        sandbox = told[_CRI + "container-type"] == "sandbox"
        return Bundle(
            told.get(_CRI + "container-name", ""),
            told.get(_CRI + "sandbox-name", ""),
            told.get(_CRI + "sandbox-namespace", ""),
            told.get(_CRI + "sandbox-uid", ""),
            "" if sandbox else told.get(_CRI + "sandbox-id", ""),
            resources,
        )
    if _CRIO + "ContainerType" in told:
        sandbox = told[_CRIO + "ContainerType"] == "sandbox"
        return Bundle(
            told.get("io.kubernetes.container.name", ""),
            told.get(_POD + "name", ""),
            told.get(_POD + "namespace", ""),
            told.get(_POD + "uid", ""),
            "" if sandbox else told.get(_CRIO + "SandboxID", ""),
            resources,
            _annotations_of_text(told.get(_CRIO + "Annotations", "")) if sandbox else None,
        )
    return None


def _docker(config: Mapping[str, Any], host: Mapping[str, Any]) -> Optional[Bundle]:
    labels = _texts(_mapping(config.get("Config")).get("Labels"))
    kind = labels.get("io.kubernetes.docker.type", "")
    if kind not in ("container", "podsandbox"):
        return None
    sandbox = kind == "podsandbox"
    size = len(_DOCKER_ANNOTATION)
    marked = {
        key[size:]: value for key, value in labels.items() if key.startswith(_DOCKER_ANNOTATION)
    }
    return Bundle(
        labels.get("io.kubernetes.container.name", ""),
        labels.get(_POD + "name", ""),
        labels.get(_POD + "namespace", ""),
        labels.get(_POD + "uid", ""),
        "" if sandbox else labels.get("io.kubernetes.sandbox.id", ""),
        Resources(
            shares=_number(host.get("CpuShares")),
            quota=_number(host.get("CpuQuota")),
            period=_number(host.get("CpuPeriod")),
            memory_limit_bytes=_number(host.get("Memory")),
            cpus=_text(host.get("CpusetCpus")),
            mems=_text(host.get("CpusetMems")),
        ),
        marked if sandbox else None,
    )


def _json(files: Files, path: str) -> Optional[Mapping[str, Any]]:
    """The object in a file; None where there is none, or not a whole one yet."""
    try:
        value = json.loads(files.read(path) or "")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def _annotations_of_text(text: str) -> Optional[Mapping[str, str]]:
    try:
        return _texts(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> dict[str, str]:
    return {key: text for key, text in _mapping(value).items() if isinstance(text, str)}


def _number(value: object) -> Optional[int]:
    """A figure that was given: runtimes write 0 or null for "none"."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
