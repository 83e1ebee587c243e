# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files for schedulers: written where they are named, when they would say something new."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.files import FakeFiles
from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.daemon.exports import Exports
from homenode.intent.config import Config
from homenode.intent.exports import ExportsConfig

SWAPS = "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 5\n"


class Exported:
    """The exports of a fake node, into a folder."""

    def __init__(self, folder: Path, **changed: Any) -> None:
        self.node = FakeNode(machine(sockets(2, cores=4)))
        self.topology, self.features = folder / "nrt.json", folder / "homenode"
        named = ExportsConfig(str(self.topology), str(self.features), "worker-1", 1)
        config = Config(exports=replace(named, **changed))
        self.exports = Exports(config, lambda: self.node.world, FakeFiles({"/proc/swaps": SWAPS}))

    def zones(self) -> dict[str, Any]:
        found = json.loads(self.topology.read_text())
        assert found["metadata"]["name"] == "worker-1"
        return {each["name"]: each for each in found["zones"]}


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    return Exported(tmp_path)


def test_both_files_tell_of_the_node(exported: Exported) -> None:
    exported.exports.write()
    assert {"node-0", "node-1"} <= set(exported.zones())
    lines = exported.features.read_text().splitlines()
    assert "homenode.io/pinning.policy=home-node" in lines
    assert "homenode.io/pinning.mechanism=nri" in lines
    assert "homenode.io/swap.kind=zram" in lines
    assert exported.features.stat().st_mode & 0o777 == 0o644, "no secret, and read by others"


def test_a_file_is_written_when_it_would_say_something_new(exported: Exported) -> None:
    exported.exports.write()
    before = [path.stat().st_ino for path in (exported.topology, exported.features)]
    zones = exported.zones()
    exported.node.create("G2", "a")
    exported.exports.write()
    after = [path.stat().st_ino for path in (exported.topology, exported.features)]
    assert exported.zones() != zones
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)


def test_nothing_is_left_beside_the_files(exported: Exported, tmp_path: Path) -> None:
    exported.exports.write()
    assert {path.name for path in tmp_path.iterdir()} == {"nrt.json", "homenode"}


def test_only_what_is_named_is_written(tmp_path: Path) -> None:
    exported = Exported(tmp_path, node_resource_topology="")
    assert exported.exports.wanted
    exported.exports.write()
    assert [path.name for path in tmp_path.iterdir()] == ["homenode"]
    assert not Exported(tmp_path, node_resource_topology="", node_features="").exports.wanted


def test_the_name_of_the_host_is_the_default(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Uname:
        nodename = "Worker-1"

    monkeypatch.setattr("os.uname", Uname)
    config = Config(exports=ExportsConfig(str(exported.topology)))
    Exports(config, lambda: exported.node.world, FakeFiles({})).write()
    assert exported.zones(), "in small letters, as the kubelet registers it"


def test_a_folder_that_is_not_there_is_told_until_it_is(tmp_path: Path) -> None:
    exported = Exported(tmp_path / "later")
    exported.exports.write()
    told = exported.exports.problems()
    assert [problem.field for problem in told] == [str(exported.features), str(exported.topology)]
    (tmp_path / "later").mkdir()
    exported.exports.write()
    assert exported.exports.problems() == []
    assert exported.zones()


def test_the_thread_writes_until_it_is_stopped(exported: Exported) -> None:
    stop = threading.Event()
    stop.set()
    exported.exports.run(stop)
    assert not exported.topology.exists()
    stop.clear()
    thread = threading.Thread(target=exported.exports.run, args=(stop,))
    thread.start()
    while not exported.features.exists():
        stop.wait(0.01)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
