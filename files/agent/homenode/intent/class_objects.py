# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Classes of CPUs and of schedulers as policy objects define them.

Sources: pinning.md §2.11 and §3.9; nri-plugins ``pkg/apis/config/v1alpha1/resmgr/policy`` for
spellings and for what is refused. Out of scope: whether a name that is used is defined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from model.fields import Fields

from .object_tables import MAX_ENTRIES, Table, boolean, one_of, read_object, text, texts, whole
from .policy_config import CpuClass, SchedulingClass

SYMBOLIC = ("min", "base", "turbo")
HIGH, LOW = "high", "low"
FLAGS = (
    "reset-on-fork",
    "reclaim",
    "dl-overrun",
    "keep-policy",
    "keep-params",
    "util-clamp-min",
    "util-clamp-max",
)
MAX_UINT64 = (1 << 64) - 1
MAX_PRIORITY = 99
MAX_CLOS = 15

_FREQUENCY = re.compile(r"([0-9]{0,12}\.?[0-9]{1,12})[ \t]*(ghz|g|mhz|m|khz|k|)\Z", re.ASCII)
_KHZ = {"g": 10**6, "m": 10**3, "k": 1, "": 1}


def frequency(fields: Fields, key: str) -> str:
    """A frequency as whole kHz, or one of the words of SYMBOLIC; "" where nothing is said."""
    said = text(fields, key).strip().lower()
    if said in ("", *SYMBOLIC):
        return said
    found = _FREQUENCY.match(said)
    if found is None:
        remedy = "write a number with GHz, MHz or kHz, or one of: " + ", ".join(SYMBOLIC)
        raise fields.wrong(key, f'invalid frequency "{said}"', remedy)
    khz = round(Decimal(found[1]) * _KHZ[found[2][:1]])
    return str(khz) if khz else ""


_CPU_CLASS: Table = {
    "name": ("name", text),
    "minFreq": ("min_freq", frequency),
    "maxFreq": ("max_freq", frequency),
    "energyPerformancePreference": ("energy_performance_preference", whole(0)),
    "uncoreMinFreq": ("uncore_min_freq", frequency),
    "uncoreMaxFreq": ("uncore_max_freq", frequency),
    "freqGovernor": ("freq_governor", text),
    "disabledCstates": ("disabled_cstates", texts),
    "turboPriority": ("turbo_priority", whole(0)),
    "pctPriority": ("pct_priority", one_of("", HIGH, LOW)),
    "sstClosID": ("sst_clos_id", whole(0, MAX_CLOS)),
    "pctMinFreq": ("pct_min_freq", frequency),
    "pctMaxFreq": ("pct_max_freq", frequency),
    "publishExtendedResource": ("publish_extended_resource", boolean),
}


def _flags(fields: Fields, key: str) -> tuple[str, ...]:
    flags = texts(fields, key)
    for flag in flags:
        if flag not in FLAGS:
            raise fields.wrong(key, f"unknown scheduling flag '{flag}'", "use " + ", ".join(FLAGS))
    return flags


_SCHEDULING_CLASS: Table = {
    "name": ("name", text),
    "policy": ("policy", one_of("none", "other", "fifo", "rr", "batch", "iso", "idle", "deadline")),
    "priority": ("priority", whole(0, MAX_PRIORITY)),
    "flags": ("flags", _flags),
    "nice": ("nice", whole(-20, 19)),
    "runtime": ("runtime", whole(0, MAX_UINT64)),
    "deadline": ("deadline", whole(0, MAX_UINT64)),
    "period": ("period", whole(0, MAX_UINT64)),
    "ioClass": ("io_class", one_of("", "none", "rt", "be", "idle")),
    "ioPriority": ("io_priority", whole(0, 7)),
}


def scheduling_classes(fields: Fields, key: str) -> tuple[SchedulingClass, ...]:
    """Every entry; one without a name is in nobody's way."""
    return tuple(
        SchedulingClass(**{"name": "", **read_object(entry, _SCHEDULING_CLASS)})
        for entry in fields.sections(key, most=MAX_ENTRIES)
    )


def cpu_classes(fields: Fields, key: str) -> tuple[CpuClass, ...]:
    """Every entry, consistent in itself and with the others."""
    found: list[CpuClass] = []
    for entry in fields.sections(key, most=MAX_ENTRIES):
        one = CpuClass(**{"name": "", **read_object(entry, _CPU_CLASS)})
        if not one.name:
            raise entry.wrong("name", "missing or empty name in a cpuClasses entry", "give it one")
        if one.name in (other.name for other in found):
            raise entry.wrong("name", f'duplicate cpuClasses name: "{one.name}"', "rename it")
        _check_pct(one, entry)
        found.append(one)
    _check_pct_modes(found, fields, key)
    return tuple(found)


def cpu_classes_by_name(fields: Fields, key: str) -> tuple[CpuClass, ...]:
    """The deprecated form: a mapping by name, in the order of the names."""
    section = fields.section(key)
    if section is None:
        return ()
    return tuple(
        CpuClass(**{**read_object(entry, _CPU_CLASS), "name": name})
        for name in sorted(section.names())
        for entry in (section.section(name),)
        if entry is not None
    )


def _check_pct(one: CpuClass, entry: Fields) -> None:
    """Priority core turbo: which of the keys go together."""
    who = f'cpuClass "{one.name}"'
    if one.pct_priority and one.sst_clos_id is not None:
        why = f"{who}: pctPriority and sstClosID are mutually exclusive"
        raise entry.wrong("sstClosID", why, "keep one of the two")
    if (one.pct_min_freq or one.pct_max_freq) and not one.pct_priority:
        why = f"{who}: pctMinFreq/pctMaxFreq require pctPriority (managed mode)"
        raise entry.wrong("pctPriority", why, "set pctPriority, or take the frequencies away")
    is_pct = one.pct_priority or one.sst_clos_id is not None
    if one.publish_extended_resource and not is_pct:
        why = f"{who}: publishExtendedResource requires the cpuClass to be a PCT class"
        raise entry.wrong("publishExtendedResource", why, "set pctPriority or sstClosID")


def _check_pct_modes(classes: Sequence[CpuClass], fields: Fields, key: str) -> None:
    managed = [one for one in classes if one.pct_priority]
    if managed and any(one.sst_clos_id is not None for one in classes):
        why = (
            "mixing managed (pctPriority) and assoc-only (sstClosID) PCT cpuClasses is not allowed"
        )
        raise fields.wrong(key, why, "use one of the two in all classes")
    for priority in (HIGH, LOW):
        names = [one.name for one in managed if one.pct_priority == priority]
        if len(names) > 1:
            why = (
                f"at most one managed PCT cpuClass with pctPriority={priority} allowed,"
                f" got {len(names)}: {names}"
            )
            raise fields.wrong(key, why, "keep one of them")
