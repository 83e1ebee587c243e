# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialect of nri-plugins' topology-aware policy, as far as the present policy can honour it.

Out of scope until that policy is here: every other key of ``resource-policy.nri.io``; a pod that
carries one is told so, because a requirement that is ignored in silence is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.problem import Problem

from .annotations import boolean

SUFFIX = ".resource-policy.nri.io"
PREFER_SHARED = "prefer-shared-cpus" + SUFFIX
PRESERVE_CPU = "cpu.preserve" + SUFFIX
PRESERVE_MEMORY = "memory.preserve" + SUFFIX
KNOWN = (PREFER_SHARED, PRESERVE_CPU, PRESERVE_MEMORY)
MAX_SHOWN = 8


@dataclass(frozen=True)
class TenantIntent:
    """What a container's annotations ask for, and what was wrong with them."""

    prefer_shared_cpus: bool = False
    preserve_cpus: bool = False
    preserve_memory: bool = False
    problems: tuple[Problem, ...] = ()


NO_INTENT = TenantIntent()


def tenant_intent(annotations: Mapping[str, str], container: str) -> TenantIntent:
    """Read the annotations of a pod for one of its containers."""
    if not any(SUFFIX in key for key in annotations):
        return NO_INTENT
    problems: list[Problem] = []
    shared = boolean(annotations, PREFER_SHARED, container, problems)
    cpus = boolean(annotations, PRESERVE_CPU, container, problems)
    memory = boolean(annotations, PRESERVE_MEMORY, container, problems)
    unknown = sorted(key for key in annotations if SUFFIX in key and not key.startswith(KNOWN))
    problems.extend(
        Problem(key, annotations[key], "is not understood yet", "the default placement is used")
        for key in unknown[:MAX_SHOWN]
    )
    return TenantIntent(bool(shared), bool(cpus), bool(memory), tuple(problems))
