# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting a cgroup's cpuset back, and reading it again."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest

from fakes.cgroups import CountingTree, make_cgroup, make_hierarchy
from homenode.enforce.knobs.cpuset import restore
from homenode.linux.cgroup import CgroupTree
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement

PINNED = Placement(CpuSet.parse("2-3"), NodeSet([1]))
WIDER = Placement(CpuSet.parse("0-11"), NodeSet([0, 1]))


@pytest.fixture
def tree(tmp_path: Path) -> CountingTree:
    make_hierarchy(tmp_path)
    make_cgroup(tmp_path, "kubepods/a", PINNED)
    return CountingTree(tmp_path)


@pytest.mark.parametrize("before", [NOT_OURS, WIDER, PINNED, Placement(CpuSet([7]))])
def test_the_value_of_before_is_there_again(tree: CountingTree, before: Placement) -> None:
    assert restore(tree, "kubepods/a", before) is None
    assert tree.placement("kubepods/a") == before


def test_a_cgroup_that_is_gone_needs_nothing(tree: CountingTree) -> None:
    assert restore(tree, "kubepods/gone", NOT_OURS) is None
    assert tree.writes == 0


class Stubborn(CgroupTree):
    """Takes every write and keeps what it had, as a kernel may do."""

    def write(self, path: str, key: str, value: str) -> Optional[OSError]:
        return None


class Refusing(CgroupTree):
    def write(self, path: str, key: str, value: str) -> Optional[OSError]:
        return OSError(28, "No space left on device")


def test_a_write_that_was_taken_is_not_believed(tree: CountingTree, tmp_path: Path) -> None:
    why = restore(Stubborn(str(tmp_path)), "kubepods/a", NOT_OURS)
    assert why == "the kernel shows 2-3/1 after writing"


def test_a_refusal_names_the_file(tree: CountingTree, tmp_path: Path) -> None:
    why = restore(Refusing(str(tmp_path)), "kubepods/a", NOT_OURS)
    assert why == "cpuset.mems: No space left on device"


class Populated(CgroupTree):
    """As a kernel while processes run there: what is set does not become inherited again."""

    def write(self, path: str, key: str, value: str) -> Optional[OSError]:
        return super().write(path, key, value) if value else OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("before", "after"),
    [(NOT_OURS, WIDER), (Placement(CpuSet([7])), Placement(CpuSet([7]), WIDER.mems))],
)
def test_what_runs_gets_all_that_its_parent_has(
    tree: CountingTree, tmp_path: Path, before: Placement, after: Placement
) -> None:
    make_cgroup(tmp_path, "kubepods", WIDER)
    assert restore(Populated(str(tmp_path)), "kubepods/a", before) is None
    assert tree.placement("kubepods/a") == after
