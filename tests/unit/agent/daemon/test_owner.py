# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one owner of the world: nothing is booked that nobody was told, nothing told is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes.cgroups import cgroup_of, make_cgroup, make_hierarchy
from fakes.machines import sockets
from fakes.node import container, machine, pod
from homenode.daemon import owner as module
from homenode.daemon.owner import Owner
from homenode.enforce.undo import UndoLog
from homenode.intent.config import PinningConfig
from homenode.linux.cgroup import CgroupTree
from homenode.loop import begin, reconfigure, step
from homenode.world.record import Record
from homenode.world.world import World
from model.cpuset import CpuSet, NodeSet
from model.events import (
    NO_CHANGE,
    CgroupRead,
    ContainerCreating,
    ContainerStarted,
    ContainerStopped,
    Synchronized,
)
from model.workload import NOT_OURS, Placement

TWO = machine(sockets(2, cores=4))
OWN = Placement(CpuSet.parse("1-2"), NodeSet([0]))


class Owned:
    """An owner on a folder of cgroups, and what it said."""

    def __init__(self, root: Path) -> None:
        make_hierarchy(root)
        self.root = root
        self.undo = UndoLog(str(root / "undo.jsonl"))
        self.records: list[Record] = []
        world = begin(TWO, PinningConfig())
        self.owner = Owner(world, CgroupTree(str(root)), self.undo, self._changed)

    def _changed(self, records: Sequence[Record]) -> None:
        self.records += records

    def handle(self, event: Any, seconds: float = 5.0) -> Any:
        return self.owner.handle(event, time.monotonic() + seconds)

    def owned(self) -> str:
        return str(self.owner.world.ledger.exclusive())

    def before(self) -> dict[str, Placement]:
        """The before-values that a new agent would find."""
        found = UndoLog(str(self.root / "undo.jsonl")).values()
        return {one.container_id: one.placement for one in found}


@pytest.fixture
def owned(tmp_path: Path) -> Owned:
    return Owned(tmp_path)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every decision takes 30 ms."""

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.03)
        return step(*arguments)

    monkeypatch.setattr(module, "step", slowly)


def creating(name: str = "a", kind: str = "G2", given: str = "") -> ContainerCreating:
    made = pod(name, kind)
    return ContainerCreating(made, container(name, kind, made, given=given))


def test_a_decision_is_answered_booked_and_recorded(owned: Owned) -> None:
    assert owned.handle(creating()).adjust == OWN
    assert owned.owned() == "1-2"
    assert [record.kind for record in owned.records] == ["placed"]


def test_a_decision_that_comes_too_late_is_not_booked(owned: Owned, slow: None) -> None:
    world = owned.owner.world
    assert owned.handle(creating(), 0.01) == NO_CHANGE
    assert owned.owner.world is world
    assert owned.records == []
    assert owned.before() == {}


def test_whoever_cannot_have_the_world_in_time_answers_no_change(owned: Owned) -> None:
    with owned.owner._lock:
        began = time.monotonic()
        assert owned.handle(creating(), 0.05) == NO_CHANGE
        assert owned.handle(creating(), -1.0) == NO_CHANGE
        assert 0.04 < time.monotonic() - began < 1.0
    assert owned.owned() == ""


def test_what_was_late_is_booked_afterwards(owned: Owned, slow: None) -> None:
    event = creating()
    owned.handle(event, 0.01)
    owned.owner.book_late(event)
    assert owned.owned() == "1-2"


def test_an_end_that_was_late_gives_back_afterwards(owned: Owned, slow: None) -> None:
    """Else its CPUs would be nobody's for ever."""
    owned.handle(creating())
    event = ContainerStopped("a")
    owned.handle(event, 0.01)
    assert owned.owned() == "1-2"
    owned.owner.book_late(event)
    assert owned.owned() == ""


def test_a_synchronization_that_was_late_is_known_afterwards(owned: Owned, slow: None) -> None:
    made = pod("a", "G2")
    event = Synchronized((made,), (container("a", "G2", made),))
    assert owned.handle(event, 0.01) == NO_CHANGE
    owned.owner.book_late(event)
    assert owned.owned() == "1-2"


def test_what_was_booked_in_time_and_told_late_is_not_booked_twice(owned: Owned) -> None:
    event = creating()
    owned.handle(event)
    owned.handle(CgroupRead("a", OWN))
    world = owned.owner.world
    owned.owner.book_late(event)
    assert owned.owner.world is world


def test_a_fault_in_a_decision_lets_go_of_the_world(
    owned: Owned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_arguments: Any) -> Any:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(module, "step", faulty)
        with pytest.raises(RuntimeError, match="a fault of ours"):
            owned.handle(creating())
    assert owned.owner.still_there(0.0)
    assert owned.handle(creating()).adjust == OWN


def test_the_watchdog_sees_a_world_that_is_held(owned: Owned) -> None:
    assert owned.owner.still_there(0.0)
    with owned.owner._lock:
        assert not owned.owner.still_there(0.01)


def test_many_at_once_are_one_after_the_other(owned: Owned) -> None:
    events = [creating(f"c{number}", "G1") for number in range(6)]
    threads = [threading.Thread(target=owned.handle, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(owned.owner.world.ledger.exclusive()) == 6


# -- another configuration -------------------------------------------------------------------

FEWER = PinningConfig(available_cpus=CpuSet.parse("0-5"))


def test_another_configuration_is_booked_and_recorded(owned: Owned) -> None:
    owned.handle(creating("e", "E"))
    owned.records.clear()
    tried = owned.owner.reconfigure(TWO, FEWER)
    assert [str(one.placement.cpus) for one in tried.effects.reply.updates] == ["0-5"]
    assert owned.owner.world is tried.world
    assert [record.kind for record in owned.records] == ["resized"]


def test_a_dry_one_is_not(owned: Owned) -> None:
    owned.handle(creating("e", "E"))
    world = owned.owner.world
    owned.records.clear()
    assert owned.owner.reconfigure(TWO, FEWER, dry=True).moves
    assert owned.owner.world is world
    assert owned.records == []


def test_what_comes_meanwhile_is_not_lost(owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    really = reconfigure
    event = creating()

    def interrupted(world: World, *arguments: Any) -> Any:
        monkeypatch.setattr(module, "reconfigure", really)
        tried = really(world, *arguments)
        owned.handle(event)
        return tried

    monkeypatch.setattr(module, "reconfigure", interrupted)
    owned.owner.reconfigure(TWO, FEWER)
    assert owned.owner.world.pinning == FEWER
    assert owned.owned() == "1-2"


def test_who_was_never_touched_gets_a_before_value(tmp_path: Path) -> None:
    make_hierarchy(tmp_path)
    undo = UndoLog(str(tmp_path / "undo"))
    owner = Owner(begin(TWO, None), CgroupTree(str(tmp_path)), undo, lambda records: None)
    owner.handle(creating(), time.monotonic() + 5)
    assert undo.values() == ()
    owner.reconfigure(TWO, PinningConfig())
    assert [(one.container_id, one.placement) for one in undo.values()] == [("a", NOT_OURS)]


# -- before-values ---------------------------------------------------------------------------


def test_the_before_value_is_written_before_the_reply_returns(
    owned: Owned, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    remember = owned.undo.remember

    def remembering(values: Any) -> Any:
        order.append("remembered")
        return remember(values)

    monkeypatch.setattr(owned.undo, "remember", remembering)
    owned.handle(creating())
    order.append("answered")
    assert order == ["remembered", "answered"]
    assert owned.before() == {"a": NOT_OURS}
    (value,) = owned.undo.values()
    assert (value.name, value.cgroup) == ("default/a/a", cgroup_of(creating().container))


def test_what_is_not_touched_has_no_before_value(owned: Owned) -> None:
    owned.handle(creating("k", "B1", "0-3"))
    owned.handle(ContainerStarted("k"))
    owned.handle(ContainerStopped("k"))
    assert owned.before() == {}


def test_what_is_placed_late_had_what_it_has_now(owned: Owned) -> None:
    made = pod("a", "G2")
    late = container("a", "G2", made)
    held = Placement(None, NodeSet([0, 1]))
    make_cgroup(owned.root, cgroup_of(late), held)
    reply = owned.handle(Synchronized((made,), (late,)))
    assert [update.placement for update in reply.updates] == [OWN]
    assert owned.before() == {"a": held}


def test_what_is_adopted_keeps_its_first_before_value(owned: Owned) -> None:
    event = creating()
    owned.handle(event)
    make_cgroup(owned.root, cgroup_of(event.container), OWN)
    owned.handle(Synchronized((event.pod,), (event.container,)))
    assert owned.before() == {"a": NOT_OURS}


def test_what_was_adopted_and_has_no_before_value_had_the_parents(owned: Owned) -> None:
    """The log was lost, and what the cgroup shows now is ours."""
    e, a = creating("e", "E"), creating("a")
    make_cgroup(owned.root, cgroup_of(e.container), Placement(CpuSet.parse("0-3")))
    make_cgroup(owned.root, cgroup_of(a.container), NOT_OURS)
    owned.handle(Synchronized((e.pod, a.pod), (e.container, a.container)))
    assert owned.owner.world.ledger.grants["e"].decision.adopted
    assert owned.before() == {"e": NOT_OURS, "a": NOT_OURS}


def test_before_values_of_the_dead_are_forgotten(owned: Owned) -> None:
    owned.handle(creating("a"))
    owned.handle(creating("b"))
    keep = creating("b")
    owned.handle(Synchronized((keep.pod,), (keep.container,)))
    assert set(owned.before()) == {"b"}


def test_a_log_that_cannot_be_written_is_told_and_pinning_goes_on(tmp_path: Path) -> None:
    make_hierarchy(tmp_path)
    world = begin(TWO, PinningConfig())
    undo = UndoLog(str(tmp_path / "gone" / "undo"))
    owner = Owner(world, CgroupTree(str(tmp_path)), undo, lambda records: None)
    assert owner.handle(creating(), time.monotonic() + 5).adjust == OWN
    assert "No such file" in owner.undo_error
    told = creating()
    owner.handle(Synchronized((told.pod,), (told.container,)), time.monotonic() + 5)
    assert "No such file" in owner.undo_error, "still"
    (tmp_path / "gone").mkdir()
    owner.handle(creating("b"), time.monotonic() + 5)
    assert owner.undo_error == ""


def test_two_reads_for_each_container_that_is_adopted(owned: Owned) -> None:
    events = [creating(f"c{number}", "E") for number in range(50)]
    reads: list[str] = []
    tree = owned.owner._tree
    really = tree._read

    def reading(path: str, key: str) -> Any:
        reads.append(key)
        return really(path, key)

    tree._read = reading  # type: ignore[method-assign]
    owned.handle(
        Synchronized(
            tuple(event.pod for event in events), tuple(event.container for event in events)
        )
    )
    assert len(reads) <= 2 * 50
