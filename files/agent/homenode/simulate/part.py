# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One NUMA node of a description while it is being read; imports no other part of the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from model.cpuset import CpuSet
from model.fields import Fields


@dataclass(frozen=True)
class NodePart:
    """Memory in bytes; *kind* is "" where the description gives no type; *fields* tells where."""

    fields: Fields
    id: int
    cpus: CpuSet
    memory_bytes: int
    kind: str
    package: Optional[int]
    die: int
