# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A kubelet's settings as the user data of a machine that does not exist yet.

Out of scope: which settings. What no kubelet would take is refused here, because a machine that
boots with it never joins, and nobody is there to read its journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.configuration import (
    Settings,
    decode_errors,
    records,
    text_map,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import version_of
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import FLAGS
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import (
    as_flags,
    as_yaml,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.module_utils.model.quantity import Quantity
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import one_of, whole_number
from ansible_collections.homenode.numa.plugins.plugin_utils.bottlerocket import toml

BOUNDARY = "homenode.numa"
CGROUPS = ("kubeReservedCgroup", "systemReservedCgroup")
CLUSTER_KEYS = ("name", "apiServerEndpoint", "certificateAuthority", "cidr")

POLICIES = {
    "cpuManagerPolicy": ("none", "static"),
    "memoryManagerPolicy": ("None", "Static"),
    "topologyManagerPolicy": ("none", "best-effort", "restricted", "single-numa-node"),
    "topologyManagerScope": ("container", "pod"),
}
"""What a kubelet on Linux knows, capital letters included."""

WHOLE_MAPS = {
    "kubeReserved": (
        "memory",
        "a flag replaces the whole map that the image wrote, so the memory in it is lost: with "
        "--kube-reserved=cpu=1 and --reserved-memory=0:memory=8462Mi a kubelet says that the total "
        'amount "8462Mi" is not equal to the value "100Mi"',
        "leave kubeReserved out, because the image reserves CPU and memory already, or give the "
        "whole map, see the filter eks_kube_reserved",
    ),
    "evictionHard": (
        "memory.available",
        "a flag replaces the whole map that the image wrote, so its 100Mi of memory are lost",
        "leave evictionHard out, or give memory.available too",
    ),
}
"""Maps of the AL2 image by the key that must not get lost, with why and a remedy."""


def user_data(
    settings: Settings, distribution: str, version: str, cluster: Mapping[str, str], mime: bool
) -> str:
    """The text for *distribution*. Raises HomenodeProblem naming a setting that cannot be."""
    settings = checked(settings)
    if distribution == "bottlerocket":
        return toml(settings, version_of(version), cluster)
    if distribution == "eks-al2":
        return _bootstrap_arguments(settings)
    text = _node_config(settings, cluster)
    return _in_mime(text) if mime else text


def checked(settings: Settings) -> Settings:
    """*settings* without those left open. Raises HomenodeProblem for what no kubelet decodes."""
    given = {
        key: value
        for key, value in settings.items()
        if value is not None and key not in ("apiVersion", "kind")
    }
    for problem in decode_errors(given, "settings"):
        raise HomenodeProblem(problem.field, problem.value, problem.why, problem.remedy)
    for key, known in POLICIES.items():
        if key in given:
            one_of(key, given[key], known)
    if given.get("memoryManagerPolicy") == "Static" and not given.get("reservedMemory"):
        raise HomenodeProblem(
            "memoryManagerPolicy",
            "Static",
            "comes without reservedMemory, so a kubelet stops at a total amount of 0, and "
            "Bottlerocket leaves the policy out",
            "give reservedMemory too, see the filter kubelet_reserved_memory",
        )
    seen = set()
    for entry in records(given, "reservedMemory"):
        numa_node, limits = entry.get("numaNode", 0), entry.get("limits")
        if isinstance(numa_node, bool) or not isinstance(numa_node, int) or numa_node < 0:
            raise HomenodeProblem(
                "reservedMemory", numa_node, "is no NUMA node", "write numaNode: 0"
            )
        if numa_node in seen:
            why = "has two entries in reservedMemory"
            raise HomenodeProblem("NUMA node", numa_node, why, "add them up")
        seen.add(numa_node)
        _check_limits(numa_node, limits)
    return given


def _check_limits(numa_node: int, limits: object) -> None:
    field = f"reservedMemory of NUMA node {numa_node}"
    if not isinstance(limits, Mapping) or not limits:
        raise HomenodeProblem(field, limits, "has no limits", 'write limits: {memory: "1Gi"}')
    for kind, size in limits.items():
        if kind != "memory":
            raise HomenodeProblem(
                f"{field}.{kind}",
                size,
                "cannot be reserved: a kubelet wants the sum of each kind to be what kubeReserved "
                "and systemReserved hold of it, and these take no huge pages",
                "leave it out; preallocated huge pages are subtracted without it",
            )
        if Quantity.parse(str(size), field=field).nanos <= 0:
            raise HomenodeProblem(field, size, "is not above zero", "leave the node out")


def _node_config(settings: Settings, cluster: Mapping[str, str]) -> str:
    """A NodeConfig of nodeadm; reserved CPUs empty the cgroups that nodeadm sets by itself."""
    config = dict(settings)
    if config.get("reservedSystemCPUs"):
        for key in CGROUPS:
            if config.setdefault(key, ""):
                raise HomenodeProblem(
                    key, config[key], "excludes reservedSystemCPUs", f'leave {key} out or write ""'
                )
    lines = ["---", "apiVersion: node.eks.aws/v1alpha1", "kind: NodeConfig", "spec:"]
    if cluster:
        lines += ["  cluster:", indent(_settings_as_yaml(cluster), " " * 4)]
    lines += ["  kubelet:", "    config:", indent(_settings_as_yaml(config), " " * 6)]
    return "\n".join(lines) + "\n"


def _settings_as_yaml(settings: Settings) -> str:
    """Without the two lines that tell a file of the kubelet's own."""
    return "\n".join(as_yaml(settings).splitlines()[2:]) or "{}"


def _in_mime(node_config: str) -> str:
    return (
        f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{BOUNDARY}"\n\n'
        f"--{BOUNDARY}\nContent-Type: application/node.eks.aws\n\n{node_config}\n--{BOUNDARY}--\n"
    )


def _bootstrap_arguments(settings: Settings) -> str:
    """The options of ``/etc/eks/bootstrap.sh`` that carry flags, in single quotes.

    The script computes ``--max-pods`` itself unless it is told not to.
    """
    flagged = dict(settings)
    max_pods = flagged.pop("maxPods", None)
    if flagged.get("reservedSystemCPUs"):  # then the script leaves the cgroups out
        flagged = {key: value for key, value in flagged.items() if key not in CGROUPS or value}
    _refuse_as_flags(flagged)
    flags = [f"--{flag}" for flag in as_flags(flagged)]
    if max_pods is not None:
        flags.append(f"--max-pods={whole_number('maxPods', max_pods)}")
    for flag in flags:
        if set(flag) & set("' \t\n\"\\$`"):
            why = "does not survive the quotes of a shell and of systemd"
            raise HomenodeProblem("--kubelet-extra-args", flag, why, "write it without them")
    own = "" if max_pods is None else "--use-max-pods false "
    return f"{own}--kubelet-extra-args '{' '.join(flags)}'\n"


def _refuse_as_flags(settings: Settings) -> None:
    with_flags = {key for key, _read in FLAGS.values()}
    for key, value in settings.items():
        if key not in with_flags:
            why = "is not among the settings that are known to have a flag, and AL2 takes flags"
            raise HomenodeProblem(
                key, value, why, "leave it out, or write it into the image's file"
            )
        if key in WHOLE_MAPS:
            name, why, remedy = WHOLE_MAPS[key]
            if name not in text_map(settings, key):
                raise HomenodeProblem(key, value, why, remedy)
