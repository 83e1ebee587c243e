# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merging as a kubelet merges: rows that real kubelets 1.31.0, 1.35.4 and 1.36.3 have answered."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from model.kubelet.arithmetic import need
from model.kubelet.effective import (
    MEMORY_EVICTION,
    Effective,
    Layer,
    Sources,
    effective,
    from_dict,
)
from model.problem import HomenodeProblem

RESERVED = {"kubeReserved": {"memory": "200Mi"}, "systemReserved": {"memory": "100Mi"}}
BASE = "/var/lib/kubelet/config.yaml"


def merged(
    base: Optional[dict[str, Any]] = None,
    dropins: tuple[dict[str, Any], ...] = (),
    flags: tuple[str, ...] = (),
    *,
    version: str = "1.35",
    distribution: str = "upstream",
) -> Effective:
    layers = tuple(Layer(f"/c.d/{number}.conf", keys) for number, keys in enumerate(dropins))
    file = None if base is None else Layer(BASE, base)
    return effective(Sources(file, layers, flags, distribution, version))


def with_reserved(**keys: object) -> dict[str, Any]:
    return {**RESERVED, **keys}


NODEFS = {"nodefs.available": "5%"}
NEEDS: dict[str, tuple[dict[str, Any], str]] = {
    "a file without evictionHard": ({"base": with_reserved()}, "400Mi"),
    "d2 a file with another signal": ({"base": with_reserved(evictionHard=NODEFS)}, "300Mi"),
    "d3 merged by request": (
        {"base": with_reserved(evictionHard=NODEFS, mergeDefaultEvictionSettings=True)},
        "400Mi",
    ),
    "d3 the request is unknown to 1.31": (
        {
            "base": with_reserved(evictionHard=NODEFS, mergeDefaultEvictionSettings=True),
            "version": "1.31.0",
        },
        "300Mi",
    ),
    "d4 an empty map is a map": ({"base": with_reserved(evictionHard={})}, "300Mi"),
    "d4 null is nothing": ({"base": with_reserved(evictionHard=None)}, "400Mi"),
    "d4 an empty map, merged by request": (
        {"base": with_reserved(evictionHard={}, mergeDefaultEvictionSettings=True)},
        "400Mi",
    ),
    "d5 a drop-in with another signal": (
        {"base": with_reserved(), "dropins": ({"evictionHard": NODEFS},)},
        "400Mi",
    ),
    "d6 a drop-in with memory": (
        {"base": with_reserved(), "dropins": ({"evictionHard": {"memory.available": "500Mi"}},)},
        "800Mi",
    ),
    "d7 a flag with another signal": (
        {"base": with_reserved(), "flags": ("--eviction-hard=nodefs.available<10%",)},
        "300Mi",
    ),
    "d8 a drop-in's null deletes": (
        {"base": with_reserved(), "dropins": ({"evictionHard": {"memory.available": None}},)},
        "300Mi",
    ),
    "d8 a drop-in's null deletes nothing in 1.31": (
        {
            "base": with_reserved(),
            "dropins": ({"evictionHard": {"memory.available": None}},),
            "version": "1.31.0",
        },
        "400Mi",
    ),
    "d9 a flag replaces the whole map": (
        {"base": with_reserved(), "flags": ("--kube-reserved=cpu=1",)},
        "200Mi",
    ),
    "d9 a drop-in merges": (
        {"base": with_reserved(), "dropins": ({"kubeReserved": {"cpu": "1"}},)},
        "400Mi",
    ),
    "d12 the request counts in the file only": (
        {
            "base": with_reserved(evictionHard=NODEFS),
            "dropins": ({"mergeDefaultEvictionSettings": True},),
        },
        "300Mi",
    ),
    "d13 zero stays zero beside a drop-in": (
        {"base": with_reserved(evictionHard={}), "dropins": ({"topologyManagerScope": "pod"},)},
        "300Mi",
    ),
    "d17 the later drop-in wins": (
        {
            "base": with_reserved(),
            "dropins": (
                {"kubeReserved": {"memory": "1Gi"}},
                {"kubeReserved": {"memory": "2Gi"}},
            ),
        },
        "2248Mi",
    ),
    "d19 drop-ins without a file": ({"dropins": (RESERVED,)}, "300Mi"),
    "flags without a file": ({"flags": ("kube-reserved=memory=1Gi",)}, "1Gi"),
    "the same flag twice adds up": (
        {"flags": ("--kube-reserved=cpu=1", "--kube-reserved=memory=1Gi")},
        "1Gi",
    ),
    "eviction that does not count": (
        {
            "base": with_reserved(),
            "flags": ("--experimental-allocatable-ignore-eviction",),
        },
        "300Mi",
    ),
    "k3s before drop-ins": (
        {
            "distribution": "k3s",
            "version": "1.31.4+k3s1",
            "flags": ("kube-reserved=memory=1Gi", "system-reserved=memory=1Gi"),
        },
        "2Gi",
    ),
    "k3s by flags": (
        {
            "distribution": "k3s",
            "flags": ("kube-reserved=memory=1Gi", "system-reserved=memory=1Gi"),
        },
        "2Gi",
    ),
    "rke2 by a drop-in": (
        {
            "distribution": "rke2",
            "dropins": (
                {"kubeReserved": {"memory": "1Gi"}, "systemReserved": {"memory": "1Gi"}},
                {"evictionHard": {"memory.available": "100Mi"}},
            ),
        },
        "2148Mi",
    ),
    "the EKS image as it is": (
        {"base": {"kubeReserved": {"memory": "8362Mi"}}, "distribution": "eks-al2023"},
        "8462Mi",
    ),
    "the EKS image and a flag for CPUs": (
        {
            "base": {"kubeReserved": {"memory": "8362Mi"}},
            "flags": ("--kube-reserved=cpu=1",),
            "distribution": "eks-al2",
        },
        "100Mi",
    ),
}


@pytest.mark.parametrize(("sources", "wanted"), NEEDS.values(), ids=NEEDS.keys())
def test_the_need_of_merged_sources(sources: dict[str, Any], wanted: str) -> None:
    assert str(need(merged(**sources)).total) == wanted


def test_origins_name_the_file_the_flag_and_the_default() -> None:
    found = merged(
        {"kubeReserved": {"memory": "1Gi"}, "topologyManagerScope": "pod"},
        ({"kubeReserved": {"cpu": "1"}},),
        ("--memory-manager-policy=Static",),
    )
    assert found.origins["kubeReserved.memory"] == BASE
    assert found.origins["kubeReserved.cpu"] == "/c.d/0.conf"
    assert found.origins["memoryManagerPolicy"] == "flag --memory-manager-policy"
    assert found.origins["cpuManagerPolicy"] == "compiled-in default"
    default = f"compiled-in default, because no evictionHard in {BASE}"
    assert found.origins[MEMORY_EVICTION] == default


WHY_NOT: dict[str, tuple[dict[str, Any], str]] = {
    "replaced by the file": ({"base": {"evictionHard": {}}}, f"evictionHard in {BASE} replaces"),
    "no file": ({}, "without --config"),
    "replaced by a flag": (
        {"base": {}, "flags": ("--eviction-hard=nodefs.available<5%",)},
        "flag --eviction-hard replaces",
    ),
    "deleted": (
        {"base": {}, "dropins": ({"evictionHard": {"memory.available": None}},)},
        "deleted by /c.d/0.conf",
    ),
}


@pytest.mark.parametrize(("sources", "words"), WHY_NOT.values(), ids=WHY_NOT.keys())
def test_what_is_missing_has_a_reason(sources: dict[str, Any], words: str) -> None:
    assert words in merged(**sources).origins[MEMORY_EVICTION]


def test_every_value_has_an_origin() -> None:
    found = merged(
        with_reserved(reservedMemory=[{"numaNode": 0}]), (NODEFS,), ("fail-swap-on=false",)
    )
    for key, value in found.config.items():
        leaves = [f"{key}.{name}" for name in value] if isinstance(value, dict) else [key]
        assert all(leaf in found.origins for leaf in leaves), key


def test_lists_are_replaced_whole() -> None:
    one = {"reservedMemory": [{"numaNode": 0, "limits": {"memory": "1Gi"}}]}
    other = {"reservedMemory": [{"numaNode": 1, "limits": {"memory": "2Gi"}}]}
    assert merged(one, (other,)).config["reservedMemory"] == other["reservedMemory"]
    flagged = merged(one, (other,), ("--reserved-memory=2:memory=3Gi",))
    assert flagged.config["reservedMemory"] == [{"numaNode": 2, "limits": {"memory": "3Gi"}}]


@pytest.mark.parametrize(
    ("version", "kept"), [("1.31.0", []), ("1.35.4", ["pods"])], ids=["1.31", "1.35"]
)
def test_d16_an_empty_list_is_defaulted_again_beside_a_drop_in(
    version: str, kept: list[str]
) -> None:
    base: dict[str, Any] = {"enforceNodeAllocatable": []}
    assert merged(base, version=version).config["enforceNodeAllocatable"] == []
    assert merged(base, ({},), version=version).config["enforceNodeAllocatable"] == kept


def test_a_list_of_cpus_takes_the_place_of_amounts() -> None:
    found = merged(
        {"kubeReserved": {"cpu": "1", "memory": "1Gi"}, "reservedSystemCPUs": "0-1,4"},
    )
    assert found.config["kubeReserved"] == {"memory": "1Gi"}
    assert found.config["systemReserved"] == {"cpu": "3"}
    assert "kubeReserved.cpu" not in found.origins


def test_feature_gates_merge_key_by_key() -> None:
    found = merged(
        {"featureGates": {"A": True, "B": True}}, flags=("--feature-gates=B=false,C=true",)
    )
    assert found.config["featureGates"] == {"A": True, "B": False, "C": True}


def test_the_sources_stay_as_they_were() -> None:
    base = {"kubeReserved": {"cpu": "1"}, "reservedSystemCPUs": "0"}
    dropin = {"kubeReserved": {"memory": "1Gi"}}
    merged(base, (dropin,))
    assert base["kubeReserved"] == {"cpu": "1"}
    assert dropin == {"kubeReserved": {"memory": "1Gi"}}


NUMBERS = {
    "a number in a map": (
        {"kubeReserved": {"cpu": 1}},
        "json: cannot unmarshal number into Go struct field"
        " KubeletConfiguration.kubeReserved of type string",
    ),
    "a truth in a map": (
        {"cpuManagerPolicyOptions": {"full-pcpus-only": True}},
        "json: cannot unmarshal bool into Go struct field"
        " KubeletConfiguration.cpuManagerPolicyOptions of type string",
    ),
    "a text for a map": (
        {"evictionHard": "100Mi"},
        "json: cannot unmarshal string into Go struct field"
        " KubeletConfiguration.evictionHard of type map[string]string",
    ),
    "a limit that is none": (
        {"reservedMemory": [{"numaNode": 0, "limits": {"memory": "1mi"}}]},
        "unable to parse quantity's suffix",
    ),
    "a number for a text": (
        {"reservedSystemCPUs": 0},
        "json: cannot unmarshal number into Go struct field"
        " KubeletConfiguration.reservedSystemCPUs of type string",
    ),
}


@pytest.mark.parametrize(("settings", "words"), NUMBERS.values(), ids=NUMBERS.keys())
def test_a_wrong_type_is_the_decoders_error(settings: dict[str, Any], words: str) -> None:
    for found in (merged(settings), merged({}, (settings,))):
        (error,) = found.errors
        assert error.why == words
        assert error.source in (BASE, "the merged configuration")


def test_a_later_drop_in_mends_an_earlier_one() -> None:
    broken, mended = {"kubeReserved": {"cpu": 1}}, {"kubeReserved": {"cpu": "1"}}
    assert merged({}, (broken, mended)).errors == ()
    assert merged({}, (mended, broken)).errors != ()


def test_an_empty_text_is_the_default() -> None:
    nothing = {"topologyManagerPolicy": "", "cpuManagerPolicy": ""}
    for found in (merged(nothing), merged({}, (nothing,))):
        assert found.config["topologyManagerPolicy"] == "none"
        assert found.origins["cpuManagerPolicy"] == "compiled-in default"


def test_as_data_and_back() -> None:
    found = merged({"kubeReserved": {"cpu": 1}}, flags=("--eviction-hard=x",))
    assert from_dict(found.as_dict()) == found


@pytest.mark.parametrize("version", ["", "1", "new", "1.27", "0.9"])
def test_an_impossible_version_is_refused(version: str) -> None:
    with pytest.raises(HomenodeProblem, match="version"):
        merged({}, version=version)


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(HomenodeProblem, match='distribution "minikube"'):
        merged({}, distribution="minikube")
