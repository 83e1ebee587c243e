# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Balloons as they are now: whose CPUs, which containers, and which CPUs are in none.

Out of scope: how they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Optional

from model.cpuset import NO_CPUS, CpuSet

from .devices import Devices


class Member(NamedTuple):
    """What a balloon has to know of a container in it; *millis* is its CPU request.

    *wanted* is the type that it should be in, which may be another one on a crowded machine.
    """

    pod_id: str
    namespace: str
    group: str
    millis: int
    wanted: str


def type_name_of(balloon: str) -> str:
    """The type of a balloon by its name, ``type[number]``; "" for other texts."""
    return balloon.rpartition("[")[0]


@dataclass(frozen=True)
class Balloon:
    """An instance of a type, with its own *cpus*.

    *members* are by container id. *given* is where devices of *given_to*, the container for which
    it was made, are near. One with *components* has their CPUs, and no others.
    """

    type_name: str
    number: int
    cpus: CpuSet = NO_CPUS
    members: Mapping[str, Member] = field(default_factory=dict)
    given: Devices = field(default_factory=dict)
    given_to: str = ""
    components: tuple[Balloon, ...] = ()

    @cached_property
    def name(self) -> str:
        """``type[number]``."""
        return f"{self.type_name}[{self.number}]"

    @cached_property
    def requested(self) -> int:
        """The sum of the CPU requests inside, in thousandths."""
        return sum(member.millis for member in self.members.values())

    @property
    def free(self) -> int:
        """CPU that nobody inside has requested, in thousandths; negative where over-committed."""
        return 1000 * len(self.cpus) - self.requested

    @cached_property
    def pods(self) -> frozenset[str]:
        """The ids of the pods that have a container inside."""
        return frozenset(member.pod_id for member in self.members.values())

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Theirs."""
        return frozenset(member.namespace for member in self.members.values())

    @cached_property
    def groups(self) -> frozenset[str]:
        """What the type's groupBy makes of the containers inside."""
        return frozenset(member.group for member in self.members.values())

    def with_member(self, container_id: str, member: Member) -> Balloon:
        """The balloon with one container more, or with another request of it."""
        return replace(self, members={**self.members, container_id: member})

    def without(self, container_id: str) -> Balloon:
        """The balloon without a container and what its devices meant."""
        members = {key: one for key, one in self.members.items() if key != container_id}
        return replace(self._forgetting(container_id), members=members)

    def _forgetting(self, container_id: str) -> Balloon:
        components = tuple(one._forgetting(container_id) for one in self.components)
        if self.given_to == container_id:
            return replace(self, given={}, given_to="", components=components)
        return replace(self, components=components) if components else self


@dataclass(frozen=True)
class Holdings:
    """All balloons, in the order in which they were made, and the CPUs in none of them."""

    balloons: tuple[Balloon, ...]
    idle: CpuSet

    def of_type(self, type_name: str) -> list[int]:
        """The places of a type's instances."""
        return [place for place, one in enumerate(self.balloons) if one.type_name == type_name]

    def place_of(self, name: str) -> Optional[int]:
        """The place of a balloon."""
        for place, one in enumerate(self.balloons):
            if one.name == name:
                return place
        return None

    def changed(self, place: int, balloon: Balloon) -> Holdings:
        """With *balloon* at *place*."""
        before, after = self.balloons[:place], self.balloons[place + 1 :]
        return Holdings((*before, balloon, *after), self.idle)

    def with_new(self, balloon: Balloon) -> Holdings:
        """With *balloon* at the end."""
        return Holdings((*self.balloons, balloon), self.idle)

    def without(self, place: int) -> Holdings:
        """Without a balloon, whose CPUs are idle then."""
        gone = self.balloons[place]
        left = (*self.balloons[:place], *self.balloons[place + 1 :])
        return Holdings(left, self.idle | gone.cpus)

    def count(self, type_names: frozenset[str]) -> int:
        """How many instances of these types there are, components and theirs included."""
        total = 0
        waiting = list(self.balloons)
        while waiting:
            one = waiting.pop()
            total += one.type_name in type_names
            waiting += one.components
        return total
