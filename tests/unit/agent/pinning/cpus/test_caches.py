# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPUs by cache group: eight groups of two cores, each with four CPUs, in two packages.

Unless a row says otherwise its CPUs are those that upstream's allocator takes on such a machine.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.files import FakeFiles
from fakes.machines import joined, machine_files, sockets
from homenode.pinning.cpus.allocator import allocate
from homenode.pinning.cpus.topology import CpuTopology
from model.cpuset import CpuSet
from model.sysfs import read_machine

SHAPE = sockets(2, cores=8, threads=2)
GROUPED = CpuTopology.of(
    read_machine(
        FakeFiles(
            machine_files(
                replace(
                    SHAPE,
                    caches=tuple(joined(SHAPE.cores[n : n + 2]) for n in range(0, 16, 2)),
                )
            )
        )
    )
)
"""Groups 0-1,16-17 and so on; packages 0-7,16-23 and 8-15,24-31; CPUs n and n+16 are one core."""

ROWS = {
    "one CPU opens no group": ("0-31", 1, "0"),
    "two are a core": ("0-31", 2, "0,16"),
    "four are a group": ("0-31", 4, "0-1,16-17"),
    "six split the second group": ("0-31", 6, "0-2,16-18"),
    "a package is more than groups": ("0-31", 18, "0-8,16-24"),
    "an idle group before one in use": ("1-31", 4, "2-3,18-19"),
    "an idle group is split, one in use stays": ("1-31", 6, "2-4,18-20"),
    "the package with enough idle groups": ("0-1,8-17,24-31", 8, "8-11,24-27"),
    "the tightest die in use": ("0,8-9,24", 3, "8-9,24"),
    "a group in use of exactly that size": ("0-2,4,16,18,20", 3, "0-1,16"),
    "two groups in use of one size": ("0-2,4-6,16,18,20", 6, "0-1,4-5,16,20"),
    "the largest groups in use, the last one split": ("0-2,4,6,16,18,20", 6, "0-2,4,16,18"),
    "idle first, then one in use of that size": ("0-1,16-17,2,4-5,20", 7, "0-1,4-5,16-17,20"),
    "single CPUs are not one size": ("0,2,4,6,16", 3, "0,2,16"),
    "no package has enough": ("0-1,8-9,16", 4, "0-1,8,16"),
    # What upstream says it does; it takes 0-2,16 and 2-3,8,18-19,24.
    "groups in use of one size before a larger one": ("0-2,4,16,18,20", 4, "2,4,18,20"),
    "the package is not left for an idle group": ("1-3,8-9,16-19,24-25", 6, "1-3,17-19"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row: tuple[str, int, str]) -> None:
    source, count, expected = row
    assert str(allocate(GROUPED, CpuSet.parse(source), count)) == str(CpuSet.parse(expected))
