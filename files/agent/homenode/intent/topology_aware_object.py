# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spec of ``TopologyAwarePolicy``, key by key (pinning.md §2.1)."""

from __future__ import annotations

from model.fields import Fields
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED

from .common_object import COMMON
from .object_tables import Table, boolean, one_of, pairs, text
from .tenant import PRIORITIES

QOS_CLASSES = (BEST_EFFORT, BURSTABLE, GUARANTEED)
BURSTABLE_LEVELS = ("system", "package", "die", "numa", "l3cache")


def _by_qos_class(fields: Fields, key: str) -> tuple[tuple[str, str], ...]:
    known = {name.lower(): name for name in QOS_CLASSES}
    found = pairs(fields, key)
    for name, scheduling in found:
        if name.lower() not in known:
            why = f'invalid QoS class "{name}" (with scheduling "{scheduling}")'
            raise fields.wrong(key, why, "use one of: " + ", ".join(QOS_CLASSES))
    return tuple((known[name.lower()], scheduling) for name, scheduling in found)


TOPOLOGY_AWARE: Table = {
    **COMMON,
    "preferIsolatedCPUs": ("prefer_isolated_cpus", boolean),
    "preferSharedCPUs": ("prefer_shared_cpus", boolean),
    "colocatePods": ("colocate_pods", boolean),
    "colocateNamespaces": ("colocate_namespaces", boolean),
    "defaultCPUPriority": ("default_cpu_priority", one_of(*PRIORITIES)),
    "unlimitedBurstable": ("unlimited_burstable", one_of(*BURSTABLE_LEVELS)),
    "namespaceSchedulingClasses": ("namespace_scheduling_classes", pairs),
    "podQoSSchedulingClasses": ("qos_scheduling_classes", _by_qos_class),
    "sharedPoolCPUClass": ("shared_cpu_class", text),
    "reservedPoolCPUClass": ("reserved_cpu_class", text),
    "defaultExclusiveCPUClass": ("default_exclusive_cpu_class", text),
}
