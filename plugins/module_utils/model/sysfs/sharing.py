# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Groups of CPUs, as each CPU's folder tells who shares something with it.

Out of scope: what they share. A group is read once, from the file of its lowest CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Optional

from ..cpuset import CpuSet
from ..files import Files
from .values import fail, read_ids

CPUS = "/sys/devices/system/cpu"

Sharing = Callable[[int], tuple[str, Optional[CpuSet]]]
"""From a CPU to the file that says who shares something with it, and what that file says."""


def listed(files: Files, names: tuple[str, ...]) -> Sharing:
    """Reads the first of *names* that there is in a CPU's folder."""

    def read(cpu: int) -> tuple[str, Optional[CpuSet]]:
        for name in names:
            path = f"{CPUS}/cpu{cpu}/{name}"
            found = read_ids(files, path, CpuSet)
            if found is not None:
                return path, found
        return "", None

    return read


def groups(cpus: CpuSet, sharing: Sharing) -> Iterator[tuple[int, CpuSet]]:
    """*cpus* parted into groups, each with its lowest CPU; a CPU that tells nothing is alone.

    Raises HomenodeProblem where a group leaves out the very CPU, or takes one of another group.
    """
    left = cpus
    while left:
        first = next(iter(left), 0)
        path, told = sharing(first)
        group = CpuSet([first]) if told is None else told & cpus
        if first not in group:
            raise fail(path, str(told), f"leaves out CPU {first} itself")
        if group - left:
            raise fail(path, str(told), f"CPU {group - left} is in another such group already")
        yield first, group
        left = left - group
