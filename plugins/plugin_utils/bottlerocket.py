# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A kubelet's settings in Bottlerocket's words: TOML under ``settings.kubernetes``.

Bottlerocket writes the kubelet's file itself, from settings that it knows; what it does not know
would stop its boot or be left out silently, so it is refused here. Source: the templates
``packages/kubernetes-*/kubelet-config`` of bottlerocket-core-kit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.configuration import (
    Settings,
    records,
    text_map,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import Version
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import FALSE, TRUE
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

SCALARS = {
    "cpuManagerPolicy": ("cpu-manager-policy", str),
    "cpuManagerReconcilePeriod": ("cpu-manager-reconcile-period", str),
    "evictionMaxPodGracePeriod": ("eviction-max-pod-grace-period", int),
    "maxPods": ("max-pods", int),
    "memoryManagerPolicy": ("memory-manager-policy", str),
    "podPidsLimit": ("pod-pids-limit", int),
    "reservedSystemCPUs": ("reserved-cpus", str),
    "singleProcessOOMKill": ("single-process-oom-kill", bool),
    "topologyManagerPolicy": ("topology-manager-policy", str),
    "topologyManagerScope": ("topology-manager-scope", str),
}
"""Keys of a KubeletConfiguration, Bottlerocket's names, and the type of the value."""

MAPS = {
    "evictionHard": "eviction-hard",
    "evictionSoft": "eviction-soft",
    "evictionSoftGracePeriod": "eviction-soft-grace-period",
    "kubeReserved": "kube-reserved",
    "systemReserved": "system-reserved",
}
RESERVABLE = ("cpu", "memory", "ephemeral-storage")

CPU_OPTIONS_SINCE: dict[str, Version] = {
    "full-pcpus-only": (1, 28),
    "strict-cpu-reservation": (1, 32),
    "distribute-cpus-across-numa": (1, 33),
    "prefer-align-cpus-by-uncorecache": (1, 34),
}
SETTINGS_SINCE: dict[str, Version] = {"singleProcessOOMKill": (1, 32)}

CLUSTER = {
    "name": "cluster-name",
    "apiServerEndpoint": "api-server",
    "certificateAuthority": "cluster-certificate",
}
"""How nodeadm calls what identifies a cluster, and how Bottlerocket does."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)


def toml(settings: Settings, version: Version, cluster: Mapping[str, str]) -> str:
    """User data with *settings*. Raises HomenodeProblem for what this Bottlerocket has no word for.

    The cgroups of reservations may be "" beside reserved CPUs: Bottlerocket drops them itself then.
    """
    head: dict[str, object] = {
        CLUSTER[key]: value for key, value in cluster.items() if key in CLUSTER
    }
    tables: dict[str, Mapping[str, object]] = {}
    for key, value in settings.items():
        since = SETTINGS_SINCE.get(key)
        if since and version < since:
            raise _unknown(key, value, f"is not there before Kubernetes {_words(since)}")
        if key in SCALARS:
            head.update(_scalar(key, value, settings))
        elif key in MAPS:
            tables[MAPS[key]] = _map(key, settings)
        elif key == "cpuManagerPolicyOptions":
            head["cpu-manager-policy-options"] = _options(settings, version)
        elif key == "reservedMemory":
            tables.update(_reserved_memory(settings))
        elif key == "memorySwap":
            head["memory-swap-behavior"] = _swap_behavior(value)
        elif not _drops_itself(key, settings):
            raise _unknown(key, value, "has no setting in Bottlerocket")
    parts = [_table("settings.kubernetes", head)]
    parts += [_table(f"settings.kubernetes.{name}", tables[name]) for name in sorted(tables)]
    return "\n".join(parts)


def _scalar(key: str, value: object, settings: Settings) -> dict[str, object]:
    name, kind = SCALARS[key]
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise HomenodeProblem(
            key, value, f"is no {kind.__name__}", f"write {key} as a KubeletConfiguration has it"
        )
    if key == "memoryManagerPolicy" and not settings.get("reservedMemory"):
        return {}  # it is None, and would be left out
    return {name: value}


def _map(key: str, settings: Settings) -> Mapping[str, object]:
    values = text_map(settings, key)
    for name in values if key.endswith("Reserved") else ():
        if name not in RESERVABLE:
            raise _unknown(f"{key}.{name}", values[name], "cannot be reserved on Bottlerocket")
    return values


def _options(settings: Settings, version: Version) -> list[str]:
    """Bottlerocket lists the options that are on; off is their default."""
    chosen = []
    for name, value in sorted(text_map(settings, "cpuManagerPolicyOptions").items()):
        since = CPU_OPTIONS_SINCE.get(name)
        if since is None or version < since:
            why = f"is not there before Kubernetes {_words(since)}" if since else "is not known"
            raise _unknown(f"cpuManagerPolicyOptions.{name}", value, f"{why} on Bottlerocket")
        if value not in TRUE + FALSE:
            raise _unknown(f"cpuManagerPolicyOptions.{name}", value, "is neither true nor false")
        if value in TRUE:
            chosen.append(name)
    return chosen


def _reserved_memory(settings: Settings) -> dict[str, Mapping[str, object]]:
    tables: dict[str, Mapping[str, object]] = {}
    for entry in records(settings, "reservedMemory"):
        limits = entry["limits"]
        if isinstance(limits, Mapping):  # user_data.checked has seen that it is
            name = f"memory-manager-reserved-memory.{entry.get('numaNode', 0)}"
            tables[name] = {"enabled": True, "memory": str(limits["memory"])}
    return tables


def _swap_behavior(value: object) -> object:
    if isinstance(value, Mapping) and list(value) == ["swapBehavior"]:
        return str(value["swapBehavior"])
    raise HomenodeProblem(
        "memorySwap", value, "is not as expected", 'write {"swapBehavior": "LimitedSwap"}'
    )


def _drops_itself(key: str, settings: Settings) -> bool:
    cgroup = key in ("kubeReservedCgroup", "systemReservedCgroup")
    return cgroup and settings[key] == "" and bool(settings.get("reservedSystemCPUs"))


def _unknown(key: str, value: object, why: str) -> HomenodeProblem:
    return HomenodeProblem(
        key, value, why, "leave it out, or set what this release has for it in a part of your own"
    )


def _words(version: Version) -> str:
    return ".".join(map(str, version))


def _table(name: str, values: Mapping[str, object]) -> str:
    lines = [f"{_key(key)} = {_value(values[key])}" for key in sorted(values)]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def _key(key: str) -> str:
    return key if _BARE_KEY.match(key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return '"' + "".join(map(_escaped, value)) + '"' if isinstance(value, str) else str(value)


def _escaped(character: str) -> str:
    if " " <= character <= "~":
        return "\\" + character if character in '"\\' else character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
