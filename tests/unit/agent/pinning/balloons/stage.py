# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Balloons on described machines: what is in which balloon after containers came and went."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from fakes.described import described
from homenode.intent.policy_config import BalloonsConfig
from homenode.intent.policy_objects import parse_spec
from homenode.intent.tenant import TenantIntent
from homenode.pinning.balloons.policy import BalloonBooks, Balloons
from homenode.pinning.policy import Adoption, Ask, Held, Outcome, Placed
from model.cpuset import CpuSet

Near = Mapping[str, tuple[CpuSet, ...]]


def config(*types: Mapping[str, Any], **keys: Any) -> BalloonsConfig:
    """The spec of an object with these balloon types; one CPU is reserved."""
    spec = {"reservedResources": {"cpu": "1"}, "balloonTypes": list(types), **keys}
    read = parse_spec("BalloonsPolicy", spec, source="test")
    assert isinstance(read, BalloonsConfig)
    return read


def of_type(name: str, **values: Any) -> TenantIntent:
    """What the annotation that names a balloon type asks for."""
    return TenantIntent(balloon=name, **values)


class Stage:
    """A machine with balloons, and what each container has at the moment."""

    def __init__(
        self,
        *types: Mapping[str, Any],
        machine: str = "n4c16",
        near: Optional[Near] = None,
        **keys: Any,
    ) -> None:
        self.policy = Balloons(described(machine), config(*types, **keys), near or {})
        self.books: BalloonBooks = self.policy.start()
        self.asks: dict[str, Ask] = {}
        self.placed: dict[str, Placed] = {}

    def create(self, *asks: Ask) -> list[str]:
        """The balloon and the CPUs of each of *asks*, one after the other."""
        told = []
        for one in asks:
            self._take_over(one.container_id, self.policy.place(self.books, one))
            self.asks[one.container_id] = one
            told.append(self.told(one.container_id))
        return told

    def told(self, name: str) -> str:
        """Its balloon and its CPUs."""
        placed = self.placed[name]
        return f"{placed.place} {placed.placement.cpus}"

    def resize(self, ask: Ask) -> str:
        """Its balloon and CPUs once it asks for what *ask* says."""
        self.asks[ask.container_id] = ask
        self._take_over(ask.container_id, self.policy.resize(self.books, ask))
        return self.told(ask.container_id)

    def delete(self, *names: str) -> None:
        """They end."""
        for name in names:
            del self.placed[name], self.asks[name]
            self._take_over(name, self.policy.release(self.books, name))

    def balloons(self) -> dict[str, str]:
        """The CPUs of every balloon."""
        return {place.name: str(place.cpus) for place in self.policy.places(self.books)}

    def restarted(
        self, *, memory: bool = True, ledger: bool = True, **other_places: Any
    ) -> Adoption:
        """What another agent makes of what runs, with what is remembered, or not."""
        remembered = json.loads(json.dumps(self.policy.remember(self.books))) if memory else None
        policy = Balloons(self.policy.machine, self.policy.config, self.policy.devices)
        held = [
            Held(one, other_places.get(key, placed.placement), placed if ledger else None)
            for key, one in self.asks.items()
            for placed in [self.placed[key]]
        ]
        return policy.adopt(held, remembered)

    def _take_over(self, name: str, outcome: Outcome) -> None:
        assert name not in outcome.changed
        assert all(self.placed[key] != placed for key, placed in outcome.changed.items())
        self.books = outcome.books
        self.placed.update(outcome.changed)
        if outcome.placed is not None:
            self.placed[name] = outcome.placed
