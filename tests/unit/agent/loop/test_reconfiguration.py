# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another configuration or machine under what runs: who moves, who is in the way, what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine, pod
from homenode.intent.config import PinningConfig
from homenode.loop import reconfiguration as module
from homenode.loop.reconfiguration import Reconfigured, reconfigure
from homenode.pinning.home_node import HomeNode
from homenode.pinning.home_node_books import HomeBooks
from homenode.pinning.policy import Adoption, Ask, Held, Outcome
from model.cpuset import CpuSet
from model.events import NO_CHANGE
from model.machine import Machine
from model.problem import HomenodeProblem, Problem

SHAPE = sockets(2, cores=4)
TWO = machine(SHAPE)
SMALLER = machine(replace(SHAPE, offline=CpuSet.parse("3,7")))


def available(cpus: str) -> PinningConfig:
    return PinningConfig(available_cpus=CpuSet.parse(cpus))


def moves(tried: Reconfigured) -> dict[str, tuple[str, str]]:
    return {
        move.name.rpartition("/")[2]: (str(move.before.cpus), str(move.after.cpus))
        for move in tried.moves
    }


def applied(fake: FakeNode, tried: Reconfigured) -> str:
    """The book after the runtime was told."""
    fake.world = tried.world
    for update in tried.effects.reply.updates:
        fake._apply(update.container_id, update.placement)
    return fake.shown()


def test_who_can_stay_stays_and_the_others_are_told() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e B1=b")
    tried = reconfigure(fake.world, TWO, available("0-5"), 1.5)
    assert tried.obstacles == ()
    assert moves(tried) == {"e": ("0,3-7", "0,3-5"), "b": ("0,3-7", "0,3-5")}
    assert applied(fake, tried) == "a=1-2/0 b=0,3-5 e=0,3-5"
    assert fake.run("G2=late") == "a=1-2/0 b=4-5 e=4-5 late=0,3/0"


def test_trying_changes_nothing() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    before = fake.world
    reconfigure(fake.world, TWO, available("0-5"), 1.5)
    assert fake.world == before


def test_the_same_configuration_moves_nobody() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e B1=b")
    tried = reconfigure(fake.world, TWO, fake.world.pinning, 1.5)
    assert (tried.moves, tried.effects.reply, tried.effects.records) == ((), NO_CHANGE, ())
    assert tried.world.ledger.grants == fake.world.ledger.grants


def test_what_is_not_ours_any_more_is_no_move() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    tried = reconfigure(fake.world, TWO, PinningConfig(pin_cpu=False, pin_memory=False), 1.5)
    assert tried.moves == ()
    assert applied(fake, tried) == "a=1-2/0 e=0,3-7"


def test_pinning_off_touches_nobody_and_on_places_all() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    off = reconfigure(fake.world, TWO, None, 1.5)
    assert off.effects.reply == NO_CHANGE
    assert applied(fake, off) == "a=1-2/0 e=0,3-7"
    assert fake.world.ledger.grants == {}
    assert set(fake.world.containers) == {"a", "e"}
    fresh = FakeNode(TWO, None)
    fresh.run("E=e G2=a")
    on = reconfigure(fresh.world, TWO, PinningConfig(), 1.5)
    assert applied(fresh, on) == "a=1-2/0 e=0,3-7"


def test_cpus_that_go_and_come_shrink_and_grow_what_is_shared() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a E=e")
    assert applied(fake, reconfigure(fake.world, SMALLER, fake.world.pinning, 1.5)) == (
        "a=1-2/0 e=0,4-6"
    )
    assert fake.world.machine.online == CpuSet.parse("0-2,4-6")
    assert applied(fake, reconfigure(fake.world, TWO, fake.world.pinning, 1.5)) == (
        "a=1-2/0 e=0,3-7"
    )


def test_nobody_gets_an_empty_set_when_all_its_cpus_go() -> None:
    fake = FakeNode(TWO)
    fake.run("G4=a E=e")
    gone = machine(replace(SHAPE, offline=CpuSet.parse("0-3")))
    assert applied(fake, reconfigure(fake.world, gone, fake.world.pinning, 1.5)) == (
        "a=0-3/0 e=4-7"
    )


@dataclass(frozen=True)
class Strict(HomeNode):
    """Cannot account for "odd", and places "new" only where CPU 0 is available."""

    def adopt(self, held: Sequence[Held], memory: Optional[Mapping[str, Any]]) -> Adoption:
        kept = [one for one in held if one.ask.name != "new"]
        found = super().adopt(kept, memory)
        odd = Problem("cpus", "odd", "cannot be accounted for", "end it")
        problems = (odd,) if any(one.ask.name == "odd" for one in held) else ()
        late = tuple(one.ask.container_id for one in held if one.ask.name == "new")
        return replace(found, problems=problems, newcomers=found.newcomers + late)

    def place(self, books: HomeBooks, ask: Ask) -> Outcome:
        if ask.name == "new" and 0 not in self.allowed_cpus:
            raise HomenodeProblem("cpus", "new", "has no place", "end it")
        return super().place(books, ask)


def strictly(machine: Machine, config: PinningConfig, _around: object) -> Strict:
    return Strict(machine, config)


@pytest.mark.parametrize("name", ["odd", "new"])
def test_who_is_in_the_way_is_told_and_the_old_one_stays(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "make_policy", strictly)
    fake = FakeNode(TWO)
    fake.run(f"G2=a E={name}")
    tried = reconfigure(fake.world, TWO, available("1-7"), 1.5)
    assert [problem.value for problem in tried.obstacles] == [name]
    assert tried.world is fake.world
    assert tried.effects.reply == NO_CHANGE


def test_what_was_wrong_before_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "make_policy", strictly)
    fake = FakeNode(TWO)
    fake.run("E=odd")
    policy = Strict(TWO, PinningConfig())
    known = policy.adopt([Held(_ask_named("odd"), fake.book["odd"])], None).problems
    fake.world = replace(fake.world, policy=policy, warnings=known)
    assert reconfigure(fake.world, TWO, available("1-7"), 1.5).obstacles == ()


def _ask_named(name: str) -> Ask:
    return Ask(name, name, pod(name, "E"), "BestEffort")
