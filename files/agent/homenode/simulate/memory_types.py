# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory types of NUMA nodes whose description gives none: nri-plugins' rule (pinning.md §1.2).

A node with CPUs has DRAM; one without has HBM if that is less than the average node's DRAM, else
PMEM. It is a guess by size, and takes small CXL expanders for HBM: a description had better tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from model.machine import DRAM, HBM, PMEM

from .part import NodePart


def with_types(parts: Sequence[NodePart]) -> list[NodePart]:
    """*parts*, each with a type. Raises HomenodeProblem for a node of neither CPUs nor memory."""
    sizes = [part.memory_bytes for part in parts if part.cpus and part.kind in ("", DRAM)]
    backed = [size for size in sizes if size]
    average = sum(backed) // len(backed) if backed else 0
    return [replace(part, kind=part.kind or _guess(part, average)) for part in parts]


def _guess(part: NodePart, average: int) -> str:
    if part.cpus:
        return DRAM
    if not part.memory_bytes:
        why = "unknown memory type: the node has neither CPUs nor memory"
        raise part.fields.wrong("memory", why, "give it some, or leave the node out")
    if not average:
        why = "no DRAM to compare it with, so its type is unknown"
        raise part.fields.wrong("type", why, "give the type: DRAM, PMEM or HBM")
    return HBM if part.memory_bytes < average else PMEM
