# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices that balloons want to be near to, or far from, real and made up.

Made up are the reserved and the isolated CPUs and the two kinds of cores: so one mechanism serves
all. What some type wants to be near to, every other type avoids. Out of scope: what a device path
means on a machine (whoever makes the policy resolves ``device_paths``), and loads.
"""

from __future__ import annotations

from collections.abc import Mapping

from homenode.intent.globs import glob_matches
from homenode.intent.policy_config import BalloonsConfig, BalloonType
from homenode.pinning.cpus.priority import HIGH, LOW
from homenode.pinning.cpus.topology import CpuTopology
from homenode.pinning.policy import POD_RESOURCES, Ask, Hint
from model.cpuset import NO_CPUS, CpuSet

RESERVED_CPUS, ISOLATED_CPUS = "reserved CPUs", "isolated CPUs"
EFFICIENT_CORES, PERFORMANCE_CORES = "efficient cores", "performance cores"
_CORE_KINDS = {"efficient": EFFICIENT_CORES, "performance": PERFORMANCE_CORES}

Devices = Mapping[str, tuple[CpuSet, ...]]
"""The CPUs near each device; it may have several such sets."""


def device_paths(config: BalloonsConfig) -> tuple[str, ...]:
    """The paths of *config* of which a policy wants to know which CPUs are near."""
    paths = [path for one in config.balloon_types for path in one.prefer_close_to_devices]
    return tuple(dict.fromkeys(path for path in paths if not path.startswith(POD_RESOURCES)))


def near_devices(spec: BalloonType) -> tuple[str, ...]:
    """What a type wants to be near to, the most important first."""
    kind = _CORE_KINDS.get(spec.prefer_core_type)
    return (
        *spec.prefer_close_to_devices,
        *([ISOLATED_CPUS] if spec.prefer_isol_cpus else ()),
        *([kind] if kind else ()),
    )


def far_devices(
    name: str, near: Mapping[str, tuple[str, ...]], isolated: CpuSet
) -> tuple[str, ...]:
    """What the type *name* avoids, the most important first: what others want to be *near* to.

    Devices of the kubelet's choice are avoided by nobody: which one it is, is not known before.
    """
    avoided = [ISOLATED_CPUS] if isolated else []
    avoided += [device for devices in near.values() for device in devices]
    return tuple(
        device
        for device in dict.fromkeys(avoided)
        if device not in near[name] and not device.startswith(POD_RESOURCES)
    )


def known_devices(topology: CpuTopology, reserved: CpuSet, resolved: Devices) -> Devices:
    """The CPUs near each device of a machine."""
    return {
        **resolved,
        RESERVED_CPUS: (reserved,),
        ISOLATED_CPUS: (topology.machine.isolated,),
        EFFICIENT_CORES: (topology.priorities[LOW],),
        PERFORMANCE_CORES: (topology.priorities[HIGH],),
    }


def given_devices(ask: Ask, near: tuple[str, ...], topology: CpuTopology) -> Devices:
    """The CPUs near what the kubelet gave to a container, by those of *near* that mean it.

    Such a device is POD_RESOURCES with a glob for the names of resources.
    """
    found = {}
    for device in near:
        cpus = NO_CPUS
        for hint in ask.hints if device.startswith(POD_RESOURCES) else ():
            if hint.provider.startswith(POD_RESOURCES) and glob_matches(device, hint.provider):
                cpus = cpus | _cpus_of(hint, topology)
        if cpus:
            found[device] = (cpus,)
    return found


def _cpus_of(hint: Hint, topology: CpuTopology) -> CpuSet:
    if hint.cpus:
        return hint.cpus
    found = NO_CPUS
    for numa_node in topology.machine.nodes:
        if numa_node.id in hint.nodes:
            found = found | numa_node.cpus
    for package in topology.packages if not hint.nodes else ():
        if package.id in hint.packages:
            found = found | package.cpus
    return found
