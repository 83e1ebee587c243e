# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cgroup files in a folder: read, written, gone, garbage, and not where they seem to be."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from fakes.cgroups import MOUNT, make_cgroup, make_hierarchy
from homenode.linux.cgroup import CPUS, MEMS, CgroupTree
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement

PINNED = Placement(CpuSet.parse("2-3"), NodeSet([1]))
PATH = "kubepods/pod1/c"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_hierarchy(tmp_path)
    return make_cgroup(tmp_path, PATH, PINNED)


@pytest.fixture
def tree(folder: Path, tmp_path: Path) -> CgroupTree:
    return CgroupTree(str(tmp_path))


def test_a_unified_hierarchy_has_a_cpuset_controller(tree: CgroupTree, tmp_path: Path) -> None:
    assert tree.is_unified()
    (tmp_path / MOUNT / "cgroup.controllers").write_text("cpu memory\n")
    assert not tree.is_unified()
    assert not CgroupTree(str(tmp_path / "elsewhere")).is_unified()


def test_what_is_set(tree: CgroupTree, folder: Path) -> None:
    assert tree.placement(PATH) == PINNED
    (folder / CPUS).write_text("\n")
    assert tree.placement(PATH) == Placement(None, PINNED.mems)
    (folder / MEMS).write_text("")
    assert tree.placement(PATH) == NOT_OURS


def test_what_it_really_has(tree: CgroupTree, folder: Path) -> None:
    (folder / "cpuset.cpus.effective").write_text("0-7\n")
    assert tree.effective(PATH) == Placement(CpuSet.parse("0-7"), PINNED.mems)


@pytest.mark.parametrize("gone", [CPUS, MEMS, "cpuset.cpus.effective", "cpuset.mems.effective"])
def test_a_file_that_vanished_is_not_there(tree: CgroupTree, folder: Path, gone: str) -> None:
    (folder / gone).unlink()
    found = tree.effective(PATH) if "effective" in gone else tree.placement(PATH)
    assert found is None


def test_a_cgroup_that_vanished_is_not_there(tree: CgroupTree) -> None:
    assert tree.placement("kubepods/gone") is None
    assert tree.effective("kubepods/gone") is None
    assert tree.numa_bytes("kubepods/gone") == {}
    error = tree.write("kubepods/gone", CPUS, "1")
    assert error is not None
    assert error.errno == errno.ENOENT


@pytest.mark.parametrize("text", ["x", "3-1", "0-4294967295", "\0", "\u00e9"])
def test_garbage_is_not_believed(tree: CgroupTree, folder: Path, text: str) -> None:
    (folder / CPUS).write_text(text)
    assert tree.placement(PATH) is None


def test_a_link_is_not_followed(tree: CgroupTree, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("5\n")
    (folder / CPUS).unlink()
    (folder / CPUS).symlink_to(outside)
    assert tree.placement(PATH) is None
    error = tree.write(PATH, CPUS, "1")
    assert error is not None
    assert error.errno == errno.ELOOP
    assert outside.read_text() == "5\n"


def test_a_folder_for_a_file_is_not_there(tree: CgroupTree, folder: Path) -> None:
    (folder / CPUS).unlink()
    (folder / CPUS).mkdir()
    assert tree.placement(PATH) is None


@pytest.mark.parametrize("value", ["0-11", "7", ""])
def test_a_write_replaces_what_was_there(tree: CgroupTree, folder: Path, value: str) -> None:
    assert tree.write(PATH, CPUS, value) is None
    assert (folder / CPUS).read_text() == value + "\n"
    found = tree.placement(PATH)
    assert found is not None
    assert found.cpus == (CpuSet.parse(value) or None)


def test_a_write_makes_no_file(tree: CgroupTree, folder: Path) -> None:
    assert tree.write(PATH, "cpuset.cpus.exclusive", "1") is not None
    assert not (folder / "cpuset.cpus.exclusive").exists()


NUMA_STAT = """anon N0=8192 N1=4096
file N0=0 N1=1024
kernel_stack N0=77 N1=77
anon_thp N0=5 N1=5
"""


def test_memory_by_node_is_anonymous_and_file_memory(tree: CgroupTree, folder: Path) -> None:
    (folder / "memory.numa_stat").write_text(NUMA_STAT)
    assert tree.numa_bytes(PATH) == {0: 8192, 1: 5120}


@pytest.mark.parametrize("text", ["", "anon", "anon N0", "anon =5 N=5 Nx=1 N0=-1 N0=x", "\n\n"])
def test_memory_that_makes_no_sense_is_left_out(tree: CgroupTree, folder: Path, text: str) -> None:
    (folder / "memory.numa_stat").write_text(text)
    assert tree.numa_bytes(PATH) == {}


def test_cgroup_v1_has_its_own_mount_and_names(tmp_path: Path) -> None:
    folder = tmp_path / MOUNT / "cpuset" / PATH
    folder.mkdir(parents=True)
    for name, text in (
        ("cpuset.cpus", "2-3"),
        ("cpuset.mems", "1"),
        ("cpuset.effective_cpus", "3"),
        ("cpuset.effective_mems", "1"),
    ):
        (folder / name).write_text(text)
        (tmp_path / MOUNT / "cpuset" / name).write_text("0-7")
    tree = CgroupTree(str(tmp_path))
    assert tree.is_legacy
    assert not tree.is_unified()
    assert tree.placement(PATH) == PINNED
    assert tree.effective(PATH) == Placement(CpuSet.parse("3"), NodeSet([1]))
    assert tree.write(PATH, CPUS, "2") is None
    assert (folder / CPUS).read_text() == "2\n"
