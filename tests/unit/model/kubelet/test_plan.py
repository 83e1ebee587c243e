# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of one node: what is written, what wins over it, what forbids it."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from model.kubelet.effective import Layer, Sources
from model.kubelet.hardware import hardware
from model.kubelet.plan import DROPIN as DROPIN_FORM
from model.kubelet.plan import KUBELET_ARGS, Plan, Request, plan, stale_without
from model.problem import HomenodeProblem

DROPIN = "/etc/kubernetes/kubelet.conf.d/50-homenode-numa.conf"
BASE = Layer("/var/lib/kubelet/config.yaml", {"cgroupDriver": "systemd"})
MACHINE = hardware(
    {
        "nodes": [
            {"id": 0, "cpus": "0-1", "memory": {"total_bytes": 2 << 30}},
            {"id": 1, "cpus": "2-3", "memory": {"total_bytes": 2 << 30}},
        ],
        "cpus": {"online": "0-3"},
        "memory_total_bytes": 4 << 30,
    }
)
LATENCY: dict[str, Any] = {
    "cpuManagerPolicy": "static",
    "memoryManagerPolicy": "Static",
    "topologyManagerPolicy": "single-numa-node",
    "kubeReserved": {"cpu": "500m", "memory": "256Mi"},
    "systemReserved": {"memory": "512Mi"},
    "evictionHard": {},
    "reservedSystemCPUs": "",
    "topologyManagerScope": None,
}


def planned(
    settings: Optional[dict[str, Any]] = None,
    *,
    dropins: tuple[Layer, ...] = (),
    flags: tuple[str, ...] = (),
    strategy: object = "proportional",
    version: str = "1.35",
    base: Optional[Layer] = BASE,
    distribution: str = "kubeadm",
    form: str = DROPIN_FORM,
) -> Plan:
    sources = Sources(base, dropins, flags, distribution, version)
    wanted = LATENCY if settings is None else settings
    return plan(Request(sources, DROPIN, wanted, strategy, {}, form), MACHINE)


def problems(found: Plan) -> list[tuple[str, str]]:
    return [(problem.field, problem.why) for problem in found.problems]


def test_the_drop_in_holds_what_is_asked_and_the_split_of_the_need() -> None:
    found = planned()
    assert found.problems == ()
    assert found.settings == {
        "cpuManagerPolicy": "static",
        "memoryManagerPolicy": "Static",
        "topologyManagerPolicy": "single-numa-node",
        "kubeReserved": {"cpu": "500m", "memory": "256Mi"},
        "systemReserved": {"memory": "512Mi"},
        "reservedMemory": [
            {"numaNode": 0, "limits": {"memory": "434Mi"}},
            {"numaNode": 1, "limits": {"memory": "434Mi"}},
        ],
    }
    assert found.text("first").splitlines()[:3] == [
        "# first",
        "# reservedMemory: kube 256Mi + system 512Mi + eviction 100Mi (compiled-in default,"
        " because no evictionHard in /var/lib/kubelet/config.yaml) = 868Mi",
        "# reservedMemory: node 0: 434Mi, node 1: 434Mi",
    ]


def test_a_plan_is_the_same_beside_its_own_last_result() -> None:
    first = planned()
    again = planned(dropins=(Layer(DROPIN, {**first.settings, "maxPods": 1}),))
    assert again.text() == first.text()


@pytest.mark.parametrize(("strategy", "first"), [("proportional", 430), ("even", 434)])
def test_an_earlier_split_stays_where_a_boot_has_moved_some_memory(
    strategy: str, first: int
) -> None:
    earlier = {0: 430 << 20, 1: 438 << 20}
    sources = Sources(BASE, (), (), "kubeadm", "1.35")
    found = plan(Request(sources, DROPIN, LATENCY, strategy, earlier=earlier), MACHINE)
    assert found.shares[0] == first << 20


def test_without_the_static_policy_nothing_is_divided() -> None:
    found = planned({"topologyManagerPolicy": "best-effort"})
    assert (found.need, found.shares, found.problems) == (None, {}, ())
    assert found.explanation() == ["memoryManagerPolicy None: no split"]
    assert "reservedMemory" not in found.text()


def test_the_need_counts_what_others_reserve() -> None:
    other = Layer(
        "/etc/kubernetes/kubelet.conf.d/10-site.conf", {"systemReserved": {"memory": "1Gi"}}
    )
    asked = {"memoryManagerPolicy": "Static", "kubeReserved": {"memory": "1Gi"}}
    assert str(planned(asked, dropins=(other,)).need.total) == "2148Mi"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("dropins", "flags", "fields", "origin"),
    [
        ((), ("--topology-manager-policy=none",), ["topologyManagerPolicy"], "flag --topology"),
        (
            (
                Layer(
                    "/etc/kubernetes/kubelet.conf.d/90-site.conf",
                    {"kubeReserved": {"memory": "1Gi"}},
                ),
            ),
            (),
            ["kubeReserved.memory"],
            "90-site.conf",
        ),
    ],
    ids=["a flag", "a later drop-in"],
)
def test_what_wins_over_the_drop_in_is_named(
    dropins: tuple[Layer, ...], flags: tuple[str, ...], fields: list[str], origin: str
) -> None:
    found = problems(planned(dropins=dropins, flags=flags))
    assert [field for field, _why in found] == fields
    assert origin in found[0][1]


def test_a_list_of_cpus_beside_an_amount_is_no_conflict() -> None:
    assert planned({**LATENCY, "reservedSystemCPUs": "0"}).problems == ()


def test_what_the_kubelet_would_refuse_is_a_problem_of_the_plan() -> None:
    found = problems(planned({**LATENCY, "kubeReserved": {"memory": "256Mi"}}))
    words = "[cpumanager] unable to determine reserved CPU resources for static policy"
    assert found == [("kubeReserved.cpu", words)]


def test_a_share_that_does_not_fit_is_refused_before_anything_is_judged() -> None:
    with pytest.raises(HomenodeProblem, match="NUMA node 0"):
        planned({**LATENCY, "kubeReserved": {"cpu": "1", "memory": "4Gi"}}, strategy="even")
    assert planned(strategy={1: "868Mi"}).shares == {1: 868 << 20}


def test_a_newer_kubelet_is_refused_by_version() -> None:
    with pytest.raises(HomenodeProblem, match="is newer than"):
        planned(version="v1.40.0")


def test_state_files_of_the_last_policy_are_named() -> None:
    request = Request(
        Sources(BASE),
        DROPIN,
        LATENCY,
        checkpoints={"memory_manager_state": {"policyName": "None"}},
    )
    assert [problem.field for problem in plan(request, MACHINE).stale] == ["memory_manager_state"]


def test_what_a_kubelet_cannot_read_is_named_with_its_file() -> None:
    broken = Layer("/etc/kubernetes/kubelet.yaml", {"kubeReserved": {"memory": 1}})
    (problem,) = plan(Request(Sources(broken), DROPIN, LATENCY), MACHINE).problems
    assert (problem.source, problem.field) == (broken.name, "kubeReserved.memory")


SITE = "/etc/kubernetes/kubelet.conf.d/10-site.conf"


def test_a_key_of_another_drop_in_has_one_owner() -> None:
    other = Layer(SITE, {"topologyManagerPolicy": "best-effort", "kubeReserved": {"cpu": "500m"}})
    assert problems(planned(dropins=(other,))) == [
        (
            "topologyManagerPolicy",
            f"is also set by {SITE}, to 'best-effort': only one can own it",
        )
    ]


def test_defaults_of_a_distribution_may_be_changed() -> None:
    own = Layer(
        "/etc/kubernetes/kubelet.conf.d/00-rke2-defaults.conf", {"topologyManagerPolicy": "none"}
    )
    assert problems(planned(dropins=(own,))) == []


CGROUPS = {"kubeReservedCgroup": "/runtime", "systemReservedCgroup": "/system"}


def test_reserved_cpus_empty_the_cgroups_of_a_cloud_node() -> None:
    base = Layer("/etc/kubernetes/kubelet/config.json", CGROUPS)
    found = planned({**LATENCY, "reservedSystemCPUs": "0"}, base=base, distribution="eks-al2023")
    assert found.problems == ()
    assert found.settings["kubeReservedCgroup"] == found.settings["systemReservedCgroup"] == ""
    assert "kubeReservedCgroup /runtime is emptied" in "\n".join(found.explanation())


def test_a_cgroup_that_is_enforced_stays_and_the_kubelets_words_are_said() -> None:
    base = Layer("c", {**CGROUPS, "enforceNodeAllocatable": ["pods", "kube-reserved"]})
    found = planned({**LATENCY, "reservedSystemCPUs": "0"}, base=base)
    assert "kubeReservedCgroup" not in found.settings
    assert "can't use reservedSystemCPUs" in "\n".join(why for _field, why in problems(found))


def test_a_kubelet_of_flags_gets_whole_maps() -> None:
    found = planned(
        {**LATENCY, "evictionHard": {"memory.available": "100Mi"}},
        base=None,
        flags=("--kube-reserved=ephemeral-storage=1Gi",),
        distribution="rke2",
        version="1.31",
        form=KUBELET_ARGS,
    )
    assert found.problems == ()
    assert found.flags() == [
        "cpu-manager-policy=static",
        "eviction-hard=imagefs.available<5%,memory.available<100Mi,nodefs.available<5%",
        "kube-reserved=cpu=500m,ephemeral-storage=1Gi,memory=256Mi",
        "memory-manager-policy=Static",
        "reserved-memory=0:memory=434Mi",
        "reserved-memory=1:memory=434Mi",
        "system-reserved=memory=512Mi",
        "topology-manager-policy=single-numa-node",
    ]
    assert found.text("first").startswith("# first\n# reservedMemory: kube 256Mi")
    assert 'kubelet-arg+:\n  - "cpu-manager-policy=static"\n' in found.text()


@pytest.mark.parametrize("flag", ["topology-manager-policy=none", "reserved-memory=0:memory=1Gi"])
def test_a_flag_of_the_user_has_one_owner_too(flag: str) -> None:
    found = planned(
        base=None, flags=(flag,), distribution="rke2", version="1.31", form=KUBELET_ARGS
    )
    assert "flag --" in problems(found)[0][1]


def test_without_our_settings_their_state_files_are_in_the_way() -> None:
    ours = Layer(DROPIN, {"memoryManagerPolicy": "Static"})
    states = {"memory_manager_state": {"policyName": "Static"}, "cpu_manager_state": None}
    request = Request(Sources(BASE, (ours,)), DROPIN, {}, checkpoints=states)
    assert [problem.field for problem in stale_without(request, MACHINE)] == [
        "memory_manager_state"
    ]
