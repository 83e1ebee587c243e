# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Giving everything back: the runtime's record first, then each cgroup to its exact value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pytest

from fake_runtime.book import FakeContainer
from fake_runtime.runtime import FakeRuntime
from fakes.cgroups import MOUNT
from fakes.machines import machine_files, sockets
from homenode.daemon.hardware import knobs_at
from homenode.daemon.service import Paths
from homenode.daemon.undo import undo
from homenode.enforce.undo import BeforeValue, UndoLog
from homenode.linux.cgroup import CgroupTree
from model.cgroup_path import cgroup_path
from model.cpuset import CpuSet, NodeSet
from model.workload import NOT_OURS, Placement

IRQ = "proc/irq/4/smp_affinity_list"


class Undone:
    """A host folder with a runtime on it, and an undo log."""

    def __init__(self, root: Path, socket: Path) -> None:
        for path, text in machine_files(sockets(2, cores=2)).items():
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        state = root / "state"
        state.mkdir()
        self.paths = Paths(str(root), str(socket), str(state), str(root / "pid"))
        self.runtime = FakeRuntime(socket, cgroup_root=root / MOUNT)
        self.tree = CgroupTree(str(root))
        self.said: list[str] = []

    def pinned(self, name: str, before: Placement) -> FakeContainer:
        """A container on 2-3/1, which had *before*."""
        container = self.runtime.create_container(self.runtime.run_pod(name), name)
        container.cpus, container.mems = "2-3", "1"
        container.write_cgroup(self.runtime.cgroup_root, self.runtime.everything)
        shares, container.shares = container.shares, 77
        path = self.path(container)
        value = BeforeValue(container.id, f"default/{name}/{name}", path, before, shares)
        UndoLog(self.paths.undo).remember([value])
        return container

    def path(self, container: FakeContainer) -> str:
        found = cgroup_path(container.message().linux.cgroups_path)
        assert found is not None
        return found

    def undo(self) -> int:
        return undo(self.paths, self.said.append)


@pytest.fixture
def undone(tmp_path: Path) -> Iterator[Undone]:
    made = Undone(tmp_path, tmp_path / "nri.sock")
    with made.runtime:
        yield made


def test_nothing_to_give_back(undone: Undone) -> None:
    assert undone.undo() == 0
    assert undone.said == ["nothing to give back"]


def test_the_hardware_is_given_back_too(undone: Undone) -> None:
    irq = Path(undone.paths.host_root) / IRQ
    irq.parent.mkdir(parents=True)
    irq.write_text("0-3\n")
    knobs_at(undone.paths.host_root, undone.paths.hardware).hold({f"/{IRQ}": "2"})
    assert irq.read_text() == "2\n"
    assert undone.undo() == 0
    assert irq.read_text() == "0-3\n"
    assert undone.said == ["1 settings of clocks and interrupts: given back, read again"]
    undone.said.clear()
    undone.undo()
    assert undone.said == ["nothing to give back"]


def test_everything_is_given_back_and_read_again(undone: Undone) -> None:
    kept = Placement(CpuSet.parse("0-1"), NodeSet([0]))
    a, b = undone.pinned("a", NOT_OURS), undone.pinned("b", kept)
    Path(undone.paths.ledger).write_text("{}")
    assert undone.undo() == 0
    assert undone.tree.placement(undone.path(a)) == NOT_OURS
    assert undone.tree.placement(undone.path(b)) == kept
    assert (a.placement, b.placement) == (("0-3", "0-1"), ("0-1", "0")), "in its record as well"
    assert a.shares == a.figures.shares
    assert undone.said == [
        "the runtime was told",
        "default/a/a: given back, read again",
        "default/b/b: given back, read again",
    ]
    assert UndoLog(undone.paths.undo).values() == ()
    assert not Path(undone.paths.ledger).exists()
    assert undone.undo() == 0


def test_without_a_runtime_the_cgroups_are_given_back(undone: Undone) -> None:
    a = undone.pinned("a", NOT_OURS)
    undone.runtime.stop()
    undone.runtime.socket_path.unlink()
    assert undone.undo() == 0
    assert undone.tree.placement(undone.path(a)) == NOT_OURS
    assert undone.said == ["default/a/a: given back, read again"]


def test_a_container_that_is_gone_needs_nothing(undone: Undone) -> None:
    a = undone.pinned("a", NOT_OURS)
    undone.runtime.remove_container(a)
    assert undone.undo() == 0
    assert undone.said == ["the runtime was told"]


def test_what_cannot_be_given_back_is_named_and_remembered(
    undone: Undone, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone.pinned("a", NOT_OURS)
    undone.pinned("b", NOT_OURS)
    write = CgroupTree.write

    def refusing(tree: CgroupTree, path: str, key: str, value: str) -> Optional[OSError]:
        return OSError(16, "busy") if refused in path else write(tree, path, key, value)

    refused = UndoLog(undone.paths.undo).values()[0].cgroup
    with monkeypatch.context() as patch:
        patch.setattr(CgroupTree, "write", refusing)
        assert undone.undo() == 1
    assert undone.said[1:] == [
        "default/a/a: NOT given back: cpuset.mems: busy",
        "default/b/b: given back, read again",
    ]
    assert len(UndoLog(undone.paths.undo).values()) == 2
    assert undone.undo() == 0, "the next try gives the rest back"
