# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cpuset of one cgroup as a knob.

Memory nodes are written before CPUs when both change, so that no CPU runs on memory that it must
not use. Out of scope: who may own the cpuset (the policy knows).
"""

from __future__ import annotations

import errno
import os
from typing import Optional, Union

from homenode.linux.cgroup import CPUS, MEMS, CgroupTree
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement

Part = Optional[Union[CpuSet, NodeSet]]


def hold(tree: CgroupTree, path: str, wanted: Placement) -> Optional[str]:
    """Set the parts of a cgroup's cpuset that *wanted* names and read them again; None when so.

    Else the reason in words. Memory nodes first, so that no CPU allocates where it must not.
    """
    for key, value in ((MEMS, wanted.mems), (CPUS, wanted.cpus)):
        error = None if value is None else tree.write(path, key, str(value))
        if error is not None:
            return f"{key}: {error.strerror}"
    seen = tree.placement(path)
    if seen is None:
        return "the cgroup is gone"
    if wanted.cpus in (None, seen.cpus) and wanted.mems in (None, seen.mems):
        return None
    return f"the kernel shows {seen.cpus}/{seen.mems} after writing"


def restore(tree: CgroupTree, path: str, before: Placement) -> Optional[str]:
    """Set a cgroup's cpuset back to *before* and read it again; None when it is so.

    A part that is None in *before* was inherited. Where processes run, the kernel does not let it
    become so again (ENOSPC): it then gets all that its parent has. Else the reason in words.
    A cgroup that is gone needs nothing.
    """
    if tree.placement(path) is None:
        return None
    parent = tree.effective(os.path.dirname(path)) or NOT_OURS
    parts: tuple[tuple[str, Part, Part], ...] = (
        (MEMS, before.mems, parent.mems),
        (CPUS, before.cpus, parent.cpus),
    )
    for key, value, widest in parts:
        error = tree.write(path, key, "" if value is None else str(value))
        if value is None and widest and error is not None and error.errno == errno.ENOSPC:
            error = tree.write(path, key, str(widest))
        if error is not None:
            return f"{key}: {error.strerror}"
    seen = tree.placement(path)
    if seen is not None and not (
        seen.cpus in (before.cpus, before.cpus or parent.cpus)
        and seen.mems in (before.mems, before.mems or parent.mems)
    ):
        return f"the kernel shows {seen.cpus}/{seen.mems} after writing"
    return None
