# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a node of each distribution looks like, and which one a node is.

Sources: kubernetes/release ``kubeadm/10-kubeadm.conf``, kubespray ``roles/kubernetes/node``, RKE2
``bundle/lib/systemd``, k3s ``install.sh``, amazon-eks-ami ``templates/al2/runtime`` (before its
removal) and ``templates/al2023``. Out of scope: looking at the node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ..problem import HomenodeProblem

KUBELET = "kubelet"
DROPINS = "/etc/kubernetes/kubelet.conf.d"
RANCHERS = ("rke2", "k3s")
OS_RELEASE = "/etc/os-release"


@dataclass(frozen=True)
class Distribution:
    """Where things are where the kubelet's own flags do not tell.

    *units* run the kubelet; only one of them does on a node. *base* is the file behind
    ``--config``; RKE2 and k3s have none. *dropin_dir* of those is below their data folder.
    *signs* are files that only this distribution leaves.
    """

    name: str
    units: tuple[str, ...] = (KUBELET,)
    base: Optional[str] = "/var/lib/kubelet/config.yaml"
    dropin_dir: str = DROPINS
    environment_files: tuple[str, ...] = ()
    root_dir: str = "/var/lib/kubelet"
    data_dir: str = ""
    config: str = ""
    signs: tuple[str, ...] = ()


_KUBEADM_FILES = (
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/default/kubelet",
    "/etc/sysconfig/kubelet",
)


def _rancher(name: str, *units: str) -> Distribution:
    data = f"/var/lib/rancher/{name}"
    return Distribution(
        name,
        units=units,
        base=None,
        dropin_dir=f"{data}/agent/etc/kubelet.conf.d",
        data_dir=data,
        config=f"/etc/rancher/{name}/config.yaml",
    )


TABLE: dict[str, Distribution] = {
    each.name: each
    for each in (
        _rancher("rke2", "rke2-server", "rke2-agent"),
        _rancher("k3s", "k3s", "k3s-agent"),
        Distribution(
            "eks-al2023",
            base="/etc/kubernetes/kubelet/config.json",
            dropin_dir="/etc/kubernetes/kubelet/config.json.d",
            environment_files=("/etc/eks/kubelet/environment",),
            signs=("/usr/bin/nodeadm", "/usr/local/bin/nodeadm", "/etc/eks/kubelet/environment"),
        ),
        Distribution(
            "eks-al2",
            base="/etc/kubernetes/kubelet/kubelet-config.json",
            signs=("/etc/eks/bootstrap.sh",),
        ),
        Distribution(
            "kubespray",
            base="/etc/kubernetes/kubelet-config.yaml",
            environment_files=("/etc/kubernetes/kubelet.env",),
            signs=("/etc/kubernetes/kubelet.env",),
        ),
        Distribution(
            "kubeadm",
            environment_files=_KUBEADM_FILES,
            signs=(
                "/var/lib/kubelet/kubeadm-flags.env",
                "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
                "/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
                "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
            ),
        ),
        Distribution("upstream", environment_files=_KUBEADM_FILES[1:]),
        Distribution("bottlerocket", units=(), base=None),
    )
}
_BRINGS = {"kubespray": ("kubeadm",), "eks-al2023": ("eks-al2",)}
"""Whose files are on a node of which distribution too: that one uses kubeadm, that image has a
bootstrap.sh that only says that it is gone."""

UNITS = tuple(dict.fromkeys(unit for each in TABLE.values() for unit in each.units))
SIGNS = tuple(dict.fromkeys(path for each in TABLE.values() for path in each.signs))


@dataclass(frozen=True)
class Signs:
    """What was seen on a node: *units* that exist, those that are *enabled*, the name of the
    *process* that is a kubelet or has one inside ("" for none) and in which unit it is *running*
    ("" for none), *files* of SIGNS that exist, and the *os* as ``ID`` of os-release.
    """

    units: frozenset[str] = field(default_factory=frozenset)
    enabled: frozenset[str] = field(default_factory=frozenset)
    process: str = ""
    running: str = ""
    files: frozenset[str] = field(default_factory=frozenset)
    os: str = ""


@dataclass(frozen=True)
class Finding:
    """A distribution, by what it was known, and the unit that runs its kubelet."""

    distribution: str
    why: str
    unit: str


def found(signs: Signs) -> Finding:
    """Which distribution a node has. Raises HomenodeProblem where none fits, or two do."""
    if signs.os == "bottlerocket":
        refuse_bottlerocket(OS_RELEASE)
    if signs.process and signs.running not in UNITS:
        where = f"{signs.running}.service" if signs.running else "no service that could be told"
        name = "k3s" if signs.process.startswith("k3s") else "upstream"
        if signs.running or not signs.units.intersection(UNITS):
            return Finding(name, f"the kubelet runs in {where}", signs.running)
    unit, why = _unit(signs)
    left = {
        each.name: path
        for each in TABLE.values()
        for path in reversed(each.signs)
        if unit in each.units and path in signs.files
    }
    fitting = set(left).difference(*(_BRINGS.get(name, ()) for name in left))
    if len(fitting) > 1:
        names = " and ".join(sorted(fitting))
        seen = " and ".join(left[name] for name in sorted(fitting))
        raise _unknown(f"may be {names}: {seen} are there")
    for name in fitting:
        return Finding(name, f"{why}, and {left[name]} is there", unit)
    name = next(each.name for each in TABLE.values() if unit in each.units and not each.signs)
    none = ", and no distribution left its files" if name == "upstream" else ""
    return Finding(name, f"{why}{none}", unit)


def refuse_bottlerocket(source: str) -> None:
    """Raise HomenodeProblem: there is nothing to be read or written on such a node."""
    raise HomenodeProblem(
        "distribution",
        "bottlerocket",
        "has no files that a play could read or write",
        "render user data with the filter homenode.numa.kubelet_user_data",
        source=source,
    )


def unit_of(distribution: str, signs: Signs) -> str:
    """The unit that runs the kubelet of a *distribution* that was named: seen, else its first."""
    units = TABLE[distribution].units
    if signs.running and signs.running not in UNITS:
        return signs.running
    for seen in ({signs.running}, signs.enabled, signs.units):
        fitting = [unit for unit in units if unit in seen]
        if fitting:
            return fitting[0]
    return units[0] if units else ""


def _unit(signs: Signs) -> tuple[str, str]:
    """The unit, and why it is that one: it runs, or is the only one enabled, or the only one."""
    known = set(UNITS)
    if signs.running in known:
        return signs.running, f"the kubelet runs in {signs.running}.service"
    for seen, word in ((signs.enabled, "enabled"), (signs.units, "installed")):
        fitting = sorted(known & seen)
        if len(fitting) == 1:
            return fitting[0], f"{fitting[0]}.service is {word}"
        if fitting and not _same(fitting):
            break
        if fitting and word == "installed":
            return fitting[-1], f"{' and '.join(fitting)} are installed, none is enabled"
    else:
        _none(signs)
    raise _unknown(f"cannot be told: {' and '.join(fitting)} are {word}, and no kubelet runs")


def _same(units: list[str]) -> bool:
    """Whether all *units* are of one distribution, so that it can be told, if not the unit."""
    return any(set(units) <= set(each.units) for each in TABLE.values())


def _none(signs: Signs) -> None:
    seen = f"; but {', '.join(sorted(signs.files))} is there" if signs.files else ""
    looked = ", ".join(f"{unit}.service" for unit in UNITS)
    raise _unknown(f"cannot be told: no kubelet runs, and there is none of {looked}{seen}")


def _unknown(why: str) -> HomenodeProblem:
    remedy = "name the distribution, or look at what is installed there"
    return HomenodeProblem("distribution", "auto", why, remedy)
