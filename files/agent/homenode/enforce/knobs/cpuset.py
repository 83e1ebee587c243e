# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cpuset of one cgroup as a knob.

Memory nodes are written before CPUs when both change, so that no CPU runs on memory that it must
not use. Out of scope: who may own the cpuset (the policy knows).
"""

from __future__ import annotations

from typing import Optional

from homenode.linux.cgroup import CPUS, MEMS, CgroupTree
from model.workload import Placement


def restore(tree: CgroupTree, path: str, before: Placement) -> Optional[str]:
    """Set a cgroup's cpuset back to *before* and read it again; None when it is so.

    A part that is None in *before* was inherited and becomes so again. Else the reason in words.
    A cgroup that is gone needs nothing.
    """
    if tree.placement(path) is None:
        return None
    for key, value in ((MEMS, before.mems), (CPUS, before.cpus)):
        error = tree.write(path, key, "" if value is None else str(value))
        if error is not None:
            return f"{key}: {error.strerror}"
    seen = tree.placement(path)
    if seen is not None and seen != before:
        return f"the kernel shows {seen.cpus}/{seen.mems} after writing"
    return None
