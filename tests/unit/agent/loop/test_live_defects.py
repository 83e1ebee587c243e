# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defects that were seen live in other policies, each as the case that must not happen here.

Those of the wire (the runtime restarts, two agents at once) are tests of the rooms concerned.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from model.cpuset import CpuSet

TWO = machine(sockets(2, cores=4))
FULL = "G4=a G3=b"  # every CPU but one is owned


@pytest.mark.parametrize("ledger", [True, False], ids=["remembered", "state lost"])
def test_a_restart_moves_no_running_pod(ledger: bool) -> None:
    fake = FakeNode(machine(sockets(2, cores=32)))
    before = fake.run(" ".join(f"G{1 + n % 3}:0.1=p{n} E=e{n}" for n in range(25)))
    for _time in range(10):
        fake.restart(ledger=ledger)
        assert fake.moved == []
    assert fake.shown() == before


def test_a_pod_that_started_without_the_agent_is_pinned_when_it_is_back() -> None:
    fake = FakeNode(TWO, None)
    fake.run("G2=a E=e")
    assert fake.shown() == "a= e="
    other = FakeNode(TWO)
    other.world = replace(other.world, pods=fake.world.pods, containers=fake.world.containers)
    other.book = fake.book
    other.restart()
    assert other.shown() == "a=1-2/0 e=0,3-7"


def test_best_effort_never_gets_owned_cpus() -> None:
    fake = FakeNode(TWO)
    assert fake.run(f"{FULL} E=e") == "a=0-3/0 b=4-6/1 e=7"


@pytest.mark.parametrize("kind", ["B2", "B64", "E", "G0.5", "G1", "G4", "G64", "G1:999"])
def test_a_full_node_refuses_nobody(kind: str) -> None:
    fake = FakeNode(TWO)
    assert fake.run(f"{FULL} {kind}=late").endswith("late=7")


def test_caches_with_one_id_give_no_cpu_twice() -> None:
    shape = sockets(2, cores=4)
    extra: dict[str, str | None] = {
        f"/sys/devices/system/cpu/cpu{cpu}/cache/index3/id": "0\n" for cpu in range(8)
    }
    fake = FakeNode(machine(replace(shape, caches=(CpuSet.parse("0-7"),) * 2, extra=extra)))
    fake.run("G2=a G2=b G2=c E=e")
    owned = [grant.exclusive for grant in fake.world.ledger.grants.values()]
    assert sum(map(len, owned)) == len(fake.world.ledger.exclusive()) == 6


def test_the_answer_names_nobody_who_does_not_move() -> None:
    """Latency and log must not grow with containers that are not concerned."""
    fake = FakeNode(machine(sockets(2, cores=32)))
    fake.run(" ".join(f"G1=p{n}" for n in range(40)))
    effects = fake.create("G1", "late")
    assert effects.reply.updates == ()
    assert len(effects.records) == 1
    effects = fake.create("E", "guest")
    assert (effects.reply.updates, len(effects.records)) == ((), 1)


def test_a_change_of_the_shared_set_is_one_line_however_many_share() -> None:
    fake = FakeNode(TWO)
    fake.run(" ".join(f"E=e{n}" for n in range(100)))
    effects = fake.create("G1", "late")
    assert len(effects.reply.updates) == 100
    assert [(one.kind, one.containers) for one in effects.records] == [
        ("placed", 1),
        ("resized", 100),
    ]


def test_what_died_with_the_agent_counts_no_capacity() -> None:
    fake = FakeNode(TWO)
    fake.run("G4:16=a G3:16=b")
    fake.world = replace(fake.world, containers={}, pods={})
    fake.book.clear()
    fake.restart()
    assert fake.run("G4:16=c G3:16=d") == "c=0-3/0 d=4-6/1"
