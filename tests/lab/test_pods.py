# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet would tell the runtime."""

from __future__ import annotations

import pytest

from lab.cri_schema import message_class
from lab.pods import (
    Container,
    Pod,
    container_resources,
    cpu_shares,
    millicpus,
    oom_score_adj,
    quantity,
    sandbox_config,
)
from lab.problem import LabProblem

GIB = 2**30
FIXED = Container(cpu="2", memory="64Mi", cpu_limit="2", memory_limit="64Mi")
LOOSE = Container(name="side", cpu="100m", memory="64Mi")
FREE = Container(name="free")


@pytest.mark.parametrize(
    ("containers", "qos", "parent"),
    [
        ([FIXED], "Guaranteed", "/kubepods.slice/kubepods-poda_b.slice"),
        (
            [FIXED, LOOSE],
            "Burstable",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice",
        ),
        (
            [FREE],
            "BestEffort",
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-poda_b.slice",
        ),
        ([Container(cpu_limit="1", memory_limit="1Gi")], "Guaranteed", None),
        ([Container(cpu="1", cpu_limit="2", memory_limit="1Gi")], "Burstable", None),
    ],
)
def test_qos_class_and_slice(containers: list[Container], qos: str, parent: str | None) -> None:
    pod = Pod("web", "a-b", containers)
    assert pod.qos == qos
    if parent:
        assert pod.cgroup_parent == parent
        assert pod.cgroup_path("77") == f"/sys/fs/cgroup{parent}/cri-containerd-77.scope"


@pytest.mark.parametrize(("text", "expected"), [("2", 2000), ("0.5", 500), ("250m", 250), ("", 0)])
def test_cpus(text: str, expected: int) -> None:
    assert millicpus(text) == expected


def test_memory() -> None:
    assert [quantity(text) for text in ("64Mi", "1Gi", "1k", "5", "")] == [2**26, GIB, 1000, 5, 0]
    with pytest.raises(LabProblem, match="64MiB"):
        quantity("64MiB")


@pytest.mark.parametrize(("millis", "shares"), [(0, 2), (1, 2), (100, 102), (2000, 2048)])
def test_shares(millis: int, shares: int) -> None:
    assert cpu_shares(millis) == shares


@pytest.mark.parametrize(
    ("qos", "request_bytes", "expected"),
    [
        ("Guaranteed", GIB, -997),
        ("BestEffort", 0, 1000),
        ("Burstable", 0, 999),
        ("Burstable", GIB // 10, 901),
        ("Burstable", GIB, 3),
    ],
)
def test_oom_score(qos: str, request_bytes: int, expected: int) -> None:
    assert oom_score_adj(qos, request_bytes, GIB) == expected


def test_resources_of_a_container_and_its_pod() -> None:
    resources = container_resources(FIXED, "Guaranteed", GIB)
    assert resources["cpu_shares"] == 2048
    assert (resources["cpu_quota"], resources["cpu_period"]) == (200_000, 100_000)
    assert resources["memory_limit_in_bytes"] == 64 * 2**20
    both = sandbox_config(Pod("web", "a", [FIXED, LOOSE]))["linux"]["resources"]
    assert both["cpu_shares"] == cpu_shares(2100)
    assert both["cpu_quota"] == both["memory_limit_in_bytes"] == 0  # one has no limit


def test_the_table_of_messages_gives_the_bytes_of_the_wire() -> None:
    config = sandbox_config(Pod("web", "a", [FIXED], labels={"app": "x"}))
    request = message_class("RunPodSandboxRequest")(config=config)
    again = message_class("RunPodSandboxRequest").FromString(request.SerializeToString())
    assert again.config.labels["app"] == "x"
    assert again.config.linux.security_context.namespace_options.network == 2
    stop = message_class("StopContainerRequest")(container_id="ab", timeout=7)
    assert stop.SerializeToString() == b"\x0a\x02ab\x10\x07"
