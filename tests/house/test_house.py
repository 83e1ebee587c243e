# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house as it stands keeps each of its rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from house import plan
from house.rules import RULES, Rule
from house.sources import Source, load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return load(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_house_keeps(rule: Rule, sources: list[Source]) -> None:
    findings = rule.findings(sources)
    assert not findings, f"{len(findings)} findings\n" + "\n".join(findings)


def test_the_house_is_not_empty(sources: list[Source]) -> None:
    """A wrong path would make every rule pass."""
    rooms = {source.room for source in sources}
    assert {"model", "host_files", "intent", "world", "pinning", "runtime"} <= rooms


def test_the_plan_has_no_circle() -> None:
    """Following the imports of any room never leads back to it; wiring is outside of the table."""
    table = {room.name: room.imports for room in plan.ROOMS if room.imports != plan.EVERYTHING}
    for start in table:
        reached: set[str] = set()
        ahead = list(table[start])
        while ahead:
            room = ahead.pop()
            assert room != start, f"{start} leads back to itself"
            if room not in reached:
                reached.add(room)
                ahead.extend(table[room])


def test_pure_rooms_reach_pure_rooms_only() -> None:
    rooms = {room.name: room for room in plan.ROOMS}
    for room in plan.ROOMS:
        if room.pure:
            assert all(rooms[target].pure for target in room.imports), room.name


def test_every_door_is_there() -> None:
    """A door that no longer exists would let a new file of that name catch everything."""
    rooms_to_come = {"files/agent/homenode/cli", "files/agent/homenode/daemon"}
    for door in plan.BROAD_EXCEPT_DOORS.keys() - rooms_to_come:
        assert (ROOT / door).exists(), door
