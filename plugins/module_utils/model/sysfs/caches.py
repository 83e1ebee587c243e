# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Data and unified caches from level 2 up, from ``/sys/devices/system/cpu/cpu*/cache``.

Who shares a cache is what ``shared_cpu_list`` says, never the id: QEMU 7.2 and some firmware give
one cache's CPUs several ids, and two caches the same one.

To read little, CPUs of one kind under one last-level cache are taken to have their caches in the
same ``index`` folders, and caches of a level to be of one size there; all CPUs that we know of do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..cpuset import CpuSet
from ..files import Files
from ..machine import Cache
from .sharing import CPUS, groups
from .values import read_ids, read_number, read_size

Levels = dict[int, str]
"""The ``index`` folder of each cache level of one CPU."""


def read_caches(
    files: Files, online: CpuSet, kinds: tuple[CpuSet, CpuSet]
) -> tuple[tuple[Cache, ...], tuple[Cache, ...]]:
    """All caches from level 2 up, by level and lowest CPU; and those nearest to memory.

    *kinds* are the performance and the efficiency CPUs. No caches where the kernel tells of none
    (some virtual and arm64 machines).
    """
    found = _last_level_caches(files, online)
    last = tuple(cache for cache, _folders in found)
    caches = [cache for cache in last if cache.level > 1]
    for cache, folders in found:
        first = next(iter(cache.cpus))
        for cpus in _alike(cache.cpus, kinds):
            lowest = next(iter(cpus))
            levels = folders if lowest == first else _levels(files, f"{CPUS}/cpu{lowest}/cache")
            for level, name in levels.items():
                if 1 < level < cache.level:
                    caches += _caches(files, cpus, level, name)
    return _numbered(caches), last


def _last_level_caches(files: Files, online: CpuSet) -> list[tuple[Cache, Levels]]:
    """Each with the levels of its lowest CPU."""
    seen: dict[int, Levels] = {}

    def sharing(cpu: int) -> tuple[str, Optional[CpuSet]]:
        levels = _levels(files, f"{CPUS}/cpu{cpu}/cache")
        if not levels:
            return "", None
        seen[cpu] = levels
        path = f"{CPUS}/cpu{cpu}/cache/{levels[max(levels)]}/shared_cpu_list"
        return path, read_ids(files, path, CpuSet)

    found: list[tuple[Cache, Levels]] = []
    for cpu, cpus in list(groups(online, sharing)):
        if cpu in seen:
            level, name = max(seen[cpu].items())
            size = read_size(files, f"{CPUS}/cpu{cpu}/cache/{name}/size") or 0
            found.append((Cache(len(found), cpus, size, level), seen[cpu]))
    return found


def _levels(files: Files, folder: str) -> Levels:
    """The levels of one CPU's caches, instruction caches apart."""
    found = {}
    for name in files.list(folder):
        level = read_number(files, f"{folder}/{name}/level")
        kind = files.read(f"{folder}/{name}/type")
        if level is not None and (kind or "").strip() != "Instruction":
            found[level] = name
    return found


def _alike(cpus: CpuSet, kinds: tuple[CpuSet, CpuSet]) -> list[CpuSet]:
    """*cpus* parted by core kind."""
    performance, efficiency = kinds
    parts = (cpus & performance, cpus & efficiency, cpus - performance - efficiency)
    return [part for part in parts if part]


def _caches(files: Files, cpus: CpuSet, level: int, name: str) -> list[Cache]:
    """The caches of one level that are in the ``index`` folder *name* of each of *cpus*."""
    told: set[int] = set()

    def sharing(cpu: int) -> tuple[str, Optional[CpuSet]]:
        path = f"{CPUS}/cpu{cpu}/cache/{name}/shared_cpu_list"
        shared = read_ids(files, path, CpuSet)
        if shared is not None:
            told.add(cpu)
        return path, shared

    found = [shared for cpu, shared in groups(cpus, sharing) if cpu in told]
    size = read_size(files, f"{CPUS}/cpu{min(told)}/cache/{name}/size") if told else None
    return [Cache(0, shared, size or 0, level) for shared in found]


def _numbered(caches: list[Cache]) -> tuple[Cache, ...]:
    """*caches* by level and lowest CPU, counted anew at each level."""
    counts: dict[int, int] = {}
    found = []
    for cache in sorted(caches, key=lambda cache: (cache.level, next(iter(cache.cpus)))):
        number = counts.get(cache.level, 0)
        counts[cache.level] = number + 1
        found.append(replace(cache, id=number))
    return tuple(found)
