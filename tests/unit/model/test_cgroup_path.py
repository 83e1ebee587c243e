# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a container's cgroup is: built from checked parts, or nowhere."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_runtime import kubelet
from model.cgroup_path import cgroup_path, expand_slice

ID = "a1b2" * 16
PATHS: dict[str, Optional[str]] = {
    f"/kubepods/besteffort/pod1-2/{ID}": f"kubepods/besteffort/pod1-2/{ID}",
    f"//kubepods//pod1/{ID}/": f"kubepods/pod1/{ID}",
    f"kubepods-pod1_2.slice:cri-containerd:{ID}": (
        f"kubepods.slice/kubepods-pod1_2.slice/cri-containerd-{ID}.scope"
    ),
    f"kubepods-burstable-pod1_2.slice:crio:{ID}": (
        f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/crio-{ID}.scope"
    ),
    "system.slice::thing.service": "system.slice/thing.service",
    "": None,
    "/": None,
    "/alone": None,
    "relative/path": None,
    "a.slice:b": None,
    "a.slice:b:": None,
    ":b:c": None,
    "/kubepods/../../etc": None,
    "/kubepods/./x": None,
    "a.slice:..:../../x": None,
    "a.slice:b:c/d": None,
    "a/b.slice:c:d": None,
    "/kubepods/a b": None,
    "/kubepods/a\n": None,
    "/kubepods/a\0b": None,
    "/kubepods/\u00e9": None,
    "/kubepods/" + "x" * 256: None,
    "/x" * 13: None,
    "/x" * 12: "/".join("x" * 12),
    "-".join("a" * 20) + ".slice:b:c": None,
}


@pytest.mark.parametrize("told", PATHS, ids=lambda text: repr(text[:30]))
def test_row(told: str) -> None:
    assert cgroup_path(told) == PATHS[told]


SLICES = {
    "a.slice": ["a.slice"],
    "a-b.slice": ["a.slice", "a-b.slice"],
    "a-b-c.slice": ["a.slice", "a-b.slice", "a-b-c.slice"],
}


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_lies_in_its_parents(name: str) -> None:
    assert expand_slice(name) == SLICES[name]


@pytest.mark.parametrize("driver", [kubelet.SYSTEMD, kubelet.CGROUPFS])
@pytest.mark.parametrize("qos", [kubelet.GUARANTEED, kubelet.BURSTABLE, kubelet.BEST_EFFORT])
def test_it_is_where_the_kubelet_makes_it(driver: str, qos: str) -> None:
    parent = kubelet.cgroup_parent(qos, "0f-1e-2d", driver)
    assert cgroup_path(kubelet.cgroups_path(parent, ID)) == kubelet.cgroup_folder(parent, ID)


@settings(deadline=None)
@given(st.text(alphabet="/.:-aZ0\0\n\x1b ü", max_size=60))
def test_nothing_leads_out(told: str) -> None:
    path = cgroup_path(told)
    if path is not None:
        parts = path.split("/")
        assert len(parts) > 1
        assert all(part not in ("", ".", "..") for part in parts)
        assert path.isascii()
        assert path.isprintable()
