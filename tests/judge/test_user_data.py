# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""User data that was planned without a node starts a real kubelet, behind each image's own file.

What an image does with user data is done here by hand: nodeadm makes a drop-in of it, AL2 makes it
flags, and Bottlerocket writes it into the file. Needs root and Go, see README.md.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import tomllib  # type: ignore[import-not-found]  # mypy looks at Python 3.10
import yaml

from judge import build
from judge.answers import filter_named
from judge.court import HEADER, Case, Judge
from judge.topology import topology

MACHINE = topology(
    {
        "nodes": [
            {"memory": "192Gi", "cpus": "0-23,48-71"},
            {"memory": "192Gi", "cpus": "24-47,72-95"},
        ]
    }
)
EVICTION = {"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%"}
CGROUPS = {"kubeReservedCgroup": "/runtime", "systemReservedCgroup": "/system"}
LATENCY: dict[str, Any] = {
    "cpuManagerPolicy": "static",
    "cpuManagerPolicyOptions": {"full-pcpus-only": "true"},
    "memoryManagerPolicy": "Static",
    "topologyManagerPolicy": "single-numa-node",
    "topologyManagerScope": "pod",
}
NEEDS = {"t3.medium": "542Mi", "m5.24xlarge": "8462Mi", "r8i.96xlarge": "17009Mi"}


def al2023(base: Mapping[str, Any], settings: Mapping[str, Any]) -> Case:
    """nodeadm's file and drop-in."""
    text = filter_named("kubelet_user_data")(settings, "eks-al2023")
    config = yaml.safe_load(text)["spec"]["kubelet"]["config"]
    dropins = {"40-nodeadm.conf": {**HEADER, **config}}
    return Case(MACHINE, {**base, "evictionHard": EVICTION, **CGROUPS}, dropins)


def al2(base: Mapping[str, Any], settings: Mapping[str, Any]) -> Case:
    """The file of bootstrap.sh, and the flags of its user."""
    _option, value = shlex.split(filter_named("kubelet_user_data")(settings, "eks-al2"))
    flags = tuple(flag.removeprefix("--") for flag in value.split())
    return Case(MACHINE, {**base, "evictionHard": EVICTION}, flags=flags)


def bottlerocket(base: Mapping[str, Any], settings: Mapping[str, Any]) -> Case:
    """Bottlerocket's file, as its template has it."""
    text = filter_named("kubelet_user_data")(settings, "bottlerocket")
    read = tomllib.loads(text)["settings"]["kubernetes"]
    config = {
        "cpuManagerPolicy": read["cpu-manager-policy"],
        "cpuManagerPolicyOptions": dict.fromkeys(read["cpu-manager-policy-options"], "true"),
        "memoryManagerPolicy": read["memory-manager-policy"],
        "topologyManagerPolicy": read["topology-manager-policy"],
        "topologyManagerScope": read["topology-manager-scope"],
        "reservedMemory": [
            {"numaNode": int(name), "limits": {"memory": entry["memory"]}}
            for name, entry in read["memory-manager-reserved-memory"].items()
            if entry["enabled"]
        ],
    }
    reserved = {"reservedSystemCPUs": read["reserved-cpus"]} if "reserved-cpus" in read else {}
    return Case(MACHINE, {**base, **config, **reserved})


IMAGES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Case]] = {
    "eks-al2023": al2023,
    "eks-al2": al2,
    "bottlerocket": bottlerocket,
}


@pytest.fixture(scope="module", params=[build.NEW, build.OLD])
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    with Judge(request.param, places=1) as judge:
        yield judge


def planned(instance_type: str, image: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the image reserves by itself, and the settings that go with it."""
    pods = filter_named("eks_max_pods")(instance_type)
    reserved = filter_named("eks_kube_reserved")(pods, 96, image.removeprefix("eks-"))
    base = {"kubeReserved": reserved}
    effective = filter_named("kubelet_effective")(base, distribution=image)
    need = filter_named("kubelet_reservation")(effective)
    assert need["quantity"] == NEEDS[instance_type]
    shares = filter_named("kubelet_reserved_memory")(need["bytes"], ["192Gi", "192Gi"])
    return base, {**LATENCY, "reservedMemory": shares}


@pytest.mark.parametrize("extra", [{}, {"reservedSystemCPUs": "0,48"}], ids=["", "reserved CPUs"])
@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("instance_type", NEEDS)
def test_a_kubelet_starts(
    judge: Judge, instance_type: str, image: str, extra: dict[str, Any]
) -> None:
    base, settings = planned(instance_type, image)
    outcome = judge.run(IMAGES[image](base, {**settings, **extra}))
    assert outcome.starts, outcome.reason
    assert outcome.config["reservedMemory"] == settings["reservedMemory"]


def test_the_article_s_flag_stops_it(judge: Judge) -> None:
    base, settings = planned("m5.24xlarge", "eks-al2")
    case = al2(base, settings)
    outcome = judge.run(Case(MACHINE, case.base, flags=(*case.flags, "kube-reserved=cpu=1")))
    assert not outcome.starts
    assert 'the total amount "8462Mi" of type "memory" is not equal to the value "100Mi"' in (
        outcome.reason
    )
