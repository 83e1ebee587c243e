# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which distribution a node has, by what is on it."""

from __future__ import annotations

import pytest

from model.kubelet.defaults import DISTRIBUTIONS
from model.kubelet.distributions import SIGNS, TABLE, UNITS, Signs, found, unit_of
from model.problem import HomenodeProblem

KUBELET = frozenset({"kubelet"})
RKE2 = frozenset({"rke2-server", "rke2-agent"})
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
KUBESPRAY = "/etc/kubernetes/kubelet.env"
BOOTSTRAP = "/etc/eks/bootstrap.sh"
NODEADM = "/usr/bin/nodeadm"


def signs(units: frozenset[str], *files: str, running: str = "") -> Signs:
    return Signs(units=units, enabled=units, running=running, files=frozenset(files))


FOUND = {
    "kubeadm": (signs(KUBELET, FLAGS), "kubeadm", "kubelet"),
    "kubespray uses kubeadm": (signs(KUBELET, FLAGS, KUBESPRAY), "kubespray", "kubelet"),
    "kubespray before kubeadm ran": (signs(KUBELET, KUBESPRAY), "kubespray", "kubelet"),
    "AL2": (signs(KUBELET, BOOTSTRAP), "eks-al2", "kubelet"),
    "AL2023 has a bootstrap.sh too": (signs(KUBELET, NODEADM, BOOTSTRAP), "eks-al2023", "kubelet"),
    "plain": (signs(KUBELET), "upstream", "kubelet"),
    "k3s": (signs(frozenset({"k3s"})), "k3s", "k3s"),
    "a k3s agent": (signs(frozenset({"k3s-agent"})), "k3s", "k3s-agent"),
    "both of RKE2, one runs": (signs(RKE2, running="rke2-agent"), "rke2", "rke2-agent"),
    "both of RKE2, one is enabled": (Signs(RKE2, frozenset({"rke2-agent"})), "rke2", "rke2-agent"),
    "both of RKE2, none is enabled": (Signs(RKE2), "rke2", "rke2-server"),
    "the rest of kubeadm beside RKE2": (
        Signs(RKE2 | KUBELET, frozenset({"rke2-server"}), files=frozenset({FLAGS})),
        "rke2",
        "rke2-server",
    ),
    "a k3s of another name": (
        Signs(process="k3s-agent", running="k3s-blue"),
        "k3s",
        "k3s-blue",
    ),
    "a kubelet in another service": (
        Signs(KUBELET, process="kubelet", running="site-kubelet"),
        "upstream",
        "site-kubelet",
    ),
    "a kubelet outside of services": (Signs(process="kubelet"), "upstream", ""),
    "what runs counts": (signs(RKE2 | KUBELET, FLAGS, running="kubelet"), "kubeadm", "kubelet"),
}

REFUSED = {
    "nothing": (Signs(), r"no kubelet runs, and there is none of rke2-server.service, .*kubelet"),
    "files alone": (Signs(files=frozenset({FLAGS})), r"kubeadm-flags.env is there"),
    "two services": (signs(RKE2 | KUBELET), "kubelet and rke2-agent and rke2-server are enabled"),
    "RKE2 and k3s": (Signs(RKE2 | {"k3s"}), "k3s and rke2-agent and rke2-server are installed"),
    "two on one service": (signs(KUBELET, NODEADM, KUBESPRAY), "may be eks-al2023 and kubespray"),
    "Bottlerocket": (Signs(KUBELET, os="bottlerocket"), "render user data"),
}


@pytest.mark.parametrize(("seen", "name", "unit"), FOUND.values(), ids=FOUND.keys())
def test_a_distribution_is_known(seen: Signs, name: str, unit: str) -> None:
    finding = found(seen)
    assert (finding.distribution, finding.unit) == (name, unit)
    assert unit in finding.why


@pytest.mark.parametrize(("seen", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_distribution_that_cannot_be_told_is_refused(seen: Signs, words: str) -> None:
    with pytest.raises(HomenodeProblem, match=words) as caught:
        found(seen)
    assert caught.value.problem.field == "distribution"
    assert caught.value.problem.remedy


def test_the_table_has_every_distribution() -> None:
    assert set(TABLE) == set(DISTRIBUTIONS)
    assert all(each.root_dir == "/var/lib/kubelet" for each in TABLE.values())
    assert set(UNITS) == KUBELET | RKE2 | {"k3s", "k3s-agent"}
    assert FLAGS in SIGNS


@pytest.mark.parametrize(
    ("name", "seen", "unit"),
    [
        ("kubeadm", Signs(), "kubelet"),
        ("rke2", Signs(), "rke2-server"),
        ("rke2", Signs(units=frozenset({"rke2-agent"})), "rke2-agent"),
        ("k3s", signs(RKE2, running="rke2-server"), "k3s"),
        ("k3s", Signs(process="k3s-server", running="k3s-blue"), "k3s-blue"),
        ("bottlerocket", Signs(), ""),
    ],
)
def test_the_unit_of_a_distribution_that_was_named(name: str, seen: Signs, unit: str) -> None:
    assert unit_of(name, seen) == unit
