# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runtimes leave on disk, in their own shapes, and what may be wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.files import FakeFiles
from homenode.runtime.bundle import Bundle, read_bundle
from model.workload import Resources

ID, SANDBOX = "c" * 64, "5" * 64
RESOURCES = {
    "cpu": {"shares": 1024, "quota": 100000, "period": 100000},
    "memory": {"limit": 1 << 20},
}
GIVEN = Resources(1024, 100000, 100000, 1 << 20)
CONTAINERD = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
CRIO = "/run/containers/storage/overlay-containers"


def _files(path: str, value: Any) -> FakeFiles:
    return FakeFiles({path: json.dumps(value)})


def test_containerd() -> None:
    told = {
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.container-name": "main",
        "io.kubernetes.cri.sandbox-name": "db",
        "io.kubernetes.cri.sandbox-namespace": "prod",
        "io.kubernetes.cri.sandbox-uid": "u",
        "io.kubernetes.cri.sandbox-id": SANDBOX,
    }
    config = {"annotations": told, "linux": {"resources": RESOURCES}, "process": {"env": ["A=b"]}}
    found = read_bundle(_files(f"{CONTAINERD}/{ID}/config.json", config), ID)
    assert found == Bundle("main", "db", "prod", "u", SANDBOX, GIVEN)


def test_a_crio_sandbox_keeps_the_pods_annotations() -> None:
    told = {
        "io.kubernetes.cri-o.ContainerType": "sandbox",
        "io.kubernetes.cri-o.Annotations": '{"a": "b"}',
        "io.kubernetes.pod.name": "db",
        "io.kubernetes.pod.namespace": "prod",
        "io.kubernetes.pod.uid": "u",
    }
    found = read_bundle(_files(f"{CRIO}/{ID}/userdata/config.json", {"annotations": told}), ID)
    assert found == Bundle("", "db", "prod", "u", "", Resources(), {"a": "b"})


def test_docker() -> None:
    labels = {
        "io.kubernetes.docker.type": "container",
        "io.kubernetes.container.name": "main",
        "io.kubernetes.pod.name": "db",
        "io.kubernetes.pod.namespace": "prod",
        "io.kubernetes.pod.uid": "u",
        "io.kubernetes.sandbox.id": SANDBOX,
    }
    folder = f"/var/lib/docker/containers/{ID}"
    host = {"CpuShares": 1024, "CpuQuota": 100000, "CpuPeriod": 100000, "Memory": 1 << 20}
    files = FakeFiles(
        {
            f"{folder}/config.v2.json": json.dumps({"Config": {"Labels": labels}}),
            f"{folder}/hostconfig.json": json.dumps({**host, "CpusetCpus": "2-3"}),
        }
    )
    expected = Resources(1024, 100000, 100000, 1 << 20, "2-3")
    assert read_bundle(files, ID) == Bundle("main", "db", "prod", "u", SANDBOX, expected)


def test_a_docker_sandbox_keeps_the_pods_annotations_as_labels() -> None:
    labels = {"io.kubernetes.docker.type": "podsandbox", "annotation.a": "b"}
    path = f"/var/lib/docker/containers/{ID}/config.v2.json"
    found = read_bundle(_files(path, {"Config": {"Labels": labels}}), ID)
    assert found is not None
    assert found.pod_annotations == {"a": "b"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"annotations": []}', '{"annotations": {"x": 1}}', "[" * 100000],
)
def test_what_is_no_bundle_is_nobody(text: str) -> None:
    assert read_bundle(FakeFiles({f"{CONTAINERD}/{ID}/config.json": text}), ID) is None
