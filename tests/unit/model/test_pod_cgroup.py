# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose cgroup a path is: both drivers, all classes, and everything that is nobody's."""

from __future__ import annotations

import pytest

from model.cgroup_path import cgroup_path
from model.pod_cgroup import PodCgroup, pod_cgroup

UID = "0f5c8a5e-3c5a-4f1c-9a63-7a2f3d1e9b10"
STATIC = "0f5c8a5e3c5a4f1c9a637a2f3d1e9b10"
ID = "ab" * 32
BARE = "kubepods-pod" + UID.replace("-", "_") + ".slice"
BURSTABLE = "kubepods-burstable-pod" + UID.replace("-", "_") + ".slice"


@pytest.mark.parametrize(
    ("path", "qos_class", "uid", "container"),
    [
        (f"kubepods/pod{UID}", "Guaranteed", UID, ""),
        (f"kubepods/pod{UID}/{ID}", "Guaranteed", UID, ID),
        (f"kubepods/burstable/pod{UID}/{ID}", "Burstable", UID, ID),
        (f"kubepods/besteffort/pod{STATIC}/{ID}", "BestEffort", STATIC, ID),
        (f"kubepods.slice/{BARE}/cri-containerd-{ID}.scope", "Guaranteed", UID, ID),
        (f"kubepods.slice/kubepods-burstable.slice/{BURSTABLE}", "Burstable", UID, ""),
        (
            f"kubepods.slice/kubepods-burstable.slice/{BURSTABLE}/crio-{ID}.scope",
            "Burstable",
            UID,
            ID,
        ),
        (f"kubepods.slice/{BARE}/docker-{ID}.scope", "Guaranteed", UID, ID),
    ],
)
def test_ours(path: str, qos_class: str, uid: str, container: str) -> None:
    assert pod_cgroup(path) == PodCgroup(path, qos_class, uid, container)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "kubepods",
        "kubepods/burstable",
        "system.slice/containerd.service",
        f"docker/{ID}",
        f"kubepods/pod{UID}/{ID}/inner",
        f"kubepods/pod{UID}/{ID}/{ID}",
        f"kubepods/pod{UID}/..",
        f"kubepods/pod{UID}/{ID[:-1]}",
        f"kubepods/podnothing/{ID}",
        f"kubepods.slice/{BARE}/crio-conmon-{ID}.scope",
        f"kubepods/burstable/burstable/pod{UID}",
    ],
)
def test_nobodys(path: str) -> None:
    assert pod_cgroup(path) is None


def test_it_is_the_way_back_of_what_a_runtime_tells() -> None:
    told = f"kubepods-burstable-pod{UID.replace('-', '_')}.slice:cri-containerd:{ID}"
    found = pod_cgroup(cgroup_path(told) or "")
    assert found is not None
    assert (found.qos_class, found.pod_uid, found.container_id) == ("Burstable", UID, ID)
