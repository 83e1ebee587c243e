# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Class and request of a container, read back from what the kubelet derives from its manifest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_runtime import kubelet
from model.workload import (
    BEST_EFFORT,
    BURSTABLE,
    GUARANTEED,
    Pod,
    Resources,
    cpu_request_millis,
    whole_cpus,
)

PARENTS = {
    "/kubepods/pod1-2": GUARANTEED,
    "/kubepods/burstable/pod1-2": BURSTABLE,
    "/kubepods/besteffort/pod1-2": BEST_EFFORT,
    "/kubepods.slice/kubepods-pod1_2.slice": GUARANTEED,
    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice": BURSTABLE,
    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice": BEST_EFFORT,
    "kubepods-besteffort-pod1_2.slice": BEST_EFFORT,
}


@pytest.mark.parametrize("parent", PARENTS)
def test_the_class_is_in_the_cgroup_parent(parent: str) -> None:
    assert Pod("id", "name", "ns", "uid", parent).qos_class == PARENTS[parent]


MILLIS = {
    "Guaranteed, from the quota": (Resources(1024, 150_000, 100_000), GUARANTEED, 1500),
    "a shorter period": (Resources(1024, 75_000, 50_000), GUARANTEED, 1500),
    "Guaranteed without quota, from the shares": (Resources(2048, -1, 100_000), GUARANTEED, 2000),
    "no period, from the shares": (Resources(512, 100_000, 0), GUARANTEED, 500),
    "Burstable, from the shares": (Resources(512, 100_000, 100_000), BURSTABLE, 500),
    "no request": (Resources(2), BURSTABLE, 0),
    "the least request": (Resources(3), BURSTABLE, 3),
    "nothing given": (Resources(), GUARANTEED, 0),
    "BestEffort, whatever its figures": (Resources(1024, 100_000, 100_000), BEST_EFFORT, 0),
}


@pytest.mark.parametrize("row", MILLIS.values(), ids=MILLIS)
def test_request(row: tuple[Resources, str, int]) -> None:
    resources, qos, millis = row
    assert cpu_request_millis(resources, qos) == millis


WHOLE = {
    "two": (Resources(2048, 200_000, 100_000), GUARANTEED, 2),
    "two, without a quota": (Resources(2048), GUARANTEED, 2),
    "two, where a quota of 0 means none": (Resources(2048, 0, 100_000), GUARANTEED, 2),
    "two, where a period of 0 means none": (Resources(2048, 100_000, 0), GUARANTEED, 2),
    "one": (Resources(1024, 100_000, 100_000), GUARANTEED, 1),
    "less than one": (Resources(1022, 99_900, 100_000), GUARANTEED, 0),
    "less than one, without a quota": (Resources(1022), GUARANTEED, 0),
    "nearly one is not one": (Resources(1024, 99_999, 100_000), GUARANTEED, 0),
    "a little more than one": (Resources(1024, 100_001, 100_000), GUARANTEED, 0),
    "none at all": (Resources(2, 0, 0), GUARANTEED, 0),
    "Burstable": (Resources(2048, 200_000, 100_000), BURSTABLE, 0),
    "BestEffort": (Resources(2048, 200_000, 100_000), BEST_EFFORT, 0),
    "a negative period": (Resources(0, 200_000, -100_000), GUARANTEED, 0),
}


@pytest.mark.parametrize("row", WHOLE.values(), ids=WHOLE)
def test_own_cpus(row: tuple[Resources, str, int]) -> None:
    resources, qos, count = row
    assert whole_cpus(resources, qos) == count


@settings(deadline=None)
@given(st.integers(1, 512_000), st.booleans())
def test_whatever_the_kubelet_makes_of_a_request_is_read_back(millis: int, quota: bool) -> None:
    figures = kubelet.figures(GUARANTEED, millis / 1000, 1)
    given_quota = figures.quota if quota else -1
    resources = Resources(figures.shares, given_quota, figures.period)
    assert whole_cpus(resources, GUARANTEED) == (millis // 1000 if millis % 1000 == 0 else 0)
