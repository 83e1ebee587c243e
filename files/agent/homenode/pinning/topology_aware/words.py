# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A decision in words: what a container got, why there, and what could not be had.

Out of scope: deciding.
"""

from __future__ import annotations

from typing import Optional

from homenode.world.decision import (
    EXCLUSIVE,
    KUBELET,
    MIXED,
    PRESERVED,
    RESERVED,
    SHARED,
    Decision,
)
from model.cpuset import CpuSet

from . import books as kinds
from .request import Request
from .rules import Ranking
from .setting import Setting
from .take import Taken

_OUTCOMES = {kinds.RESERVED: RESERVED, kinds.PRESERVED: PRESERVED, kinds.KUBELETS: KUBELET}


def decision_of(setting: Setting, request: Request, taken: Taken) -> Decision:
    """What was decided for *request*."""
    ranking = taken.ranking
    return Decision(
        outcome=outcome_of(taken.kind, taken.exclusive, request.millis),
        reason="; ".join(_sentences(setting, request, taken)),
        asked_cpus=request.wanted_cpus,
        home=home_of(setting, taken.exclusive or taken.pool.cpus),
        rules=ranking.names if ranking else (),
        candidates=ranking.candidates() if ranking else (),
    )


def outcome_of(kind: str, exclusive: CpuSet, millis: int) -> str:
    """The outcome in the words of decisions."""
    if kind != kinds.NORMAL:
        return _OUTCOMES[kind]
    if not exclusive:
        return SHARED
    return MIXED if millis else EXCLUSIVE


def home_of(setting: Setting, cpus: CpuSet) -> Optional[int]:
    """The NUMA node that has all of *cpus*; None where they are on several."""
    homes = [numa_node.id for numa_node in setting.machine.nodes if numa_node.cpus & cpus]
    return homes[0] if len(homes) == 1 else None


def _sentences(setting: Setting, request: Request, taken: Taken) -> list[str]:
    found = [request.why] if request.why else []
    if taken.ranking is not None:
        found.append(_where(taken, taken.ranking))
    if taken.lacks and request.kind == kinds.RESERVED:
        found.append(
            f"the reserved CPUs {setting.reserved} have less than its {request.millis}m left,"
            f" so it shares those of {taken.pool.name}"
        )
    elif taken.lacks:
        found.append(f"{request.millis}m of shared CPU are not left in any pool that suits it")
    if request.isolate and not setting.machine.isolated & taken.exclusive:
        found.append(f"no pool has {request.full} isolated CPUs free")
    name = request.ask.intent.scheduling_class
    if name and name not in {one.name for one in setting.config.scheduling_classes}:
        found.append(f'unknown scheduling class "{name}" is ignored')
    return found


def _where(taken: Taken, ranking: Ranking) -> str:
    """Why this pool: by the rule that told it from the next best."""
    here, best = taken.pool.name, ranking.scores[0].pool.name
    if here != best:
        if taken.lacks:
            return f"{here} is the widest"
        return f"it stays in {here}" if taken.stays else f"{best} has none to spare, {here} has"
    if len(ranking.scores) == 1:
        return f"{here} is the only pool"
    return f"{here} before {ranking.scores[1].pool.name}: it {ranking.lost_by(1)}"
