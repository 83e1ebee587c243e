# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of cold starts: wound at a start, looked at in rounds, heedless of the wall clock."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.node import container, pod
from homenode.daemon import cold_starts as module
from homenode.daemon.cold_starts import ColdStarts
from model.events import ContainerStarted, ContainerUpdate, Synchronized
from model.workload import NOT_OURS


class Warmed:
    """An owner that only says who was warmed."""

    def __init__(self) -> None:
        self.world: Any = None
        self.warmed: list[str] = []

    def warm(self, container_id: str) -> tuple[ContainerUpdate, ...]:
        self.warmed.append(container_id)
        return (ContainerUpdate(container_id, NOT_OURS),)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    seconds = {"a": 60.0, "b": 5.0}
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(module, "cold_seconds", lambda _world, key: seconds.get(key, 0.0))
    return now


def test_each_ends_once_when_it_is_due(clock: list[float]) -> None:
    owner = Warmed()
    told: list[ContainerUpdate] = []
    starts = ColdStarts(owner, told.extend)  # type: ignore[arg-type]
    for name in ("a", "b", "warm"):
        starts.noticed(ContainerStarted(name))
    starts.look()
    assert owner.warmed == []
    clock[0] += 10
    starts.look()
    assert owner.warmed == ["b"]
    clock[0] += 100
    starts.look()
    starts.look()
    assert owner.warmed == ["b", "a"]
    assert [update.container_id for update in told] == ["b", "a"]


def test_who_is_found_running_begins_anew(clock: list[float]) -> None:
    owner = Warmed()
    starts = ColdStarts(owner, list)  # type: ignore[arg-type]
    starts.noticed(ContainerStarted("b"))
    made = pod("a", "G1")
    starts.noticed(Synchronized((made,), (container("a", "G1", made),)))
    clock[0] += 61
    starts.look()
    assert owner.warmed == ["a"]
