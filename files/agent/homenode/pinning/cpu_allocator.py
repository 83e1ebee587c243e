# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs of a free set: whole cores first, so that two pods seldom share a core.

Out of scope: core kinds, caches and priorities, which come with the full allocator.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.cpuset import NO_CPUS, CpuSet


def pick(free: CpuSet, cores: Sequence[CpuSet], count: int) -> CpuSet:
    """*count* CPUs out of *free*; fewer where it holds fewer.

    Whole free cores in ascending order, then what is left over from partly used cores, then part
    of another core. The machine's first core comes last: boot and housekeeping work sit there.
    """
    first = cores[0] if cores else NO_CPUS
    ordered = [core for core in cores if core != first] + [first]
    whole = [core for core in ordered if core and core <= free]
    parts = [core & free for core in ordered if core & free and not core <= free]
    chosen = NO_CPUS
    for core in whole:
        if len(core) <= count - len(chosen):
            chosen = chosen | core
    for part in sorted(parts, key=len):
        chosen = chosen | part.lowest(count - len(chosen))
    for core in whole:
        chosen = chosen | (core - chosen).lowest(count - len(chosen))
    return chosen | (free - chosen).lowest(count - len(chosen))
