# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small machine, and a policy that is easily foretold, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from homenode.pinning.policy import (
    NO_HARDWARE,
    Adoption,
    Ask,
    Hardware,
    Held,
    Outcome,
    Place,
    Placed,
)
from homenode.world.decision import SHARED, Candidate, Decision
from model.cpuset import CpuSet, NodeSet
from model.problem import HomenodeProblem
from model.workload import Placement

DESCRIBED: Mapping[str, Any] = {
    "packages": [{"nodes": [{"id": 0, "cpus": "0-7", "memory": "2Gi"}]}]
}

Books = Mapping[str, Ask]


@dataclass(frozen=True)
class Even:
    """Everybody shares the lowest *width* CPUs less one for each that asks for CPU; see ``place``.

    *width* comes from the configuration, which may also name a *forbidden* container.
    """

    width: int
    forbidden: str = ""

    @classmethod
    def make(cls, spec: Mapping[str, Any]) -> Even:
        """Refuses a width beyond the machine."""
        if spec["width"] > 8:
            raise HomenodeProblem("width", spec["width"], "is too wide", "use 8 at most")
        return cls(spec["width"], spec.get("forbidden", ""))

    def start(self) -> Books:
        return {}

    def place(self, books: Books, ask: Ask) -> Outcome:
        """Refuses the forbidden, and leaves alone whom an annotation names."""
        if ask.name == self.forbidden:
            raise HomenodeProblem("name", ask.name, "is forbidden", "use another")
        return self._outcome({**books, ask.container_id: ask}, ask.container_id)

    def resize(self, books: Books, ask: Ask) -> Outcome:
        if ask.cpu_request > 4000:
            raise HomenodeProblem("cpu", ask.cpu_request, "is too much", "ask for less")
        return self._outcome({**books, ask.container_id: ask}, ask.container_id)

    def release(self, books: Books, container_id: str) -> Outcome:
        left = {key: ask for key, ask in books.items() if key != container_id}
        return self._outcome(left, "")

    def adopt(self, held: Sequence[Held], memory: Optional[Mapping[str, Any]]) -> Adoption:
        """Whoever *memory* does not know is a newcomer, and so is who was refused before."""
        assert memory is not None
        known = {one.ask.container_id: one.ask for one in held if one.ask.name in memory["names"]}
        kept = {key: ask for key, ask in known.items() if ask.name != self.forbidden}
        newcomers = tuple(one.ask.container_id for one in held if one.ask.container_id not in kept)
        return Adoption(kept, self._all(kept), newcomers)

    def remember(self, books: Books) -> dict[str, Any]:
        return {"names": [ask.name for ask in books.values()]}

    def places(self, books: Books) -> tuple[Place, ...]:
        return (Place("all", self._cpus(books), f"{len(books)}m"),)

    def hardware(self, books: Books) -> Hardware:
        return NO_HARDWARE

    def _cpus(self, books: Books) -> CpuSet:
        return CpuSet(range(self.width - sum(ask.cpu_request > 0 for ask in books.values())))

    def _all(self, books: Books) -> dict[str, Placed]:
        return {key: self._placed(books, ask) for key, ask in books.items()}

    def _placed(self, books: Books, ask: Ask) -> Placed:
        alone = Placement(None, None) if "alone" in ask.pod.annotations else None
        decision = Decision(
            SHARED,
            "as all others",
            rules=("size", "name"),
            candidates=(
                Candidate("all", (1, "a")),
                Candidate("b", (1, "b")),
                Candidate("c", (0, "a")),
                Candidate("d", (0, "b"), "age"),
                Candidate("e", (1, "e")),
            ),
        )
        return Placed(alone or Placement(self._cpus(books), NodeSet([0])), decision, "all")

    def _outcome(self, books: Books, container_id: str) -> Outcome:
        placed = self._all(books)
        mine = placed.pop(container_id, None)
        return Outcome(books, mine, placed)
