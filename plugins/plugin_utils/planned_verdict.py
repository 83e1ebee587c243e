# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A kubelet's configuration judged while planning, where the machine may not be known yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.configuration import (
    records,
    text_map,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import Effective
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import Hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.split import Room
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.validation import (
    Verdict,
    verdict,
)

_ENDLESS = 1 << 50


def judged(found: Effective, machine: Optional[Hardware]) -> Verdict:
    """The verdict on *found*; a wrong sum of reserved memory gets the right sum as its remedy.

    Without a *machine*, all NUMA nodes that are named are taken as there, with memory enough, and
    a need that is a share of an unknown amount is not compared.
    """
    whole = verdict(found, machine or _assumed(found))
    refusals = []
    for problem in whole.refusals:
        if problem.field == "reservedMemory" and "Node Allocatable" in problem.why:
            if machine is None and _is_share(found):
                continue
            if whole.need is not None and 'type "memory"' in problem.why:
                problem = replace(problem, remedy=f"{problem.remedy}: {whole.need.equation()}")
        refusals.append(problem)
    return replace(whole, refusals=tuple(refusals))


def _assumed(found: Effective) -> Hardware:
    named = {entry.get("numaNode") for entry in records(found.config, "reservedMemory")}
    ids = {0} | {item for item in named if isinstance(item, int) and item >= 0}
    rooms = tuple(Room(number, _ENDLESS) for number in sorted(ids))
    return Hardware(rooms, None, _ENDLESS)


def _is_share(found: Effective) -> bool:
    return text_map(found.config, "evictionHard").get("memory.available", "").endswith("%")
